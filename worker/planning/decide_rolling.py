"""Decides what one reader's summary of bursts is: a mail and its layout, or how its stories come to them otherwise.

Pure. Called by the run of summaries and by the simulator: nothing else decides it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from worker.model import Owing, StoryId, TopicId
from worker.planning.decide_alert import spent_budget, was_due_before_pause
from worker.planning.lay_out import Layout, lay_out, topics_told
from worker.planning.news import News
from worker.planning.owing import owed_due
from worker.planning.quiet import quiet_at
from worker.planning.rules import ReaderTerms, Rules
from worker.planning.times import is_stale, stamp


@dataclass(frozen=True, kw_only=True, slots=True)
class RollingCase:
    """One reader, and what waits for the summary of each topic that they follow immediately, by number.

    `seen` has what they have been shown (at which update), `owed` what comes to them in another way already.
    """

    reader: ReaderTerms
    rolled: Mapping[TopicId, Sequence[StoryId]]
    seen: Mapping[StoryId, int] = field(default_factory=dict)
    owed: frozenset[StoryId] = frozenset()
    alerted: tuple[datetime, ...] = ()
    digests_due: tuple[datetime, ...] = ()
    due_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class RollingVerdict:
    """What becomes of it: a mail (`layout`), or `owing` all its `stories` from `owed_due_at` on, or neither."""

    layout: Layout | None = None
    stories: tuple[StoryId, ...] = ()
    owing: Owing | None = None
    owed_due_at: datetime | None = None
    reason: str

    @property
    def send(self) -> bool:
        """Whether a mail goes."""
        return self.layout is not None


def decide_rolling(case: RollingCase, news: News, rules: Rules, *, at: datetime) -> RollingVerdict:
    """Decide one reader's summary: by the same rules as an alert, and it counts as one against the budget."""
    reader = case.reader
    late = is_stale(case.due_at, at, rules.alert_expires)
    if not reader.awake and not (late and was_due_before_pause(reader, case.due_at)):
        return RollingVerdict(reason="paused")
    fresh = {
        topic: [story for story in stories if _is_new(case, story, news)] for topic, stories in case.rolled.items()
    }
    stories = tuple(sorted(topics_told(fresh, news)))
    if not stories:
        return RollingVerdict(reason="nothing new")
    if late:
        return _owe(case, stories, Owing.LATE, rules, at=at, reason=f"too old: due at {stamp(case.due_at)}")
    span = quiet_at(reader, at)
    if span is not None:
        return _owe(case, stories, Owing.QUIET, rules, at=at, reason=f"quiet hours until {stamp(span.end)}")
    if (budget := spent_budget(reader, case.alerted, rules, at=at)) is not None:
        return _owe(case, stories, Owing.BUDGET, rules, at=at, reason=f"budget of {budget} spent")
    layout = lay_out(
        fresh,
        news,
        locale=reader.locale,
        at=case.due_at,
        section_cap=rules.section_cap,
        mail_cap=rules.mail_cap,
    )
    count = len(layout.stories)
    return RollingVerdict(
        layout=layout, stories=layout.stories, reason=f"{count} {'story' if count == 1 else 'stories'}"
    )


def _is_new(case: RollingCase, story: StoryId, news: News) -> bool:
    if story not in news.stories or story in case.owed:
        return False
    return case.seen.get(story, -1) < news.stories[story].update_no


def _owe(
    case: RollingCase, stories: tuple[StoryId, ...], owing: Owing, rules: Rules, *, at: datetime, reason: str
) -> RollingVerdict:
    due_at = owed_due(case.reader, case.digests_due, rules, at=at)
    return RollingVerdict(stories=stories, owing=owing, owed_due_at=due_at, reason=reason)
