"""Postmark's webhooks: bounces, deliveries, spam complaints, changes of its suppression list.

Not signed: the secret in the address proves them, and Basic authentication where a key is set.
https://postmarkapp.com/developer/webhooks/webhooks-overview and .../api/bounce-api#bounce-types, 2026-11-28.
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
    first_text,
    items_in,
    message_of,
    moment,
    read_json,
    status_in,
    text,
)
from worker.hearsay import EventKind, FeedbackEvent, Opened, Post

_RECORDS: Final = {
    "Delivery": EventKind.DELIVERED,
    "Bounce": EventKind.BOUNCED,
    "SpamComplaint": EventKind.COMPLAINED,
    "Open": EventKind.OPENED,
    "Click": EventKind.CLICKED,
    "Inbound": EventKind.INBOUND,
}
_ABOUT_US: Final = "5.7.1"  # what a server would have said
_BOUNCES: Final[Mapping[str, tuple[EventKind, bool | None, str]]] = {
    # Type: kind, hard, and a status where Postmark's word says more than the server's text
    "HardBounce": (EventKind.BOUNCED, True, ""),
    "SoftBounce": (EventKind.BOUNCED, False, ""),
    "BadEmailAddress": (EventKind.REJECTED, True, ""),
    "ManuallyDeactivated": (EventKind.REJECTED, True, ""),
    "Unconfirmed": (EventKind.REJECTED, None, ""),
    "Blocked": (EventKind.BOUNCED, False, _ABOUT_US),
    "DMARCPolicy": (EventKind.BOUNCED, False, _ABOUT_US),
    "SpamNotification": (EventKind.BOUNCED, False, _ABOUT_US),  # a filter's verdict, not a reader's
    "VirusNotification": (EventKind.BOUNCED, False, _ABOUT_US),
    "SpamComplaint": (EventKind.COMPLAINED, None, ""),
    "Transient": (EventKind.DEFERRED, None, ""),
    "DnsError": (EventKind.DEFERRED, None, ""),
    "OpenRelayTest": (EventKind.UNKNOWN, None, ""),
    "AutoResponder": (EventKind.AUTORESPONDED, None, ""),
    "AddressChange": (EventKind.AUTORESPONDED, None, ""),
    "ChallengeVerification": (EventKind.AUTORESPONDED, None, ""),
    "Unsubscribe": (EventKind.UNSUBSCRIBED, None, ""),
    "Subscribe": (EventKind.SUBSCRIBED, None, ""),
    "SMTPApiError": (EventKind.FAILED, None, ""),
    "TemplateRenderingFailed": (EventKind.FAILED, None, ""),
    "InboundError": (EventKind.INBOUND, None, ""),
}
_LISTED: Final[Mapping[tuple[str, str], tuple[EventKind, bool | None, str]]] = {
    # SuppressionReason, Origin: as above
    ("HardBounce", "Recipient"): (EventKind.REJECTED, True, ""),
    ("SpamComplaint", "Recipient"): (EventKind.COMPLAINED, None, ""),
    ("ManualSuppression", "Recipient"): (EventKind.UNSUBSCRIBED, None, ""),
}


@dataclass(frozen=True, slots=True)
class PostmarkEvents:
    """Reads Postmark's webhooks. Each key is a `user:password`."""

    keys: tuple[str, ...] = field(default=(), repr=False)
    name: str = "postmark"

    def open(self, post: Post) -> Opened:
        """Check the password, if there is one."""
        check_password(post, self.keys)
        return Opened(items=items_in(post.body))

    def read(self, raw: str, *, received_at: datetime) -> Sequence[FeedbackEvent]:
        """Translate one item. A bounce has an id, other records have none."""
        item = read_json(raw)
        record, number = text(item, "RecordType"), text(item, "ID")
        kind, hard, status = _meaning(item, record)
        said = text(item, "Details")
        when = first_text(item, "DeliveredAt", "BouncedAt", "ChangedAt", "ReceivedAt")
        return [
            FeedbackEvent(
                provider=self.name,
                event_id=f"{record} {number}" if number else digest(raw),
                kind=kind,
                occurred_at=moment(when, otherwise=received_at),
                delivery_id=delivery_of(dig(item, "Metadata")),
                message_id=message_of(dig(item, "Metadata")),
                provider_message_id=text(item, "MessageID"),
                recipient=first_text(item, "Email", "Recipient"),
                hard=hard,
                code=code_in(said),
                status=status or status_in(said),
                reason=" ".join(filter(None, (text(item, "Description"), said))),
            )
        ]


def _meaning(item: object, record: str) -> tuple[EventKind, bool | None, str]:
    if record == "SubscriptionChange":
        if dig(item, "SuppressSending") is not True:
            return EventKind.SUBSCRIBED, None, ""
        key = (text(item, "SuppressionReason"), text(item, "Origin"))
        return _LISTED.get(key, (EventKind.REJECTED, True, ""))  # put on the list by hand: it sends nothing there
    kind = _RECORDS.get(record, EventKind.UNKNOWN)
    if kind is EventKind.BOUNCED:
        return _BOUNCES.get(text(item, "Type"), (EventKind.UNKNOWN, None, ""))
    return kind, None, ""
