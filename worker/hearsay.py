"""What the outside world tells us about a message after we have handed it over, in our own words.

Adapters make these values of webhooks and of returned mail; feedback decides what follows, the store keeps them. The
kinds are django-anymail's, which every provider's words can be translated to.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from worker.model import DeliveryId


class EventKind(StrEnum):
    """What happened, or is said to have happened."""

    QUEUED = "queued"
    SENT = "sent"
    REJECTED = "rejected"  # the provider would not even try
    FAILED = "failed"  # the provider tried, and a fault of its own or of ours stopped it
    BOUNCED = "bounced"
    DEFERRED = "deferred"
    DELIVERED = "delivered"
    AUTORESPONDED = "autoresponded"
    OPENED = "opened"
    CLICKED = "clicked"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    SUBSCRIBED = "subscribed"
    INBOUND = "inbound"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedbackEvent:
    """One thing told about one recipient of one message.

    `event_id` is unique for its provider: its own id where it has one, else a hash of what never changes in a repeat.
    `delivery_id` is known by VERP or by our own argument that the provider hands back. `status` is an enhanced status
    code (RFC 3463), `hard` tells a bounce that will not mend itself; None where nobody said. `reason` is for people.
    """

    provider: str
    event_id: str
    kind: EventKind
    occurred_at: datetime
    delivery_id: DeliveryId | None = None
    message_id: str = ""
    provider_message_id: str = ""
    recipient: str = ""
    hard: bool | None = None
    code: int | None = None
    status: str = ""
    reason: str = ""
