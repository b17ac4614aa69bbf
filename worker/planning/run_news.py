"""Reads what is new for a run, once for all its readers; again when an editor changed it, or a reader reaches back.

Decides nothing. Called by the runs that make digests; `version` tells them when what they remember has gone stale.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from worker.model import StoryId, TopicId
from worker.planning.news import News, Pair, StoryFacts
from worker.store import news as reading
from worker.store.house import NEWS_GENERATION, reached
from worker.store.news import NumberedPair, Told
from worker.store.seen import SEEN_FOR


class Newsstand:
    """The news of one run, up to its head. `version` rises whenever other news take the place of those known before."""

    def __init__(self, head: int) -> None:
        self.head = head
        self.version = 0
        self.own: frozenset[TopicId] = frozenset()
        self._news = News(stories={}, pairs={}, strengths={})
        self._after: int | None = None
        self._generation = 0
        self._owed: frozenset[StoryId] = frozenset()

    def news(self, conn: Connection, *, after: int, owed: Collection[StoryId], at: datetime) -> News:
        """Return the news after a number, and all that is known of the stories owed. Asked in the readers' turn."""
        generation = reached(conn, NEWS_GENERATION)
        known = self._after is not None and after >= self._after and generation == self._generation
        if known and self._owed.issuperset(owed):
            return self._news
        # The first readers tell how far back most of a run reaches; whoever reaches further needs everything.
        self._after = after if self._after is None else (self._after if after >= self._after else 0)
        self._owed, self._generation = self._owed.union(owed), generation
        found = reading.pairs(conn, after=self._after, head=self.head, since=at - SEEN_FOR)
        self._news = _news(conn, found, self._owed)
        self.own = reading.own_topics(conn, {topic for _, topic in self._news.strengths})
        self.version += 1
        return self._news


def by_topic(found: Iterable[tuple[Any, ...]]) -> dict[TopicId, tuple[Pair, ...]]:
    """Group pairs, whose rows begin with topic, number, story and when it matched."""
    pairs: dict[TopicId, list[Pair]] = {}
    for topic, seq, story, matched_at, *_ in found:
        pairs.setdefault(topic, []).append(Pair(seq, story, matched_at))
    return {topic: tuple(numbered) for topic, numbered in pairs.items()}


def sum_up(told: Iterable[Told]) -> dict[StoryId, StoryFacts]:
    """Return what ranks stories, whose tellings come one story after another: the first one speaks for it."""
    return {story: _facts(list(tellings)) for story, tellings in itertools.groupby(told, key=lambda one: one.story_id)}


def _news(conn: Connection, found: Iterable[NumberedPair], owed: Collection[StoryId]) -> News:
    pairs = by_topic(found)
    stories = {pair.story_id for numbered in pairs.values() for pair in numbered} | set(owed)
    return News(stories=sum_up(reading.told(conn, stories)), pairs=pairs, strengths=reading.strengths(conn, stories))


def _facts(tellings: Sequence[Told]) -> StoryFacts:
    first = tellings[0]
    return StoryFacts(**{**first._asdict(), "outlets": len({one.outlet for one in tellings})})
