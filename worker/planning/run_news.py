"""Reads what is new for a run, once for all its readers; again when an editor changed it, or a reader reaches back.

Decides nothing. Called by the runs that make digests; `version` tells them when what they remember has gone stale.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable
from datetime import datetime

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


def _news(conn: Connection, found: Iterable[NumberedPair], owed: Collection[StoryId]) -> News:
    pairs: dict[TopicId, list[Pair]] = {}
    for topic, seq, story, matched_at in found:
        pairs.setdefault(topic, []).append(Pair(seq, story, matched_at))
    stories = {pair.story_id for numbered in pairs.values() for pair in numbered} | set(owed)
    told = itertools.groupby(reading.told(conn, stories), key=lambda one: one.story_id)
    return News(
        stories={story: _facts(story, list(tellings)) for story, tellings in told},
        pairs={topic: tuple(numbered) for topic, numbered in pairs.items()},
        strengths=reading.strengths(conn, stories),
    )


def _facts(story: StoryId, tellings: list[Told]) -> StoryFacts:
    first = tellings[0]
    return StoryFacts(
        story_id=story,
        created_at=first.created_at,
        published_at=first.published_at,
        severity=first.severity,
        boost=first.boost,
        update_no=first.update_no,
        outlets=len({one.outlet for one in tellings}),
        outlet=first.outlet,
        source=first.source,
        section=first.section,
        lang=first.lang,
    )
