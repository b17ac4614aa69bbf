"""Mailgun's webhooks: HMAC-SHA256 of a time and a token that is used once. The event itself is not signed.

https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/webhook-payloads and .../securing-webhooks,
2026-11-28. Our own argument is a variable (`v:`) of the message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from worker.adapters.events.proving import check_age, hmac_hex
from worker.adapters.events.reading import (
    delivery_of,
    dig,
    digest,
    first_text,
    message_of,
    moment,
    read_json,
    status_in,
    text,
    whole,
    written,
)
from worker.errors import InputError, UnprovenError
from worker.hearsay import EventKind, FeedbackEvent, Opened, Post

_KINDS: Final = {
    "accepted": EventKind.QUEUED,
    "rejected": EventKind.REJECTED,
    "delivered": EventKind.DELIVERED,
    "failed": EventKind.BOUNCED,
    "opened": EventKind.OPENED,
    "clicked": EventKind.CLICKED,
    "complained": EventKind.COMPLAINED,
    "unsubscribed": EventKind.UNSUBSCRIBED,
    "stored": EventKind.INBOUND,
}
_FAILED: Final[Mapping[str, tuple[EventKind, bool | None]]] = {
    # Mailgun's reason for a permanent failure; what is not named here, the server's code tells
    "bounce": (EventKind.BOUNCED, True),
    "hardfail": (EventKind.BOUNCED, True),
    "old": (EventKind.BOUNCED, False),  # it has tried for long enough
    "espblock": (EventKind.BOUNCED, False),
    "suppress-bounce": (EventKind.REJECTED, True),
    "suppress-complaint": (EventKind.REJECTED, True),
    "suppress-unsubscribe": (EventKind.REJECTED, None),
}
_LEFT_BEFORE: Final = "suppress-unsubscribe"


@dataclass(frozen=True, slots=True)
class MailgunEvents:
    """Reads Mailgun's webhooks. Each key is an HTTP webhook signing key."""

    keys: tuple[str, ...] = field(default=(), repr=False)
    name: str = "mailgun"

    def open(self, post: Post) -> Opened:
        """Check the signature of time and token, our own account's or, of a subaccount's event, its parent's."""
        body = read_json(post.body)
        token, at = text(body, "signature", "token"), text(body, "signature", "timestamp")
        given = (text(body, "signature", "signature"), text(body, "signature", "parent-signature"))
        # Signed as one text: a token that begins with a digit, or e0, must not lend it to the time, and be another one.
        is_cut_right = at.isascii() and at.isdigit()
        if not token or not is_cut_right or not any(hmac_hex(self.keys, at + token, one) for one in given):
            raise UnprovenError("the signature does not fit")
        check_age(at, post)
        event = dig(body, "event-data")
        if not isinstance(event, Mapping):
            raise InputError("there is no event-data", hint="see docs/feedback.md")
        return Opened(items=(written(event),), once=token)

    def read(self, raw: str, *, received_at: datetime) -> Sequence[FeedbackEvent]:
        """Translate one event; what failed since the reader has left is two. An id is unique within a day only."""
        item = read_json(raw)
        number, at = text(item, "id"), dig(item, "timestamp")
        kind, hard = _meaning(item)
        said = first_text(dig(item, "delivery-status"), "message", "description") or text(item, "reject", "reason")
        message_id = text(item, "message", "headers", "message-id")
        event = FeedbackEvent(
            provider=self.name,
            event_id=f"{number} {text(item, 'timestamp').partition('.')[0]}" if number else digest(raw),
            kind=kind,
            occurred_at=moment(at, otherwise=received_at),
            delivery_id=delivery_of(dig(item, "user-variables")),
            message_id=message_of(dig(item, "user-variables")) or message_id,
            provider_message_id=message_id,
            recipient=text(item, "recipient"),
            hard=hard,
            code=whole(item, "delivery-status", "code"),
            status=status_in(text(item, "delivery-status", "enhanced-code")) or status_in(said),
            reason=" ".join(filter(None, (text(item, "reason"), said))),
        )
        if text(item, "reason") == _LEFT_BEFORE:
            return [event, replace(event, event_id=f"{event.event_id} left", kind=EventKind.UNSUBSCRIBED)]
        return [event]


def _meaning(item: object) -> tuple[EventKind, bool | None]:
    kind = _KINDS.get(text(item, "event"), EventKind.UNKNOWN)
    if kind is not EventKind.BOUNCED:
        return kind, None
    if text(item, "severity") == "temporary":
        return EventKind.DEFERRED, None
    return _FAILED.get(text(item, "reason"), (EventKind.BOUNCED, None))
