"""Decides what one event leads to: a step of its delivery, a suppression, the end of subscriptions, a score, an alarm.

Pure. Whatever the order in which events come, and however often, they end in the same: a stronger word (lifecycle.py)
or cause (`Cause`) stands above a weaker one, and a score is counted anew from all events. `run` acts on it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from worker.hearsay import Cause, EventKind, FeedbackEvent
from worker.lifecycle import PRE_COMMIT, Happening, State, sources_of


class Severity(StrEnum):
    """How bad a bounce is."""

    FATAL = "fatal"  # there is no such mailbox: it is never tried again
    HARD = "hard"  # refused for good, who knows why
    SOFT = "soft"  # a full mailbox, a server that was away for days
    POLICY = "policy"  # about us, not about the reader


MAIL: Final = "mail"
"""The provider of events that have come as mail."""

_FATAL_STATUS: Final = frozenset({"5.1.1", "5.1.10", "5.2.1"})
_SOFT_STATUS: Final = re.compile(r"4\.|5\.2\.2$")  # a full mailbox can be emptied, whatever the class of its code
_POLICY_STATUS: Final = re.compile(r"[45]\.7\.")

_STEPS: Final = {
    # Who tells us of these has the message, and so it need not be sent again.
    EventKind.QUEUED: Happening.ACCEPTED,
    EventKind.SENT: Happening.ACCEPTED,
    EventKind.DEFERRED: Happening.ACCEPTED,
    EventKind.DELIVERED: Happening.DELIVERED,
    EventKind.BOUNCED: Happening.BOUNCED,
    EventKind.COMPLAINED: Happening.COMPLAINED,
    # Taken on, and given up afterwards: the books count that as they count a bounce.
    EventKind.REJECTED: Happening.BOUNCED,
    EventKind.FAILED: Happening.BOUNCED,
}
_GIVEN_UP: Final = frozenset({EventKind.REJECTED, EventKind.FAILED})


@dataclass(frozen=True, kw_only=True, slots=True)
class Effects:
    """What an event leads to. `sources` are the states in which a delivery makes the step."""

    happening: Happening | None = None
    sources: frozenset[State] = frozenset()
    cause: Cause | None = None
    severity: Severity | None = None
    unsubscribes: bool = False


def decide(event: FeedbackEvent, *, names_delivery: bool = True) -> Effects:
    """Return what an event leads to; nothing for what is only worth keeping.

    A provider that would not even try says nothing about a delivery that is due to go out (again): another provider may
    have it next. Only what has left us is given up by its word.

    A webhook is proved, a mail is not: anybody can write that somebody's address is dead, or that they complain. Where
    it does not name one of our deliveries, by the return path that we have signed or by Message-ID, it only scores.

    >>> from datetime import UTC, datetime
    >>> at = datetime(2026, 11, 23, tzinfo=UTC)
    >>> gone = FeedbackEvent(provider="ses", event_id="1", kind=EventKind.BOUNCED, occurred_at=at, status="5.1.1")
    >>> decide(gone).cause
    <Cause.BOUNCE: 'bounce'>
    """
    happening = _STEPS.get(event.kind)
    sources = sources_of(happening) if happening else frozenset()
    severity = severity_of(event)
    if event.provider == MAIL and not names_delivery:
        return Effects(severity=Severity.HARD if severity is Severity.FATAL else severity)
    return Effects(
        happening=happening,
        sources=sources - PRE_COMMIT if event.kind in _GIVEN_UP else sources,
        cause=_cause(event, severity),
        severity=severity,
        unsubscribes=event.kind is EventKind.UNSUBSCRIBED,
    )


def severity_of(event: FeedbackEvent) -> Severity | None:
    """Return how bad a bounce is, None for what is no bounce. A status code stands above the provider's own word.

    >>> from datetime import UTC, datetime
    >>> def bounce(status, hard=None):
    ...     at = datetime(2026, 11, 23, tzinfo=UTC)
    ...     kind = EventKind.BOUNCED
    ...     return FeedbackEvent(provider="", event_id="", kind=kind, occurred_at=at, status=status, hard=hard)
    >>> [str(severity_of(bounce(*said))) for said in (("5.7.515", True), ("5.2.2", True), ("", True), ("5.3.0",))]
    ['policy', 'soft', 'fatal', 'hard']
    """
    if event.kind is not EventKind.BOUNCED:
        return None
    if _POLICY_STATUS.match(event.status):
        return Severity.POLICY
    if _SOFT_STATUS.match(event.status):
        return Severity.SOFT
    if event.status in _FATAL_STATUS or event.hard:
        return Severity.FATAL
    if event.hard is None and event.status.startswith("5."):
        return Severity.HARD
    return Severity.SOFT


def _cause(event: FeedbackEvent, severity: Severity | None) -> Cause | None:
    if event.kind is EventKind.COMPLAINED:
        return Cause.COMPLAINT
    if severity is Severity.FATAL:
        return Cause.BOUNCE
    if event.kind is EventKind.REJECTED and event.hard and not _POLICY_STATUS.match(event.status):
        return Cause.PROVIDER
    return None
