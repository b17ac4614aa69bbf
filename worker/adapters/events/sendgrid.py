"""SendGrid's Event Webhook, signed: ECDSA over time and body, with the public key that its settings page shows.

https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event and
.../getting-started-event-webhook-security-features, 2026-11-28. Our own argument stands among an event's fields.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from worker.adapters.events.proving import check_age
from worker.adapters.events.reading import (
    code_in,
    delivery_of,
    dig,
    digest,
    first_text,
    items_in,
    message_of,
    moment,
    read_json,
    status_in,
    text,
)
from worker.errors import ConfigurationError, UnprovenError
from worker.hearsay import EventKind, FeedbackEvent, Opened, Post

_KINDS: Final = {
    "processed": EventKind.QUEUED,
    "deferred": EventKind.DEFERRED,
    "delivered": EventKind.DELIVERED,
    "bounce": EventKind.BOUNCED,
    "dropped": EventKind.REJECTED,
    "open": EventKind.OPENED,
    "click": EventKind.CLICKED,
    "spamreport": EventKind.COMPLAINED,
    "unsubscribe": EventKind.UNSUBSCRIBED,
    "group_unsubscribe": EventKind.UNSUBSCRIBED,
    "group_resubscribe": EventKind.SUBSCRIBED,
}
_HARD: Final = {"bounce": True, "blocked": False, "expired": False}
_DROPPED: Final[Mapping[str, bool]] = {
    # Why SendGrid dropped a message, and whether the address is at fault; anything else is about us.
    "bounced address": True,
    "invalid": True,
    "spam reporting address": True,
}
_LEFT_BEFORE: Final = "unsubscribed address"


@dataclass(frozen=True, slots=True)
class SendgridEvents:
    """Reads the Event Webhook. Each key is a public key: base64, in one line."""

    keys: tuple[str, ...] = field(default=(), repr=False)
    name: str = "sendgrid"

    def __post_init__(self) -> None:
        for key in self.keys:
            _public_key(key)

    def open(self, post: Post) -> Opened:
        """Check the signature over time and body."""
        at = post.headers.get("x-twilio-email-event-webhook-timestamp", "")
        given = post.headers.get("x-twilio-email-event-webhook-signature", "")
        if not any(_fits(key, given, at.encode() + post.body) for key in self.keys):
            raise UnprovenError("the signature does not fit")
        check_age(at, post)
        return Opened(items=items_in(post.body))

    def read(self, raw: str, *, received_at: datetime) -> Sequence[FeedbackEvent]:
        """Translate one event; what was dropped since the reader has left is two."""
        item = read_json(raw)
        kind = _KINDS.get(text(item, "event"), EventKind.UNKNOWN)
        said, why = first_text(item, "reason", "response"), text(item, "reason").lower()
        event = FeedbackEvent(
            provider=self.name,
            event_id=text(item, "sg_event_id") or digest(raw),
            kind=kind,
            occurred_at=moment(dig(item, "timestamp"), otherwise=received_at),
            delivery_id=delivery_of(item),
            message_id=message_of(item) or text(item, "smtp-id").strip("<>"),
            provider_message_id=text(item, "sg_message_id").partition(".")[0],
            recipient=text(item, "email"),
            hard=_DROPPED.get(why) if kind is EventKind.REJECTED else _HARD.get(text(item, "type")),
            code=code_in(said),
            status=status_in(text(item, "status")) or status_in(said),
            reason=said,
        )
        if kind is EventKind.REJECTED and why == _LEFT_BEFORE:
            return [event, replace(event, event_id=f"{event.event_id} left", kind=EventKind.UNSUBSCRIBED)]
        return [event]


def _public_key(key: str) -> EllipticCurvePublicKey:
    try:
        found = load_der_public_key(base64.b64decode(key, validate=True))
    except (ValueError, binascii.Error) as error:
        raise ConfigurationError("the verification key must be base64, as SendGrid shows it: MFkw...") from error
    if not isinstance(found, EllipticCurvePublicKey):
        raise ConfigurationError("the verification key is not SendGrid's: it must be an elliptic curve's")
    return found


def _fits(key: str, signature: str, signed: bytes) -> bool:
    try:
        _public_key(key).verify(base64.b64decode(signature, validate=True), signed, ECDSA(SHA256()))
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True
