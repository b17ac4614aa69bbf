"""Decides in which order stories come: by what they say, who else tells them, how new they are, and an editor's word.

Pure: numbers only. Asked by the layout of digests and summaries, by the best of a pause and by newsletters.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from worker.model import Severity, StoryId, TopicId
from worker.planning.cards import is_foreign
from worker.planning.news import News, StoryFacts

_A_STRENGTH: Final = 3.0  # what a point of strength is worth, and so on
_AN_OUTLET_DOUBLED: Final = 2.0
_A_BOOST: Final = 2.0
_A_SEVERITY: Final = 1.5
_HOURS_A_POINT: Final = 8.0
_MOST_LOST_BY_AGE: Final = 6.0
_FOREIGN: Final = 20.0
_SAME_OUTLET: Final = 1.0
_SAME_HOME: Final = 1.0
_SAME_SECTION: Final = 0.5
_SEVERITIES: Final = {severity: index for index, severity in enumerate(Severity)}


def score(facts: StoryFacts, strength: int, *, locale: str, at: datetime) -> float:
    """Return what a story is worth to followers of a topic that it concerns with `strength`; age counts from `at`.

    >>> at = datetime(2026, 11, 23, 7)
    >>> story = StoryFacts(story_id=StoryId(1), created_at=at, published_at=at, outlets=3, boost=1)
    >>> score(story, 3, locale="en", at=at), score(story, 1, locale="en", at=at.replace(hour=15))
    (15.0, 8.0)
    """
    age_hours = max((at - facts.published_at).total_seconds(), 0.0) / 3600
    return (
        _A_STRENGTH * strength
        + _AN_OUTLET_DOUBLED * math.log2(1 + facts.outlets)
        + _A_BOOST * facts.boost
        + _A_SEVERITY * _SEVERITIES[facts.severity]
        - min(age_hours / _HOURS_A_POINT, _MOST_LOST_BY_AGE)
        - (_FOREIGN if is_foreign(facts.lang, locale) else 0.0)
    )


class Ranking:
    """The scores of a run's stories, each worked out once: a run asks for the same ones for each set of topics."""

    def __init__(self, news: News, *, locale: str, at: datetime) -> None:
        self._news, self._locale, self._at = news, locale, at
        self._scores: dict[tuple[StoryId, TopicId], float] = news.scores.setdefault((locale, at), {})

    def score(self, story: StoryId, topic: TopicId) -> float:
        """Return what a story is worth to the followers of a topic."""
        pair = (story, topic)
        found = self._scores.get(pair)
        if found is None:
            facts, strength = self._news.stories[story], self._news.strength(story, topic)
            found = self._scores[pair] = score(facts, strength, locale=self._locale, at=self._at)
        return found

    def best(self, story: StoryId, topics: Collection[TopicId]) -> float:
        """Return what a story is worth to somebody who follows all these topics, at least one of which it concerns."""
        return max(self.score(story, topic) for topic in topics)


def diversify(
    scored: Sequence[tuple[float, StoryFacts]], *, homes: Mapping[StoryId, TopicId] | None = None
) -> tuple[tuple[float, StoryId], ...]:
    """Order stories, the best first, with what each is worth beside its betters: those like them count less.

    A story loses for each better one of the same outlet, of the same section of a newspaper and, where `homes` says so,
    of the same topic. Equal ones: the newer story first. In which order they are handed in makes no difference.
    """
    left: list[tuple[float, StoryId]] = []
    outlets: dict[str, int] = {}
    sections: dict[str, int] = {}
    topics: dict[TopicId, int] = {}
    for worth, facts in sorted(scored, key=lambda one: (-one[0], -one[1].story_id)):
        lost = _SAME_OUTLET * _repeats(outlets, facts.outlet) + _SAME_SECTION * _repeats(sections, facts.section)
        home = homes.get(facts.story_id) if homes else None
        if home is not None:
            lost += _SAME_HOME * _repeats(topics, home)
        left.append((worth - lost, facts.story_id))
    return tuple(sorted(left, key=lambda one: (-one[0], -one[1])))


def _repeats(met: dict[Any, int], key: str | TopicId) -> int:
    """Return how often the key was met before; what is not known (""), is like nothing else."""
    if key == "":
        return 0
    before = met.get(key, 0)
    met[key] = before + 1
    return before
