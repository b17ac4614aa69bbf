"""Which header fields a mail has: DELIVERABILITY.md's table, line by line, with holes for what readers do not share.

Decides only; `fields` knows how each value is written. Pure. `mail` calls it once for a content.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

from worker.content import Newsroom, hash_of
from worker.model import EditionKind, Pieces
from worker.rendering.fields import mailbox, unstructured, verbatim
from worker.rendering.holes import Hole, address_of, joined

Line = tuple[str, Pieces]

TOKEN_CHARS: Final = 75
ID_CHARS: Final = 250
_SENDER_CHARS: Final = 5, 15
_AUTOMATIC: Final = frozenset(
    {EditionKind.ALERT, EditionKind.ROLLING, EditionKind.CORRECTION, EditionKind.CONFIRMATION, EditionKind.SYSTEM}
)
_LONGEST: Final[Mapping[str, str]] = {
    Hole.UNSUBSCRIBE: "k" * TOKEN_CHARS,
    Hole.PREFERENCES: "k" * TOKEN_CHARS,
    Hole.MESSAGE_ID: "k" * ID_CHARS,
    Hole.IN_REPLY_TO: "k" * ID_CHARS,
    Hole.FEEDBACK_ID: "k" * ID_CHARS,
}


def header_lines(
    *,
    newsroom: Newsroom,
    kind: EditionKind,
    language: str,
    subject: Pieces,
    boundary: str,
    is_answer: bool = False,
    is_listed: bool = True,
    list_slug: str = "",
) -> Iterator[Line]:
    """Yield names and values in a fixed order; a folded value has CRLF and a space within.

    What is not listed has nothing to leave, or must not be left by whoever holds it.

    Raises `InputError` for an address of ours that is none, and `ValueError` for a base URL that no line can hold.
    """
    yield _shared("From", mailbox("From", newsroom.from_name, newsroom.from_address))
    if newsroom.reply_to:
        yield _shared("Reply-To", mailbox("Reply-To", newsroom.from_name, newsroom.reply_to))
    yield "To", joined([Hole.TO])
    yield "Subject", joined([Hole.SUBJECT if subject.holes else unstructured("Subject", subject.literals[0])])
    yield "Date", joined([Hole.DATE])
    yield _verbatim("Message-ID", "<", Hole.MESSAGE_ID, ">")
    if is_answer:  # RFC 5322, 3.6.4: readers' programs show it below the mail that told the story first
        yield _verbatim("In-Reply-To", "<", Hole.IN_REPLY_TO, ">")
        yield _verbatim("References", "<", Hole.IN_REPLY_TO, ">")
    if is_listed:
        yield from _list_lines(newsroom, list_slug)
    if kind in _AUTOMATIC:
        yield _shared("Auto-Submitted", "auto-generated")  # RFC 3834: no vacation replies, please
    yield _verbatim("Feedback-ID", Hole.FEEDBACK_ID)
    yield _verbatim("Content-Language", language)
    yield _shared("MIME-Version", "1.0")
    yield _shared("Content-Type", f'multipart/alternative; boundary="{boundary}"')


@lru_cache(maxsize=256)  # the same for all mail of an edition
def feedback_id(*, campaign: int, kind: EditionKind, domain: str) -> str:
    """Return what names a mail in Gmail's feedback loop: campaign, kind, program, sender.

    The sender's part has 5 to 15 characters and is the same for all mail of a house, says Gmail
    (support.google.com/mail/answer/6254652); none of it may name a reader.

    >>> feedback_id(campaign=7, kind=EditionKind.DIGEST, domain="courier.example")
    '7:digest:tocsin:courier.example'
    >>> feedback_id(campaign=7, kind=EditionKind.DIGEST, domain="news.the-harbour-courier.example")
    '7:digest:tocsin:news.t-c905f71b'
    """
    fits = _SENDER_CHARS[0] <= len(domain) <= _SENDER_CHARS[1]
    sender = domain if fits else f"{domain[:6]}-{hash_of(domain)[:8]}"
    return f"{campaign}:{kind}:tocsin:{sender}"


def _list_lines(newsroom: Newsroom, list_slug: str) -> Iterator[Line]:
    base = newsroom.base_url
    yield "List-Id", joined([Hole.LIST_ID])
    yield _verbatim("List-Unsubscribe", f"<{address_of(Hole.UNSUBSCRIBE, base)}", Hole.UNSUBSCRIBE, ">")
    yield _verbatim("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
    yield _verbatim("List-Help", f"<{address_of(Hole.PREFERENCES, base)}", Hole.PREFERENCES, ">")
    yield _verbatim("List-Archive", f"<{base}/newsletters/{list_slug}>" if list_slug else f"<{base}/topics>")


def _shared(name: str, value: str) -> Line:
    return name, joined([value])


def _verbatim(name: str, *parts: str) -> Line:
    value = joined(parts)
    verbatim(name, value.fill(_LONGEST))
    return name, value
