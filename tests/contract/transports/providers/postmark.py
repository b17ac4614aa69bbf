"""Postmark, from postmarkapp.com/developer/api/email-api and /developer/api/overview, read on 2026-11-28."""

from __future__ import annotations

from collections.abc import Collection

from tests.contract.transports.parts import Sent
from tests.contract.transports.provider_server import Posted, Reply, replied
from tests.contract.transports.providers.provider import SECRET, Provider

_INACTIVE = (
    "You tried to send to recipient(s) that have been marked as inactive. Found inactive addresses: {}. Inactive "
    "recipients are ones that have generated a hard bounce, a spam complaint, or a manual suppression."
)


def _address(mailbox: str) -> str:
    return mailbox.rpartition("<")[2].rstrip(">")


def _read(posted: Posted) -> list[Sent]:
    assert posted.path == "/email/batch"
    for item in posted.json:
        assert item["From"] == "The Harbour Courier <news@courier.example>"
        assert item["ReplyTo"] == "desk@courier.example"
        assert item["MessageStream"] == "news"
    return [
        Sent(
            recipient=_address(item["To"]),
            delivery=item["Metadata"]["tocsin_delivery"],
            subject=item["Subject"],
            text=item["TextBody"],
            html=item["HtmlBody"],
            headers={header["Name"]: header["Value"] for header in item["Headers"]},
        )
        for item in posted.json
    ]


def _answer(posted: Posted, refused: Collection[str]) -> Reply:
    """Answer 200 always; what became of each message stands in its own item."""
    items = []
    for number, item in enumerate(posted.json):
        address = _address(item["To"])
        if address in refused:
            items.append({"ErrorCode": 406, "Message": _INACTIVE.format(address)})
        else:
            items.append(
                {
                    "ErrorCode": 0,
                    "Message": "OK",
                    "MessageID": f"b7bc2f4a-e38e-4336-af7d-e6c392c2f81{number}",
                    "SubmittedAt": "2010-11-26T12:01:05.1794748-05:00",
                    "To": item["To"],
                }
            )
    return replied(200, items)


PROVIDER = Provider(
    dsn=f"postmark://{SECRET}@default?stream=news",
    read=_read,
    answer=_answer,
    is_authorised=lambda posted: posted.headers["x-postmark-server-token"] == SECRET,
    limited=replied(429, {"ErrorCode": 429, "Message": "Rate limit exceeded"}, Retry_After="9"),
    limited_s=9,
    unauthorised=replied(401, {"ErrorCode": 10, "Message": "No Account or Server API tokens were supplied"}),
    ours=replied(422, {"ErrorCode": 403, "Message": "The provided JSON is incompatible"}),
    unsent={503},
    most=500,
)
