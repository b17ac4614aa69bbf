"""A newsroom at the moment when a whole crowd is due at once: topics, a day's stories, readers and what they follow.

Made of one seed, straight into the tables, as sign-ups, matching and earlier runs would have left them.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.model import Cadence, Novelty, SubscriberStatus
from worker.store import bulk, sources
from worker.store.database import Database, now
from worker.store.house import MATCH_SEQ, draw
from worker.store.schema import Article, Base, Match, Story, Subscriber, Subscription, Topic, TopicStory

TOPICS: Final = 5_000
STORIES: Final = 3_000
FOLLOWED: Final = 4
DISTINCT: Final = 0.8  # sets of topics a reader: 200,000 among 250,000
LOCALES: Final = ("en", "ko")
_SLICE: Final = 20_000


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """How large it is, and when all of it is due."""

    readers: int
    subscriptions: int
    due_at: datetime


def build(database: Database, *, subscriptions: int, seed: int = 7) -> World:
    """Fill an empty, migrated database."""
    chance = random.Random(seed)
    readers = subscriptions // FOLLOWED
    with database.write() as conn:
        at = now(conn)
        due_at = at - timedelta(seconds=1)
        topics = _topics(conn, at)
        _stories(conn, chance, topics, at)
    weights = list(itertools.accumulate(1 / (rank + 10) for rank in range(len(topics))))
    sets = [_some(chance, topics, weights) for _ in range(max(1, int(readers * DISTINCT)))]
    world = World(readers=readers, subscriptions=readers * FOLLOWED, due_at=due_at)
    for start in range(1, readers + 1, _SLICE):
        some = range(start, min(start + _SLICE, readers + 1))
        with database.write() as conn:
            _readers(conn, some, at)
            _follow(conn, chance, sets, readers=some, world=world)
    with database.write() as conn:
        conn.exec_driver_sql("ANALYZE")
    return world


def make_due(database: Database, *, at: datetime) -> None:
    """Let another day's crowd be due: all of it, at once."""
    with database.write() as conn:
        conn.execute(sa.update(Subscription).values(next_due_at=at))


def add_news(database: Database, *, seed: int) -> None:
    """Add another day's stories."""
    with database.write() as conn:
        topics = list(conn.execute(sa.select(Topic.id).order_by(Topic.id)).scalars())
        _stories(conn, random.Random(seed), topics, now(conn))


def _topics(conn: Connection, at: datetime) -> list[int]:
    rows: Iterator[tuple[Any, ...]] = (
        (f"topic-{n}", {"en": f"Topic {n}", "ko": f"주제 {n}"}, {}, f"topic {n}", f"topic {n}", [], [], at, at)
        for n in range(TOPICS)
    )
    names = ("slug", "name", "description", "query", "canonical", "must_match", "must_not_match")
    bulk.insert(conn, Topic, (*names, "created_at", "updated_at"), rows)
    return list(conn.execute(sa.select(Topic.id).order_by(Topic.id)).scalars())


def _stories(conn: Connection, chance: random.Random, topics: list[int], at: datetime) -> None:
    source = sources.put(conn, kind="file", name="Gazette", outlet="Gazette")
    first = (conn.execute(sa.select(sa.func.max(Story.id))).scalar() or 0) + 1
    stories = range(first, first + STORIES)
    created = at - timedelta(hours=1)
    bulk.insert(conn, Story, ("id", "created_at"), ((story, created) for story in stories))
    told = {
        "id": lambda n: n,
        "source_id": lambda _: source,
        "item_key": lambda n: f"item {n}",
        "story_id": lambda n: n,
        "novelty": lambda _: Novelty.NEW,
        "reason": lambda _: "never seen",
        "title": lambda n: f"Story {n}: envoy summoned over troops",
        "summary": lambda n: f"What story {n} tells in two lines of text, as newspapers do. " * 4,
        "body": lambda _: "",
        "url": lambda n: f"https://gazette.example/{n}",
        "text_hash": lambda n: f"text {n}",
        "outlet": lambda n: f"Outlet {n % 40}",
        "section": lambda n: f"Section {n % 9}",
        "published_at": lambda n: at - timedelta(minutes=n % 1_000),
        "seen_at": lambda _: created,
    }
    _table(conn, Article, told, stories)
    concerned = {story: sorted(chance.sample(topics, chance.randint(1, 4))) for story in stories}
    pairs = [(topic, story) for story in stories for topic in concerned[story]]
    evidence = [{"field": "title", "start": 0, "end": 5, "part": 0, "alias": "Story"}]
    matches = ((story, topic, story, 1, chance.randint(1, 3), evidence, at) for topic, story in pairs)
    columns = ("article_id", "topic_id", "story_id", "revision", "strength", "evidence", "matched_at")
    bulk.insert(conn, Match, columns, matches)
    numbers = draw(conn, MATCH_SEQ, len(pairs))
    numbered = ((topic, story, number, at) for (topic, story), number in zip(pairs, numbers, strict=True))
    bulk.insert(conn, TopicStory, ("topic_id", "story_id", "match_seq", "matched_at"), numbered)


def _readers(conn: Connection, readers: range, at: datetime) -> None:
    rows: Iterator[tuple[Any, ...]] = (
        (n, f"reader.{n}@reader.example", f"hash {n}", LOCALES[n % 2], SubscriberStatus.ACTIVE, {}, at) for n in readers
    )
    bulk.insert(conn, Subscriber, ("id", "email", "address_hash", "locale", "status", "consent", "created_at"), rows)


def _follow(
    conn: Connection, chance: random.Random, sets: list[tuple[int, ...]], *, readers: range, world: World
) -> None:
    def rows() -> Iterator[tuple[Any, ...]]:
        for reader in readers:
            for topic in chance.choice(sets):
                yield reader, topic, Cadence.DAILY, ["07:00"], 0, world.due_at, world.due_at

    columns = ("subscriber_id", "topic_id", "cadence", "times", "cursor", "next_due_at", "created_at")
    bulk.insert(conn, Subscription, columns, rows())


def _some(chance: random.Random, topics: list[int], weights: list[float]) -> tuple[int, ...]:
    found: set[int] = set()
    while len(found) < FOLLOWED:
        found.update(chance.choices(topics, cum_weights=weights, k=FOLLOWED - len(found)))
    return tuple(sorted(found))


def _table(conn: Connection, table: type[Base], columns: dict[str, Any], numbers: range) -> None:
    required: dict[str, Any] = {
        column.name: lambda _: []
        for column in table.__table__.columns
        if column.default is not None and not column.default.is_scalar and column.name not in columns
    }
    whole = columns | required
    bulk.insert(conn, table, list(whole), (tuple(make(n) for make in whole.values()) for n in numbers))
