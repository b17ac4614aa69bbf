"""Engines follow the stored topics by generation: whatever comes, changes and goes, they equal one that is built anew.

Two followers of one database fall behind and catch up at moments of hypothesis's choosing, while shared topics come,
change, name each other, are refused and mended, and readers' own queries are followed and left.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests import builders
from tests.conftest import POSTGRESQL_SLOWLY
from tests.databases import opened
from tests.thorough import often
from worker.errors import QueryError
from worker.matching import run_snapshots
from worker.matching.analyser import ArticleText, analyse
from worker.matching.engine import Engine
from worker.matching.query import Node, canonical, parse
from worker.matching.references import resolve
from worker.matching.run_following import Follower
from worker.matching.run_snapshots import Snapshots
from worker.model import SubscriberId
from worker.store import people, standing, topics
from worker.store.database import Database
from worker.store.schema import Base, Topic
from worker.store.topics import NewTopic

WORDS: Final = ("harbour", "ferry", "treaty", "ballot")
ARTICLES: Final = [
    analyse(ArticleText(title=" ".join(words)))
    for count in range(len(WORDS) + 1)
    for words in itertools.combinations(WORDS, count)
]
SLUGS: Final = ("port", "ships", "talks")
SHARED: Final = (
    *WORDS[:2],
    "harbour ferry",
    "treaty -ballot",
    "@port ferry",
    "@ships | treaty",
    "@talks",
    "((",
    "@gone",
)
OWN: Final = ("ballot", "harbour -ferry", "@port ballot", "@ships -@talks", "@talks | ferry")
READERS: Final = range(3)


def put(database: Database, slug: str, query: str) -> None:
    """Store a shared topic as it is, also one that no import would take."""
    with database.write() as conn:
        topics.put_topic(conn, NewTopic(slug=slug, name={"en": slug}, query=query, canonical=query))


def take_up(database: Database, reader: SubscriberId, query: str) -> None:
    with database.write() as conn:
        topic_id = standing.intern_query(conn, query=query, canonical=canonical(parse(query)))
        builders.follow(conn, reader, topic_id, query=query)


def leave(database: Database, reader: SubscriberId, query: str) -> None:
    with database.write() as conn:
        following = [one.id for one in people.followings(conn, reader) if one.query == query]
        assert people.unfollow(conn, reader, following) == len(following)


def built_anew(database: Database) -> tuple[Engine, set[int]]:
    """Return an engine of all that is asked, put together without any of the code under test, and what is refused."""
    with database.read() as conn:
        rows = conn.execute(sa.select(Topic.id, Topic.slug, Topic.query).where(~Topic.dormant)).all()
    trees: dict[int, Node] = {}
    refused: set[int] = set()
    for row in rows:
        try:
            trees[row.id] = parse(row.query)
        except QueryError:
            refused.add(row.id)
    shared = {row.slug: trees[row.id] for row in rows if row.slug and row.id in trees}
    asked: dict[int, Node] = {}
    for topic_id, tree in trees.items():
        try:
            asked[topic_id] = resolve(tree, shared)
        except QueryError:
            refused.add(topic_id)
    return Engine.build(asked), refused


def assert_equals_one_built_anew(follower: Follower, database: Database) -> None:
    engine, (anew, refused) = follower.engine(), built_anew(database)
    assert len(engine) == len(anew)
    for article in ARTICLES:
        assert engine.match(article) == anew.match(article)
    with database.read() as conn:
        off = set(conn.execute(sa.select(Topic.id).where(Topic.disabled_reason != "", ~Topic.dormant)).scalars())
    assert off == refused


class TwoFollowers(RuleBasedStateMachine):
    """One database, two processes' engines, and everything that can happen to topics."""

    database: Database
    folder: Path

    def __init__(self) -> None:
        super().__init__()
        self.snapshots: list[Snapshots] = []
        with self.database.write() as conn:
            for table in reversed(Base.metadata.sorted_tables):
                conn.execute(sa.delete(table))
            self.readers = [builders.reader(conn, f"reader{number}") for number in READERS]
        self.followers = [self.fresh(), self.fresh()]

    def fresh(self) -> Follower:
        self.snapshots.append(Snapshots(self.database, self.folder))
        return Follower(self.database, self.snapshots[-1])

    @initialize()
    def there_is_something(self) -> None:
        for slug, query in zip(SLUGS, ("harbour", "@port ferry", "treaty"), strict=True):
            put(self.database, slug, query)
        for reader, query in zip(self.readers, OWN, strict=False):
            take_up(self.database, reader, query)

    @rule(slug=st.sampled_from(SLUGS), query=st.sampled_from(SHARED))
    def a_shared_topic_comes_or_changes(self, slug: str, query: str) -> None:
        put(self.database, slug, query)

    @rule(slug=st.sampled_from(SLUGS))
    def a_shared_topic_that_nobody_names_is_taken_away(self, slug: str) -> None:
        with self.database.write() as conn:
            row = topics.topic_by_slug(conn, slug)
            named = sa.select(Topic.id).where(Topic.query.contains(f"@{slug}"), ~Topic.dormant)
            if row is not None and conn.execute(named).first() is None:
                topics.take_away(conn, row.id)

    @rule(reader=st.sampled_from(READERS), query=st.sampled_from(OWN))
    def a_reader_follows_a_query_of_their_own(self, reader: int, query: str) -> None:
        take_up(self.database, self.readers[reader], query)

    @rule(reader=st.sampled_from(READERS), query=st.sampled_from(OWN))
    def a_reader_leaves_one(self, reader: int, query: str) -> None:
        leave(self.database, self.readers[reader], query)

    @rule(reader=st.sampled_from(READERS))
    def a_reader_leaves_all(self, reader: int) -> None:
        with self.database.write() as conn:
            people.unfollow(conn, self.readers[reader])

    @rule(which=st.sampled_from((0, 1)))
    def one_catches_up(self, which: int) -> None:
        assert_equals_one_built_anew(self.followers[which], self.database)

    @rule()
    def one_is_started_again(self) -> None:
        self.followers[0] = self.fresh()

    def teardown(self) -> None:
        for follower in (*self.followers, self.fresh()):
            assert_equals_one_built_anew(follower, self.database)
        for snapshots in self.snapshots:
            snapshots.wait()


