"""Decides when a topic has more news than alerts are good for, and when the summaries come that take their place.

Pure. Called by the run of alerts, by that of summaries, and by the simulator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from worker.model import Severity
from worker.planning.news import StoryFacts
from worker.planning.rules import Rules
from worker.planning.times import is_stale

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Burst:
    """A topic's burst: since when, and when its next summary is due."""

    opened_at: datetime
    summary_due_at: datetime


def step(burst: Burst | None, alerted: Sequence[datetime], rules: Rules, *, at: datetime) -> Burst | None:
    """Return the topic's burst as it is from `at` on, None when there is none, or none any more.

    `alerted` are the times at which the topic's latest stories were alerted or put off to a summary, in any order, with
    the one at hand. More than `burst_count` of them within `burst_window` open a burst. It goes on to the next summary
    as long as the last one had something to sum up.
    """
    if burst is None:
        lately = sum(at - rules.burst_window < one <= at for one in alerted)
        return Burst(opened_at=at, summary_due_at=next_summary(rules, after=at)) if lately > rules.burst_count else None
    if at < burst.summary_due_at:
        return burst
    since = max(burst.opened_at, burst.summary_due_at - rules.rolling)
    if any(since <= one <= at for one in alerted):
        return replace(burst, summary_due_at=next_summary(rules, after=at))
    return None


def may_wait(facts: StoryFacts, rules: Rules, *, due_at: datetime, at: datetime) -> bool:
    """Tell whether a story may be put off to a summary: neither breaking, nor an update, nor late for an alert already.

    What is late is owed: it comes with the next digest.
    """
    is_urgent = facts.severity is Severity.BREAKING or facts.update_no > 0
    return not is_urgent and not is_stale(due_at, at, rules.alert_expires)


def next_summary(rules: Rules, *, after: datetime) -> datetime:
    """Return the next instant of the grid on which all summaries fall, so that two bursts make one mail a reader.

    >>> from datetime import timedelta
    >>> rules = Rules(alert_expires=timedelta(hours=6), digest_expires=timedelta(hours=12))
    >>> next_summary(rules, after=datetime(2026, 11, 23, 7, 30, tzinfo=UTC)).isoformat()
    '2026-11-23T08:00:00+00:00'
    """
    return _EPOCH + ((after - _EPOCH) // rules.rolling + 1) * rules.rolling
