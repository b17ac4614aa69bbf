"""What is new, as plain values: which stories concern which topics, since when, how strongly, and what ranks them.

Decides nothing. The store reads it once a run; all deciders of planning, and the simulator, look into it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from worker.model import Severity, StoryId, TopicId


class Pair(NamedTuple):
    """A story that concerns a topic, under the number of its match."""

    seq: int
    story_id: StoryId
    matched_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class StoryFacts:
    """What is known of a story without reading it. `outlet`, `source`, `section` and `lang` are its first telling's."""

    story_id: StoryId
    created_at: datetime
    published_at: datetime
    severity: Severity = Severity.NORMAL
    boost: int = 0
    update_no: int = 0
    outlets: int = 1  # that tell it
    outlet: str = ""
    source: str = ""
    section: str = ""
    lang: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class News:
    """Stories, and their pairs with topics: those of a topic ascend by `seq`. What matches no more has no strength.

    A story that is killed, or that nothing tells, is not among them.
    """

    stories: Mapping[StoryId, StoryFacts]
    pairs: Mapping[TopicId, tuple[Pair, ...]]
    strengths: Mapping[tuple[StoryId, TopicId], int]  # 3 in a title, 1 in a body
    # What `rank.Ranking` has worked out, by locale and instant: it goes with the news that it was worked out from.
    scores: dict[tuple[str, datetime], dict[tuple[StoryId, TopicId], float]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    # What `after` has found, by topic and span of its pairs.
    spans: dict[tuple[TopicId, int, int], tuple[StoryId, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def after(self, topic: TopicId, cursor: int, head: int) -> tuple[StoryId, ...]:
        """Return what is new to a follower of the topic: the stories after the cursor, up to the head, each once.

        >>> at = datetime(2026, 11, 23)
        >>> pairs = {TopicId(1): tuple(Pair(seq, StoryId(seq * 10), at) for seq in (3, 5, 8))}
        >>> facts = {StoryId(id): StoryFacts(story_id=StoryId(id), created_at=at, published_at=at) for id in (30, 50)}
        >>> news = News(stories=facts, pairs=pairs, strengths={(StoryId(id), TopicId(1)): 3 for id in (30, 50, 80)})
        >>> news.after(TopicId(1), 2, 5), news.after(TopicId(1), 3, 8)
        ((30, 50), (50,))
        """
        pairs = self.pairs.get(topic, ())
        span = topic, bisect_right(pairs, cursor, key=_seq), bisect_right(pairs, head, key=_seq)
        found = self.spans.get(span)
        if found is None:
            told = (pair.story_id for pair in pairs[span[1] : span[2]] if self.is_told(pair.story_id, topic))
            found = self.spans[span] = tuple(dict.fromkeys(told))
        return found

    def number_at(self, topic: TopicId, at: datetime) -> int:
        """Return the number of the topic's last match that was made by `at`, 0 when there is none.

        Numbers are given in the order of commits, and the times of matches need not follow it exactly.
        """
        return max((pair.seq for pair in self.pairs.get(topic, ()) if pair.matched_at <= at), default=0)

    def strength(self, story: StoryId, topic: TopicId) -> int:
        """Return how strongly a story concerns a topic: 3 in a title, 1 in a body, 0 not any more."""
        return self.strengths.get((story, topic), 0)

    def is_told(self, story: StoryId, topic: TopicId) -> bool:
        """Tell whether there is something to tell a follower of the topic about the story."""
        return story in self.stories and (story, topic) in self.strengths


def _seq(pair: Pair) -> int:
    return pair.seq
