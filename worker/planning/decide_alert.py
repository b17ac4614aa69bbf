"""Decides whether one reader is alerted of one story now, and if not, how it comes to them.

Pure. Called by the run of alerts and by the simulator: nothing else decides it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from worker.model import EVERY_UPDATE, Owing, Severity, TopicId
from worker.planning.news import StoryFacts
from worker.planning.owing import owed_due
from worker.planning.quiet import quiet_at
from worker.planning.rules import ReaderTerms, Rules
from worker.planning.times import is_stale, local_day, stamp


class Act(StrEnum):
    """What becomes of an alert for one reader."""

    SEND = "send"
    ROLL = "roll"  # it waits for the burst's summary
    OWE = "owe"  # it comes later
    NONE = "none"


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertCase:
    """One reader and one story. `topics` are those of theirs that it concerns, `bursting` those of them that burst."""

    reader: ReaderTerms
    topics: tuple[TopicId, ...]
    bursting: frozenset[TopicId] = frozenset()
    seen_update: int | None = None  # the latest update of the story that they have been shown
    alerted: tuple[datetime, ...] = ()  # when they were alerted lately, summaries counted as one
    digests_due: tuple[datetime, ...] = ()  # the next instants of their digests, of any topics
    facts: StoryFacts
    due_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertVerdict:
    """What becomes of it. `owing` and `owed_due_at` go with `Act.OWE`; `threads`: it answers the mail seen before."""

    act: Act
    owing: Owing | None = None
    owed_due_at: datetime | None = None
    threads: bool = False
    reason: str


def decide_alert(case: AlertCase, rules: Rules, *, at: datetime) -> AlertVerdict:
    """Decide one reader's alert. Whatever is not sent now and was not seen is owed, summed up, or has a reason.

    Of one update of a story a reader is alerted once. What they miss while they are away, the mail after it tells.
    """
    reader, facts = case.reader, case.facts
    if case.seen_update is not None and case.seen_update >= facts.update_no:
        return AlertVerdict(act=Act.NONE, reason="muted" if case.seen_update == EVERY_UPDATE else "seen")
    late = is_stale(case.due_at, at, rules.alert_expires)
    if not reader.awake and not (late and was_due_before_pause(reader, case.due_at)):
        return AlertVerdict(act=Act.NONE, reason="paused")
    if late:
        return _owe(case, Owing.LATE, rules, at=at, reason=f"too old: due at {stamp(case.due_at)}")
    if is_past_age_gate(facts, rules, due_at=case.due_at):
        return AlertVerdict(act=Act.NONE, reason=f"too old: published {stamp(facts.published_at)}")
    threads = case.seen_update is not None
    if facts.severity is Severity.BREAKING:
        return AlertVerdict(act=Act.SEND, threads=threads, reason="breaking")
    span = quiet_at(reader, at)
    if span is not None:
        return _owe(case, Owing.QUIET, rules, at=at, reason=f"quiet hours until {stamp(span.end)}")
    if case.topics and case.bursting.issuperset(case.topics):
        return AlertVerdict(act=Act.ROLL, reason="burst")
    if (budget := spent_budget(reader, case.alerted, rules, at=at)) is not None:
        return _owe(case, Owing.BUDGET, rules, at=at, reason=f"budget of {budget} spent")
    return AlertVerdict(act=Act.SEND, threads=threads, reason="update" if threads else "alert")


def was_due_before_pause(reader: ReaderTerms, due_at: datetime) -> bool:
    """Tell whether a pause has nothing to do with what a reader misses: the house was down when it was due."""
    return reader.paused_at is not None and due_at < reader.paused_at


def is_past_age_gate(facts: StoryFacts, rules: Rules, *, due_at: datetime) -> bool:
    """Tell whether a story was too old for an alert when its gathering began, by publication or by first sight.

    An update that an editor marked is new by that word.
    """
    began = due_at - rules.gather
    first = min(facts.published_at, facts.created_at)
    return facts.update_no == 0 and began - first > rules.age_limit


def spent_budget(reader: ReaderTerms, alerted: Collection[datetime], rules: Rules, *, at: datetime) -> int | None:
    """Return the reader's daily budget when it is spent, None when there is something left of it, or no limit.

    The day is the reader's own, from midnight to midnight by their clock.
    """
    budget = rules.budget if reader.budget is None else reader.budget
    if budget == 0:
        return None
    today = local_day(at, reader.timezone)
    return budget if sum(local_day(one, reader.timezone) == today for one in alerted) >= budget else None


def _owe(case: AlertCase, owing: Owing, rules: Rules, *, at: datetime, reason: str) -> AlertVerdict:
    due_at = owed_due(case.reader, case.digests_due, rules, at=at)
    return AlertVerdict(act=Act.OWE, owing=owing, owed_due_at=due_at, reason=reason)
