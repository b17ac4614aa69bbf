"""Planners die at any statement and meet each other at any time: every reader gets every story once all the same."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from tests.builders import all_editions, deliveries_of, follow, news, own_query, reader, set_clock, topic
from tests.conftest import POSTGRESQL_SLOWLY
from tests.databases import opened
from worker.model import Cadence, EditionStatus, Owing, StoryId, SubscriberId
from worker.planning.run import Policy, plan
from worker.store import contents, due, owed, runs
from worker.store.database import Database, now
from worker.store.owed import Owed

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class KilledError(Exception):
    """Stands for a kill -9 between two statements."""


class Executioner:
    """Kills whoever runs the statement after the next `allowed` ones."""

    def __init__(self, database: Database) -> None:
        self.allowed: int | None = None
        event.listen(database.engine, "before_cursor_execute", self._count)

    def _count(self, *_: Any) -> None:
        if self.allowed is not None:
            if self.allowed == 0:
                raise KilledError
            self.allowed -= 1


def shown(database: Database) -> Counter[tuple[SubscriberId, StoryId]]:
    with database.read() as conn:
        rows = deliveries_of(conn)
        known = contents.thawed(conn, {row.content_id for row in rows})
    return Counter(
        (SubscriberId(row.subscriber_id), StoryId(story)) for row in rows for story in known[row.content_id].stories()
    )


@pytest.mark.usefixtures("chunks_of_two")
@pytest.mark.parametrize("kind", POSTGRESQL_SLOWLY)
def test_a_planner_may_die_at_any_statement(make_url: Any, policy: Policy, kind: str) -> None:
    with opened(make_url(kind)) as database:
        set_clock(database, ahead=NOON - datetime.now(UTC))
        with database.write() as conn:
            russia, own = topic(conn, "russia"), own_query(conn, "harbour")
            readers = [reader(conn, locale=locale) for locale in ("en", "ko", "en")]
            for one in readers:
                follow(conn, one, russia, cadence=Cadence.DAILY, due_at=NOON + timedelta(days=9))
            follow(conn, readers[0], own, query="harbour", cadence=Cadence.DAILY, due_at=NOON + timedelta(days=9))
        executioner = Executioner(database)
        expected: Counter[tuple[SubscriberId, StoryId]] = Counter()
        survived = False
        for statements in range(0, 400, 3 if kind == "postgresql" else 2):
            with database.write() as conn:
                story = news(conn, russia, own)
                due.make_all_digests_due(conn)
                owed.put(conn, [Owed(readers[2], news(conn, russia), Owing.BUDGET, now(conn))], at=now(conn))
            expected += Counter((one, story) for one in readers)
            expected += Counter((one, StoryId(story + 1)) for one in readers)
            executioner.allowed = statements
            try:
                plan(database, policy)
                survived = True
            except KilledError:
                pass
            executioner.allowed = None
            plan(database, policy)
            assert shown(database) == expected, f"killed after {statements} statements"
            with database.read() as conn:
                assert {row.status for row in all_editions(conn)} <= {EditionStatus.PLANNED, EditionStatus.FINISHED}
                assert runs.unfinished(conn) == []
            if survived:
                break
        assert survived


@pytest.mark.usefixtures("chunks_of_two")
def test_planners_that_meet_serve_every_instant_once(database_url: str, database: Database, policy: Policy) -> None:
    set_clock(database, ahead=NOON - datetime.now(UTC))
    with database.write() as conn:
        russia, korea = topic(conn, "russia"), topic(conn, "north-korea")
        readers = [reader(conn) for _ in range(6)]
        for number, one in enumerate(readers):
            for ahead, concerned in enumerate((russia, korea)):
                instant = NOON - timedelta(minutes=number % 2 + 3 * ahead)
                follow(conn, one, concerned, cadence=Cadence.DAILY, due_at=instant)
        stories = [news(conn, russia), news(conn, korea), news(conn, russia, korea)]
    start = threading.Barrier(3)

    def work(_: int) -> int:
        with opened(database_url) as own:
            start.wait()
            return plan(own, policy).deliveries

    with ThreadPoolExecutor(3) as pool:
        sum(pool.map(work, range(3)))
    assert shown(database) == Counter((one, story) for one in readers for story in stories)
    with database.read() as conn:
        assert {row.status for row in all_editions(conn)} == {EditionStatus.PLANNED}
        assert runs.unfinished(conn) == []
        assert conn.execute(sa.text("SELECT count(*) FROM planning_run")).scalar_one() >= 1
