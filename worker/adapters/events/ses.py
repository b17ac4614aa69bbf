"""Amazon SES by SNS: signed notifications, of bounces and complaints or of published events; both shapes are read.

SNS signs with a certificate that it names itself, and anybody can have a topic: so the certificate must lie with
Amazon, and the topic must be one of ours. Subscribing is confirmed by itself.
https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html and
https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html, 2026-11-28.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from worker.adapters.events.reading import (
    code_in,
    delivery_of,
    dig,
    digest,
    message_of,
    moment,
    read_json,
    status_in,
    text,
    written,
)
from worker.adapters.events.sns import Fetch, check_signature, confirm, fetch_from_amazon
from worker.errors import ConfigurationError, InputError, UnprovenError
from worker.hearsay import EventKind, FeedbackEvent, Opened, Post

log = logging.getLogger(__name__)

_KINDS: Final = {
    "Send": EventKind.SENT,
    "Delivery": EventKind.DELIVERED,
    "DeliveryDelay": EventKind.DEFERRED,
    "Bounce": EventKind.BOUNCED,
    "Complaint": EventKind.COMPLAINED,
    "Reject": EventKind.REJECTED,
    "Rendering Failure": EventKind.FAILED,
    "Open": EventKind.OPENED,
    "Click": EventKind.CLICKED,
    "Received": EventKind.INBOUND,
}
_HARD: Final = {"Permanent": True, "Transient": False, "Undetermined": False}
_LISTED: Final = frozenset({"Suppressed", "OnAccountSuppressionList"})
_NO_COMPLAINT: Final = frozenset({"not-spam", "auth-failure"})
_PARTS: Final[Mapping[str, tuple[str, str]]] = {
    # the object that tells more, and where in it the recipients are
    "Bounce": ("bounce", "bouncedRecipients"),
    "Complaint": ("complaint", "complainedRecipients"),
    "Delivery": ("delivery", "recipients"),
    "DeliveryDelay": ("deliveryDelay", "delayedRecipients"),
    "Reject": ("reject", ""),
    "Rendering Failure": ("failure", ""),
}
"""Further ones, such as Send, tell of all to whom the message went."""


@dataclass(frozen=True, slots=True)
class SesEvents:
    """Reads SES's events out of SNS. Each key is the ARN of a topic; `fetch` gets what Amazon has at an address."""

    keys: tuple[str, ...] = ()
    fetch: Fetch = fetch_from_amazon
    name: str = "ses"

    def __post_init__(self) -> None:
        for key in self.keys:
            if key.split(":")[:1] != ["arn"] or key.count(":") != 5:
                raise ConfigurationError("the key must be the ARN of a topic: arn:aws:sns:REGION:ACCOUNT:NAME")

    def open(self, post: Post) -> Opened:
        """Check topic and signature; confirm a subscription that is new."""
        envelope = read_json(post.body)
        if text(envelope, "TopicArn") not in self.keys:
            raise UnprovenError(f"the topic {text(envelope, 'TopicArn')[:200]!r} is not in TOCSIN_WEBHOOK_KEYS")
        check_signature(envelope, post, self.fetch)
        kind = text(envelope, "Type")
        if kind == "SubscriptionConfirmation":
            confirm(envelope, self.fetch)
            log.info("the subscription to %s is confirmed", text(envelope, "TopicArn"))
        if kind != "Notification":
            return Opened(items=())
        told = _told(envelope)
        kept = {"MessageId": text(envelope, "MessageId"), "Timestamp": text(envelope, "Timestamp"), "Message": told}
        return Opened(items=(written(kept),) if told is not None else ())

    def read(self, raw: str, *, received_at: datetime) -> Sequence[FeedbackEvent]:
        """Translate one notification, which may name several recipients."""
        item = read_json(raw)
        message = dig(item, "Message")
        word = text(message, "eventType") or text(message, "notificationType")
        name, where = _PARTS.get(word, ("", ""))
        part, mail = dig(message, name), dig(message, "mail")
        event = FeedbackEvent(
            provider=self.name,
            event_id=text(item, "MessageId"),
            kind=_kind(word, part, message),
            occurred_at=moment(dig(part, "timestamp") or dig(item, "Timestamp"), otherwise=received_at),
            delivery_id=delivery_of(_tags(mail)),
            message_id=message_of(_tags(mail)) or _header(mail, "Message-ID").strip("<>"),
            provider_message_id=text(mail, "messageId"),
            hard=_hard(part),
        )
        recipients = dig(part, where) or dig(mail, "destination")
        events = list(_for_each(event, part, recipients if isinstance(recipients, list) else []))
        return events or [event]


def _kind(word: str, part: object, message: object) -> EventKind:
    if word == "Subscription":
        has_left = dig(message, "subscription", "newTopicPreferences", "unsubscribeAll") is True
        return EventKind.UNSUBSCRIBED if has_left else EventKind.UNKNOWN
    if text(part, "bounceSubType") in _LISTED or text(part, "complaintSubType") in _LISTED:
        return EventKind.REJECTED
    if word == "Complaint" and text(part, "complaintFeedbackType") in _NO_COMPLAINT:
        return EventKind.UNKNOWN
    return _KINDS.get(word, EventKind.UNKNOWN)


def _hard(part: object) -> bool | None:
    if text(part, "complaintSubType") in _LISTED:
        return True
    return _HARD.get(text(part, "bounceType"))


def _for_each(event: FeedbackEvent, part: object, recipients: Sequence[object]) -> Iterator[FeedbackEvent]:
    """Give each recipient an event; where there are several, an id of its own too."""
    for recipient in recipients:
        address = text(recipient, "emailAddress") or text({"address": recipient}, "address")
        words = (text(recipient, "diagnosticCode"), text(part, "smtpResponse"), text(part, "reason"))
        said = " ".join(filter(None, (*words, text(part, "errorMessage"))))
        yield replace(
            event,
            event_id=event.event_id if len(recipients) == 1 else f"{event.event_id} {digest(address)}",
            recipient=address,
            code=code_in(said),
            status=text(recipient, "status") or status_in(said),
            reason=" ".join(filter(None, (text(part, "bounceSubType"), said))),
        )


def _told(envelope: object) -> object:
    """Return what SES says; None for a topic's own first words, which are no JSON."""
    try:
        found = read_json(text_of_message(envelope))
    except InputError:
        return None
    return found if isinstance(found, Mapping) else None


def text_of_message(envelope: object) -> str:
    """Return the notification's text, however long it is."""
    found = dig(envelope, "Message")
    return found if isinstance(found, str) else ""


def _tags(mail: object) -> Mapping[str, object]:
    """Return the message's tags, each of which is a list, as single words."""
    tags = dig(mail, "tags")
    found = tags.items() if isinstance(tags, Mapping) else ()
    return {name: values[0] for name, values in found if isinstance(values, list) and values}


def _header(mail: object, name: str) -> str:
    headers = dig(mail, "headers")
    for header in headers if isinstance(headers, list) else ():
        if text(header, "name").lower() == name.lower():
            return text(header, "value")
    return ""
