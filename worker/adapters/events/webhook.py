"""The generic webhook's events, in Tocsin's own words: for a gateway of one's own, signed as Standard Webhooks says.

An item has the fields of `FeedbackEvent` that it knows; docs/feedback.md lists them. Several come as a list, or under
`events`. https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, 2026-11-28.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from worker.adapters.events.proving import check_standard, standard_key
from worker.adapters.events.reading import (
    delivery_of,
    dig,
    digest,
    items_in,
    moment,
    read_json,
    text,
    whole,
    written,
)
from worker.errors import InputError
from worker.hearsay import EventKind, FeedbackEvent, Opened, Post
from worker.model import DeliveryId


@dataclass(frozen=True, slots=True)
class WebhookEvents:
    """Reads events in our own words. Each key is a secret of Standard Webhooks: `whsec_` and base64."""

    keys: tuple[str, ...] = field(default=(), repr=False)
    name: str = "webhook"

    def __post_init__(self) -> None:
        for key in self.keys:
            standard_key(key)

    def open(self, post: Post) -> Opened:
        """Check the signature over id, time and body."""
        check_standard(post, self.keys, prefix="webhook")
        opened = items_in(post.body)
        batch = dig(read_json(opened[0]), "events") if len(opened) == 1 else None
        if batch is None:
            return Opened(items=opened)
        if not isinstance(batch, list):
            raise InputError("`events` is no list", hint="see docs/feedback.md")
        return Opened(items=items_in(written(batch).encode()))

    def read(self, raw: str, *, received_at: datetime) -> Sequence[FeedbackEvent]:
        """Translate one item."""
        item = read_json(raw)
        kind, hard, delivery = text(item, "kind"), dig(item, "hard"), whole(item, "delivery")
        return [
            FeedbackEvent(
                provider=self.name,
                event_id=text(item, "event_id") or digest(raw),
                kind=EventKind(kind) if kind in set(EventKind) else EventKind.UNKNOWN,
                occurred_at=moment(dig(item, "occurred_at"), otherwise=received_at),
                delivery_id=DeliveryId(delivery) if delivery is not None else delivery_of(item),
                message_id=text(item, "message_id"),
                provider_message_id=text(item, "provider_message_id"),
                recipient=text(item, "recipient"),
                hard=hard if isinstance(hard, bool) else None,
                code=whole(item, "code"),
                status=text(item, "status"),
                reason=text(item, "reason"),
            )
        ]
