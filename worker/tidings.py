"""What the newspaper's own programs are told of its readers and sources, and the words for how the telling goes.

Signup, feedback and intake say what has happened, the store keeps it until it is told, the notifying room tells it.
Shapes only: docs/webhooks-out.md describes them for whoever receives them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final


class Tiding(StrEnum):
    """What has happened to a reader, or to a source. The values are the `type` of Standard Webhooks."""

    SUBSCRIBED = "subscriber.subscribed"  # somebody asked for mail to this address; nobody has said yes yet
    CONFIRMED = "subscriber.confirmed"
    PREFERENCES_CHANGED = "subscriber.preferences_changed"
    UNSUBSCRIBED = "subscriber.unsubscribed"
    BOUNCED = "subscriber.bounced"
    COMPLAINED = "subscriber.complained"
    ERASED = "subscriber.erased"
    SOURCE_FAILING = "source.failing"  # it cannot be read, or is gone
    SOURCE_SILENT = "source.silent"
    SOURCE_RECOVERED = "source.recovered"


TEST: Final = "webhook.test"
"""The type of a message that only tries an endpoint."""


class MessageState(StrEnum):
    """How far a message has come."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"  # given up; `tocsin webhooks retry` begins anew


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """A message as it goes to an endpoint. `attempts` counts the tries made."""

    id: int
    message_id: str
    type: str
    subscriber_id: int
    occurred_at: datetime
    data: Mapping[str, Any] = field(repr=False)
    attempts: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What an endpoint answered: a status, or none and why. `retry_after_s` is its own wish, where it named one."""

    code: int | None
    error: str = ""
    retry_after_s: float | None = None


def told_name(word: str) -> Tiding | None:
    """Read a type as people write it, with or without "subscriber." or "source."; None for what is no type.

    >>> told_name("confirmed") is told_name("subscriber.confirmed") is Tiding.CONFIRMED, told_name("born")
    (True, None)
    """
    return next((one for one in Tiding if word in {one, one.partition(".")[2]}), None)
