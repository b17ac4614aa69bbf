"""From a returned mail to events: what `classify` finds, tied to our own delivery as surely as can be.

Decides which delivery it is about: by the signed return path that it came to, or that it quotes; by our Message-ID, if
that mail went to the recipient who is named, since Message-IDs can be guessed; else the recipient's address is all
there is. Pure: what knows return paths and Message-IDs is handed in. Called by the intake of mailboxes, and again
whenever kept mail is to be understood anew.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from worker.feedback.mail.bounce_text import spoken
from worker.feedback.mail.classify import understood
from worker.feedback.mail.reading import Letter, read
from worker.feedback.mail.statuses import reply_in
from worker.feedback.mail.verdict import Finding, Kind, Reason
from worker.hearsay import EventKind, FeedbackEvent
from worker.model import DeliveryId

PROVIDER: Final = "mail"
KEPT_BYTES: Final = 65_536
"""How much of a mail is kept with its events."""

_ARRIVED_AT: Final = (
    "delivered-to",
    "x-original-to",
    "envelope-to",
    "x-envelope-to",
    "x-delivered-to",
    "apparently-to",
    "to",
    "cc",
    "resent-to",
    "received",
)
_SENT_FROM: Final = ("return-path", "x-envelope-from", "errors-to", "sender", "received")
_MESSAGE_ID: Final = re.compile(r"<([^<>\s]{3,250})>")
_NOT_TEXT: Final = "=base64=\n"  # no header can begin so
_OLDEST: Final = timedelta(days=14)


class ReturnedMail:
    """Understands returned mail.

    `delivery_of` reads a delivery out of a return path in any text; `was_sent` tells whether a mail of ours with a
    Message-ID went to an address.
    """

    name = PROVIDER

    def __init__(
        self, *, delivery_of: Callable[[str], DeliveryId | None], was_sent: Callable[[str, str], bool]
    ) -> None:
        self._delivery_of, self._was_sent = delivery_of, was_sent

    def hear(self, data: bytes, *, received_at: datetime) -> tuple[FeedbackEvent, ...]:
        """Tell what a mail says: an event a recipient, never none. Same bytes, same ids."""
        letter = read(data)
        delivery_id = next(filter(None, map(self._delivery_of, _our_return_paths(letter))), None)
        message_id = _our_message_id(letter)
        identity = hashlib.sha256(data[:KEPT_BYTES]).hexdigest()[:40]
        return tuple(
            FeedbackEvent(
                provider=PROVIDER,
                event_id=f"{identity}-{number}",
                kind=_kind(found),
                occurred_at=_written_at(letter, received_at),
                delivery_id=delivery_id,
                message_id=self._believed(message_id, delivery_id, found.recipient),
                recipient=found.recipient,
                hard=_lasts(found),
                code=int(reply) if (reply := reply_in(found.diagnosis)) else None,
                status=found.status,
                reason=f"{found.reason}: {found.diagnosis}".strip(": ")[:300],
            )
            for number, found in enumerate(understood(letter))
        )

    def _believed(self, message_id: str, delivery_id: DeliveryId | None, recipient: str) -> str:
        """Return a quoted Message-ID, "" for one that anybody could have made up."""
        return message_id if delivery_id or (message_id and self._was_sent(message_id, recipient)) else ""

    def read(self, raw: str, *, received_at: datetime) -> tuple[FeedbackEvent, ...]:
        """Understand a mail again from the form in which it was kept."""
        return self.hear(restored(raw), received_at=received_at)


def kept(data: bytes) -> str:
    r"""Return a mail as it is kept: its text where it is text, in base64 where a database could not hold it.

    >>> kept(b"Subject: bounce"), kept(b"\xff\x00")
    ('Subject: bounce', '=base64=\n/wA=')
    """
    data = data[:KEPT_BYTES]
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = "\0"
    return text if "\0" not in text and not text.startswith(_NOT_TEXT) else _NOT_TEXT + base64.b64encode(data).decode()


def restored(raw: str) -> bytes:
    """Return the bytes of a kept mail."""
    return base64.b64decode(raw.removeprefix(_NOT_TEXT)) if raw.startswith(_NOT_TEXT) else raw.encode()


def _our_return_paths(letter: Letter) -> Iterator[str]:
    """Yield texts that may hold a return path of ours, the surest first; it is signed, so nobody else can write one."""
    yield "\n".join(value for name in _ARRIVED_AT for value in letter.headers.every(name))
    yield "\n".join((*letter.complaints, *letter.reports))
    for headers in (letter.returned, spoken(letter)[1]):
        yield "\n".join(value for name in _SENT_FROM for value in headers.every(name))


def _our_message_id(letter: Letter) -> str:
    quoted = (letter.returned.text("message-id"), spoken(letter)[1].text("message-id"))
    for value in (*quoted, letter.headers.text("in-reply-to"), letter.headers.text("references")):
        if match := _MESSAGE_ID.search(value):
            return match[1]
    return ""


def _kind(found: Finding) -> EventKind:
    match found.kind:
        case Kind.BOUNCE:
            return EventKind.DEFERRED if found.delayed else EventKind.BOUNCED
        case Kind.COMPLAINT:
            return EventKind.UNSUBSCRIBED if found.reason is Reason.OPT_OUT else EventKind.COMPLAINED
        case Kind.AUTO_REPLY:
            return EventKind.AUTORESPONDED
        case Kind.OTHER:
            return EventKind.DELIVERED if found.reason is Reason.DELIVERED else EventKind.INBOUND


def _lasts(found: Finding) -> bool | None:
    """Tell whether a bounce lasts; None where it would, but nobody said why: that counts, and alone ends nothing."""
    if found.kind is not Kind.BOUNCE:
        return None
    return None if found.hard and found.reason is Reason.UNDEFINED else found.hard


def _written_at(letter: Letter, received_at: datetime) -> datetime:
    """Return when a mail says that it was written, unless its clock is out of all reason."""
    try:
        written_at = parsedate_to_datetime(letter.headers.text("date"))
        written_at = written_at.astimezone(UTC) if written_at.tzinfo else written_at.replace(tzinfo=UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return received_at
    return written_at if received_at - _OLDEST <= written_at <= received_at else received_at
