"""What the outside world tells us about a message after we have handed it over, in our own words.

Adapters make these values of webhooks and of returned mail; feedback decides what follows, the store keeps them. The
kinds are django-anymail's, which every provider's words can be translated to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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


class Cause(StrEnum):
    """Why an address gets nothing any more, the weakest first: a stronger cause takes the place of a weaker one."""

    SCORE = "score"  # it bounced on too many days; a delivery lifts it
    PROVIDER = "provider"  # it is on the provider's own list, which sends nothing there
    BOUNCE = "bounce"  # nobody has this address
    COMPLAINT = "complaint"
    OPERATOR = "operator"


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Post:
    """A webhook's request as it came in. The names of `headers` are in lower case."""

    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    received_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """What an authentic `Post` holds: its items, each as JSON that can be kept and translated at any time.

    `once` is a word that the provider signs once only; "" where it signs the body itself.
    """

    items: tuple[str, ...]
    once: str = ""


class Fate(StrEnum):
    """What becomes of a returned mail where it lies."""

    TAKEN = "taken"  # it is understood and kept: nobody need look at it again
    LEFT = "left"  # it is from a human, or nobody knows: it stays, marked, for people to see
    ASIDE = "aside"  # it cannot be read, or broke us: it is kept apart, so that it holds up no other
