"""Resend's webhooks, signed by Svix: id, time and body, with the endpoint's signing secret.

https://resend.com/docs/webhooks/event-types and https://resend.com/docs/webhooks/verify-webhooks-requests, 2026-11-28.
Our own argument is one of the message's tags.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from worker.adapters.events.proving import check_standard, standard_key
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
from worker.hearsay import EventKind, FeedbackEvent, Opened, Post

_KINDS: Final = {
    "email.scheduled": EventKind.QUEUED,
    "email.sent": EventKind.SENT,
    "email.delivered": EventKind.DELIVERED,
    "email.delivery_delayed": EventKind.DEFERRED,
    "email.bounced": EventKind.BOUNCED,
    "email.complained": EventKind.COMPLAINED,
    "email.failed": EventKind.FAILED,
    "email.suppressed": EventKind.REJECTED,
    "email.opened": EventKind.OPENED,
    "email.clicked": EventKind.CLICKED,
    "email.received": EventKind.INBOUND,
    "suppression.added": EventKind.REJECTED,
    "suppression.removed": EventKind.SUBSCRIBED,
}
_LISTED: Final = frozenset({"email.suppressed", "suppression.added"})
_HARD: Final = {"Permanent": True, "Transient": False, "Undetermined": False}
_PARTS: Final = ("bounce", "failed", "suppressed")
"""Where an event says why."""


@dataclass(frozen=True, slots=True)
class ResendEvents:
    """Reads Resend's webhooks. Each key is an endpoint's signing secret: `whsec_` and base64."""

    keys: tuple[str, ...] = field(default=(), repr=False)
    name: str = "resend"

    def __post_init__(self) -> None:
        for key in self.keys:
            standard_key(key)

    def open(self, post: Post) -> Opened:
        """Check the signature over id, time and body."""
        check_standard(post, self.keys, prefix="svix")
        return Opened(items=items_in(post.body))

    def read(self, raw: str, *, received_at: datetime) -> Sequence[FeedbackEvent]:
        """Translate one event. It has no id of its own in the body, which is the same each time that it is sent."""
        item = read_json(raw)
        word, data = text(item, "type"), dig(item, "data")
        part = next((dig(data, name) for name in _PARTS if dig(data, name)), None)
        said = " ".join(filter(None, (text(part, "message"), text(part, "reason"), _diagnosis(part))))
        return [
            FeedbackEvent(
                provider=self.name,
                event_id=digest(raw),
                kind=_KINDS.get(word, EventKind.UNKNOWN),
                occurred_at=moment(dig(item, "created_at"), otherwise=received_at),
                delivery_id=delivery_of(_tags(data)),
                message_id=message_of(_tags(data)) or text(data, "message_id").strip("<>"),
                provider_message_id=text(data, "email_id"),
                recipient=_recipient(data),
                hard=True if word in _LISTED else _HARD.get(text(part, "type")),
                code=code_in(said),
                status=status_in(said),
                reason=" ".join(filter(None, (text(part, "subType"), said))),
            )
        ]


def _diagnosis(part: object) -> str:
    """Return what the servers said, which comes as a list."""
    found = dig(part, "diagnosticCode")
    return " ".join(text({"said": said}, "said") for said in found) if isinstance(found, list) else ""


def _tags(data: object) -> object:
    """Return the message's tags as a mapping, whether they come as one or as a list of pairs."""
    tags = dig(data, "tags")
    if not isinstance(tags, list):
        return tags
    return {text(tag, "name"): dig(tag, "value") for tag in tags if isinstance(tag, Mapping)}


def _recipient(data: object) -> str:
    to = dig(data, "to")
    return text({"to": to[0]}, "to") if isinstance(to, list) and len(to) == 1 else text(data, "email")