@pytest.mark.thorough
@pytest.mark.parametrize("database_url", POSTGRESQL_SLOWLY, indirect=True)
def test_whatever_happens_to_topics_two_followers_equal_an_engine_built_anew(database, tmp_path, monkeypatch):
    """Some of them begin with a snapshot that another one has left."""
    monkeypatch.setattr(run_snapshots, "FEWEST_CHANGES", 4)
    machine = type("Machine", (TwoFollowers,), {"database": database, "folder": tmp_path / "cache"})
    manners = settings(
        max_examples=often(few=10, many=25), stateful_step_count=20, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(machine, settings=manners)


def test_an_own_query_leaves_the_engine_with_its_last_follower_and_comes_back_with_the_next(database):
    with database.write() as conn:
        ada, ben = builders.reader(conn), builders.reader(conn)
    follower = Follower(database)
    take_up(database, ada, "harbour")
    take_up(database, ben, "harbour")
    asked = [len(follower.engine())]
    for reader in (ada, ben):
        leave(database, reader, "harbour")
        asked.append(len(follower.engine()))
    take_up(database, ada, "harbour")
    asked.append(len(follower.engine()))
    assert asked == [1, 1, 0, 1]
    with database.read() as conn:
        assert conn.execute(sa.select(sa.func.count(Topic.id))).scalar() == 1


def test_a_topic_that_nobody_follows_is_asked_all_the_same_when_it_is_shared(database):
    put(database, "port", "harbour")
    with database.write() as conn:
        reader = builders.reader(conn)
        builders.follow(conn, reader, topics.topics(conn)[0].id)
        people.unfollow(conn, reader)
    assert len(Follower(database).engine()) == 1


def test_a_topic_that_is_taken_away_does_not_come_back_with_what_it_named(database):
    put(database, "port", "harbour")
    put(database, "ships", "@port ferry")
    follower = Follower(database)
    assert len(follower.engine()) == 2
    with database.write() as conn:
        ships = topics.topic_by_slug(conn, "ships")
        assert ships
        topics.take_away(conn, ships.id)
    assert len(follower.engine()) == 1
    put(database, "port", "gangway")
    assert_equals_one_built_anew(follower, database)


def test_a_restored_backup_is_noticed(database):
    put(database, "port", "harbour")
    put(database, "ships", "ferry")
    follower = Follower(database)
    assert len(follower.engine()) == 2
    with database.write() as conn:  # as it was before the second topic came
        conn.execute(sa.delete(Topic).where(Topic.slug == "ships"))
        conn.execute(sa.text("UPDATE counter SET value = 1 WHERE name = 'topics_generation'"))
    assert_equals_one_built_anew(follower, database)


def test_whoever_names_a_changed_topic_is_put_together_again_however_far_away(database):
    with database.write() as conn:
        reader = builders.reader(conn)
    for slug, query in (("port", "harbour"), ("ships", "@port ferry"), ("talks", "@ships treaty")):
        put(database, slug, query)
    take_up(database, reader, "@talks ballot")
    follower = Follower(database)
    assert_equals_one_built_anew(follower, database)
    put(database, "port", "gangway")
    assert_equals_one_built_anew(follower, database)
    assert len(follower.engine().matching(analyse(ArticleText(title="Gangway ferry treaty ballot")))) == 4


def test_what_names_a_missing_topic_is_off_until_it_comes(database):
    with database.write() as conn:
        reader = builders.reader(conn)
    put(database, "ships", "@port ferry")
    take_up(database, reader, "@ships ballot")
    follower = Follower(database)
    assert len(follower.engine()) == 0
    with database.read() as conn:
        assert "no topic @port" in topics.topics(conn)[0].disabled_reason
    put(database, "port", "harbour")
    assert_equals_one_built_anew(follower, database)
    assert len(follower.engine()) == 3


def test_a_query_that_our_own_fault_keeps_from_being_compiled_costs_no_other_its_place(database, monkeypatch):
    add = Engine.add

    def stumble(engine: Engine, expression: int, node: Node) -> None:
        if canonical(node) == "ferry":
            raise IndexError("beyond the table")
        add(engine, expression, node)

    for slug, query in (("port", "harbour"), ("ships", "ferry"), ("talks", "treaty")):
        put(database, slug, query)
    monkeypatch.setattr(Engine, "add", stumble)
    assert len(Follower(database).engine()) == 2
    with database.read() as conn:
        assert [bool(topic.disabled_reason) for topic in topics.topics(conn)] == [False, True, False]
    monkeypatch.undo()
    assert_equals_one_built_anew(Follower(database), database)


def test_a_reason_is_not_written_to_a_topic_that_has_been_mended_meanwhile(database):
    put(database, "port", "((")
    with database.read() as conn:
        read = list(standing.changed_since(conn, 0))
    put(database, "port", "harbour")
    with database.write() as conn:
        standing.switch(conn, [(topic, "cannot be read") for topic in read])
    assert_equals_one_built_anew(Follower(database), database)


# Writers at the same moment ------------------------------------------------------------------------------------------


@contextmanager
def meanwhile(database_url: str, act: Callable[[Database], None]) -> Iterator[None]:
    """Begin `act` in another connection while the block's own transaction is open; it ends once that is committed."""
    with opened(database_url) as other, ThreadPoolExecutor(1) as pool:
        acting = pool.submit(act, other)
        with suppress(TimeoutError):
            acting.result(0.3)
        yield
    assert acting.done()
    acting.result()


def test_a_change_is_numbered_only_when_the_one_before_is_there_to_be_seen(database_url, database):
    follower = Follower(database)
    with ExitStack() as stack, database.write() as conn:
        topics.put_topic(conn, NewTopic(slug="port", name={}, query="harbour", canonical="harbour"))
        stack.enter_context(meanwhile(database_url, lambda other: put(other, "ships", "ferry")))
        with opened(database_url) as own:
            assert len(Follower(own).engine()) == 0
        assert len(follower.engine()) == 0
    assert len(follower.engine()) == 2
    with database.read() as conn:
        numbered = conn.execute(sa.select(Topic.slug).order_by(Topic.generation)).scalars().all()
    assert numbered == ["port", "ships"]


@pytest.mark.parametrize("first", ["leaves", "comes"])
def test_a_query_is_not_asleep_when_one_reader_leaves_as_another_comes(first, database_url, database):
    with database.write() as conn:
        ada, ben = builders.reader(conn), builders.reader(conn)
    take_up(database, ada, "harbour")
    with ExitStack() as stack, database.write() as conn:
        if first == "leaves":
            people.unfollow(conn, ada)
            stack.enter_context(meanwhile(database_url, lambda other: take_up(other, ben, "harbour")))
        else:
            topic_id = standing.intern_query(conn, query="harbour", canonical="harbour")
            builders.follow(conn, ben, topic_id, query="harbour")
            stack.enter_context(meanwhile(database_url, lambda other: leave(other, ada, "harbour")))
    with database.read() as conn:
        assert conn.execute(sa.select(Topic.dormant)).scalars().all() == [False]


def test_nothing_is_skipped_and_nobody_waits_in_a_circle_while_many_write(database_url, database):
    writers, each = 4, 12
    over = threading.Event()
    with database.write() as conn:
        readers = [builders.reader(conn) for _ in range(writers)]

    def write(number: int) -> None:
        with opened(database_url) as own:
            for turn in range(each):
                take_up(own, readers[number], f"word{number}x{turn}")
                put(own, f"topic-{number}", f"word{number}x{turn}")

    def follow(_: int) -> int:
        with opened(database_url) as own:
            follower = Follower(own)
            while not over.is_set():
                follower.engine()
            return len(follower.engine())

    with ThreadPoolExecutor(writers + 2) as pool:
        following = [pool.submit(follow, number) for number in range(2)]
        for written in [pool.submit(write, number) for number in range(writers)]:
            written.result(60)
        over.set()
        assert [engine.result(60) for engine in following] == [writers * each + writers] * 2
