"""Decides what a reader is told of a pause that is over: the best of what they missed, and what is left out for ever.

Pure. Called by the digest's decider, by the run that looks after readers without digests, and by the simulator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from worker.model import StoryId, TopicId
from worker.planning.news import News
from worker.planning.rank import Ranking
from worker.planning.rules import Rules


@dataclass(frozen=True, kw_only=True, slots=True)
class Missed:
    """The best stories of a pause, the best first, and all others."""

    best: tuple[StoryId, ...]
    omitted: tuple[StoryId, ...]


def missed_since(paused_at: datetime, rules: Rules) -> datetime:
    """Return since when a pause may have kept alerts from its reader: some were gathering when it began, or waited.

    What they were sent before the pause, they have seen.
    """
    return paused_at - rules.gather - max(rules.rolling, rules.alert_expires)


def best_of(told: Mapping[StoryId, Sequence[TopicId]], news: News, *, locale: str, at: datetime, cap: int) -> Missed:
    """Choose the best over all topics: `told` has the stories that the reader has not seen, with topics of theirs."""
    ranking = Ranking(news, locale=locale, at=at)
    ranked = sorted(told, key=lambda story: (-ranking.best(story, told[story]), -story))
    return Missed(best=tuple(ranked[:cap]), omitted=tuple(sorted(ranked[cap:])))
