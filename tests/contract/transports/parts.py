"""Messages in parts, as rendering makes them: two contents, each reader with a name and a way out of their own."""

from __future__ import annotations

import html
from dataclasses import dataclass

from worker.adapters.transports.http_words import address_of
from worker.model import Composition, DeliveryId, MessageParts, OutgoingMessage, Pieces

TRUMP = Composition(
    key="c1",
    subject=Pieces(literals=("Trump: 3 stories for ", ""), holes=("name",)),
    text=Pieces(
        literals=("Dear ", ",\n\nTalks resume. 100 % of it.\nLeave: ", "\n"), holes=("name", "unsubscribe_url")
    ),
    html=Pieces(
        literals=("<p>Dear ", ',</p><p>Talks “resume”.</p><a href="', '">Leave</a>'), holes=("name", "unsubscribe_url")
    ),
)
KOREA = Composition(
    key="c2",
    subject=Pieces(literals=("북한: 새 기사",), holes=()),
    text=Pieces(literals=("북한 소식 ", "\n"), holes=("unsubscribe_url",)),
    html=Pieces(literals=('<p lang="ko">북한 소식</p><a href="', '">구독 취소</a>'), holes=("unsubscribe_url",)),
)
NAMES = ("Ann", "O'Brien & Sons <x>", "", "김하나", 'Comma, "Quote"', "Bob", "Eve")


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What a reader gets of a request, done as the provider says it does: to be compared with what was meant."""

    recipient: str
    delivery: str
    subject: str
    text: str
    html: str
    headers: dict[str, str]


def message(number: int, composition: Composition = TRUMP, *, recipient: str = "") -> OutgoingMessage:
    """Write the copy of reader `number`."""
    name = NAMES[number % len(NAMES)]
    address = recipient or f"reader{number}@example.org"
    values = {"name": name, "unsubscribe_url": f"https://news.example/unsubscribe/t{number}?a=1&b=2"}
    parts = MessageParts(
        composition=composition,
        values=values,
        html_values={hole: html.escape(value) for hole, value in values.items()},
        from_name="The Harbour Courier",
        from_address="news@courier.example",
        reply_to="desk@courier.example",
        to_name=name,
        headers=(
            (
                "List-Unsubscribe",
                f"<https://news.example/unsubscribe/t{number}>, <mailto:leave+t{number}@a.example>",
            ),
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
            ("List-Id", "digest <digest.news.example>"),
            ("Feedback-ID", "7:digest:tocsin:news.example"),
            ("Auto-Submitted", "auto-generated"),
        ),
    )
    return OutgoingMessage(
        delivery_id=DeliveryId(1000 + number),
        envelope_from=f"b.t{number}@courier.example",
        recipient=address,
        message_id=f"{number}.abc@courier.example",
        data=_mime(number, address),
        parts=parts,
    )


def _mime(number: int, address: str) -> bytes:
    """Write the same copy as MIME, roughly: for providers that take it whole."""
    head = [
        "DKIM-Signature: v=1; a=ed25519-sha256; d=courier.example;",
        " s=a; h=from:message-id; bh=x; b=y",
        "From: The Harbour Courier <news@courier.example>",
        f"To: {address}",
        "Subject: Three stories",
        f"Message-ID: <{number}.abc@courier.example>",
        f"List-Unsubscribe: <https://news.example/unsubscribe/t{number}>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
    ]
    return "\r\n".join([*head, "", f"Copy {number}.", ""]).encode()


def meant(one: OutgoingMessage) -> Sent:
    """Say what the reader of a message must get."""
    assert one.parts
    return Sent(
        recipient=address_of(one),
        delivery=str(one.delivery_id),
        subject=one.parts.subject,
        text=one.parts.text,
        html=one.parts.html,
        headers=dict(one.parts.headers),
    )
