"""Brevo's transactional webhooks, alone or in batches.

Not signed: the secret in the address proves them, and Basic or Bearer authentication where a key is set.
https://developers.brevo.com/docs/transactional-webhooks and .../docs/username-and-password-authentication, 2026-11-28.
Our own argument travels in the header X-Mailin-custom, as JSON.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from worker.adapters.events.proving import check_password
from worker.adapters.events.reading import (
    code_in,
    delivery_of,
    dig,
    digest,
    items_in,
    message_of,
    moment,
    read_json,
    status_in,
    text,
)
from worker.errors import InputError
from worker.hearsay import EventKind, FeedbackEvent, Opened, Post

_WORDS: Final[Mapping[str, tuple[EventKind, bool | None]]] = {
    "request": (EventKind.QUEUED, None),
    "sent": (EventKind.QUEUED, None),
    "delivered": (EventKind.DELIVERED, None),
    "deferred": (EventKind.DEFERRED, None),
    "soft_bounce": (EventKind.BOUNCED, False),
    "hard_bounce": (EventKind.BOUNCED, True),
    "invalid_email": (EventKind.REJECTED, True),
    "blocked": (EventKind.REJECTED, True),  # on Brevo's list of blocked contacts
    "error": (EventKind.FAILED, None),
    "spam": (EventKind.COMPLAINED, None),
    "complaint": (EventKind.COMPLAINED, None),
    "unsubscribe": (EventKind.UNSUBSCRIBED, None),
    "unsubscribed": (EventKind.UNSUBSCRIBED, None),
    "opened": (EventKind.OPENED, None),
    "unique_opened": (EventKind.OPENED, None),
    "proxy_open": (EventKind.OPENED, None),
    "unique_proxy_open": (EventKind.OPENED, None),
    "click": (EventKind.CLICKED, None),
}


@dataclass(frozen=True, slots=True)
class BrevoEvents:
    """Reads Brevo's webhooks. Each key is a `user:password`, or a token."""

    keys: tuple[str, ...] = field(default=(), repr=False)
    name: str = "brevo"

    def open(self, post: Post) -> Opened:
        """Check the password or the token, if there is one."""
        check_password(post, self.keys)
        return Opened(items=items_in(post.body))

    def read(self, raw: str, *, received_at: datetime) -> Sequence[FeedbackEvent]:
        """Translate one event. It has no id of its own, and of its times only `ts_epoch` (milliseconds) is in UTC."""
        item = read_json(raw)
        kind, hard = _WORDS.get(text(item, "event").lower(), (EventKind.UNKNOWN, None))
        said, ours = text(item, "reason"), _ours(item)
        return [
            FeedbackEvent(
                provider=self.name,
                event_id=digest(raw),
                kind=kind,
                occurred_at=moment(dig(item, "ts_epoch"), otherwise=received_at),
                delivery_id=delivery_of(ours),
                message_id=message_of(ours),
                provider_message_id=text(item, "message-id"),
                recipient=text(item, "email"),
                hard=hard,
                code=code_in(said),
                status=status_in(said),
                reason=said,
            )
        ]


def _ours(item: object) -> object:
    try:
        return read_json(text(item, "X-Mailin-custom") or "null")
    except InputError:  # somebody else's, on the same account
        return None
