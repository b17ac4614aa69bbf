"""Decides whether one reader is alerted of one story now, and if not, how it comes to them.

Pure. Called by the run of alerts and by the simulator, which decide nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from worker.model import Owing, TopicId
from worker.planning.news import StoryFacts
from worker.planning.rules import ReaderTerms, Rules


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
    alerted: tuple[datetime, ...] = ()  # when they were alerted lately
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


def decide_alert(case: AlertCase, rules: Rules, *, at: datetime) -> AlertVerdict:  # noqa: ARG001  bursts, budgets and quiet hours ask for them
    """Decide one reader's alert: not twice at one update of the story, and not while they are away."""
    if case.seen_update is not None and case.seen_update >= case.facts.update_no:
        return AlertVerdict(act=Act.NONE, reason="seen")
    if not case.reader.awake:
        return AlertVerdict(act=Act.NONE, reason="paused")
    return AlertVerdict(act=Act.SEND, threads=case.seen_update is not None, reason="alert")
