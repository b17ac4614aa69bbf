"""What runs every few seconds, or for every batch, looks for the few rows that it needs, and not through millions.

SQLite says of each statement how it goes about it. That a table is scanned is told by the word, and by the lack of an
index that holds only some of its rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection, Engine, event

from tests import crowd
from tests.bench.delivery import letter
from tests.builders import HOLDER, article, news, topic
from tests.conftest import MakeUrl
from tests.databases import opened
from worker.delivery import run_canary, run_steering, run_withdrawal
from worker.delivery.canary import Limits
from worker.lifecycle import State
from worker.model import ArticleId, Cadence, DeliveryId, EditionStatus, Lane, Receipt, SourceId
from worker.planning.rules import Policy
from worker.planning.run import plan
from worker.store import articles, deliveries, editions, kin, last_check, leases
from worker.store.database import Database, now
from worker.store.schema import Delivery, Edition

READERS = 2_000
LARGE = ("delivery", "subscriber", "subscription", "attempt", "event", "match", "article", "content_story")
PARTIAL = re.compile(
    r"USING (COVERING )?INDEX ix_(delivery_un|subscriber_paused|event_unsettled|subscription_next_due)"
)


POLICY = Policy(domain="courier.example", alert_expires=timedelta(hours=6), digest_expires=timedelta(hours=12))
LIMITS = Limits(refused=0.02, unknown=0.02, bounced=0.05, complained=0.002, watch_s=60)


@contextmanager
def large_edition(url: str) -> Iterator[Database]:
    """Open a house with a large edition of which half is sent."""
    with opened(url) as database:
        with database.write() as conn:
            story = news(conn, topic(conn, "crowd"))
        crowd.add_readers(database, READERS, topic="crowd", cadence=Cadence.WEEKLY)
        crowd.plan_edition(database, letter.content(story), lane=Lane.BULK, count=READERS)
        with database.write() as conn:
            conn.execute(sa.update(Delivery).where(Delivery.id % 2 == 0).values(state=State.ACCEPTED))
            conn.execute(sa.update(Edition).values(status=EditionStatus.SENDING))
            conn.exec_driver_sql("ANALYZE")
        yield database


@pytest.fixture
def busy_house(make_url: MakeUrl) -> Iterator[Database]:
    """Open one on SQLite."""
    with large_edition(make_url("sqlite")) as database:
        yield database


@contextmanager
def statements() -> Iterator[dict[str, Any]]:
    """Collect what is asked of any database, each statement with the values of its first use."""
    asked: dict[str, Any] = {}

    def note(_conn: object, _cursor: object, statement: str, values: Any, _context: object, many: bool) -> None:
        asked.setdefault(statement, values[0] if many else values)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def finish(database: Database) -> None:
    with database.write() as conn:
        editions.finish_settled(conn)


def look_after(database: Database) -> None:
    with database.write() as conn:
        deliveries.expire(conn, limit=100)
        deliveries.orphans_to_unknown(conn, limit=100)
        deliveries.unknown(conn, limit=100)
        leases.due_batches(conn, Lane.BULK, limit=100)


@pytest.mark.parametrize(
    "work",
    [
        finish,
        look_after,
        lambda database: plan(database, POLICY),
        lambda database: run_canary.sweep(database, LIMITS),
        run_steering.sweep,
        run_withdrawal.sweep,
    ],
    ids=["finishing", "looking-after", "planning", "canary", "steering", "withdrawal"],
)
def test_what_runs_all_the_time_goes_through_no_large_table(busy_house: Database, work: Callable[[Database], object]):
    with statements() as asked:
        work(busy_house)
    assert asked
    with busy_house.read() as conn:
        assert long_steps(conn, asked) == []


def test_postgresql_takes_copies_past_the_last_check_without_reading_a_large_table(make_url: MakeUrl):
    with large_edition(make_url("postgresql")) as database, database.write() as conn:
        # What it comes to after some executions: one plan for all values, made before it knows a single one.
        conn.exec_driver_sql("SET LOCAL plan_cache_mode = force_generic_plan")
        lease = leases.take_next(conn, Lane.BULK, holder=HOLDER, lease_s=60)
        assert lease is not None
        rows = conn.scalars(sa.select(Delivery.id).where(Delivery.state == State.LEASED).limit(16))
        ids = [DeliveryId(row) for row in rows]
        before = rows_scanned(conn)
        assert last_check.commit(conn, lease, ids, yields=True) == set(ids)
        receipt = Receipt(provider="relay", code=250)
        deliveries.record(conn, [deliveries.outcome_of(receipt, delivery_id=one, fence=lease.fence) for one in ids])
        assert rows_scanned(conn) == before


def rows_scanned(conn: Connection) -> dict[str, int]:
    """Return, by table, how many rows this transaction has read without an index, on PostgreSQL."""
    read = conn.exec_driver_sql("SELECT relname, seq_tup_read FROM pg_stat_xact_user_tables WHERE seq_tup_read > 0")
    return {table: rows for table, rows in read if table in {"delivery", "subscriber", "subscription"}}


def test_copies_are_looked_for_by_the_indexes_of_wording_address_and_bands(busy_house: Database):
    with busy_house.write() as conn:
        for number in range(200):
            article(conn, text_hash=str(number))
        conn.exec_driver_sql("ANALYZE")
    with busy_house.read() as conn, statements() as asked:
        look = partial(articles.copy_candidates, conn, bands=[1, 2], text_hash="same wording", since=now(conn))
        look(canonical_url="https://courier.example/1")
        look(canonical_url="")
    with busy_house.read() as conn:
        assert long_steps(conn, asked) == []


def test_what_many_new_items_may_have_to_do_with_is_looked_for_by_indexes(busy_house: Database):
    with busy_house.write() as conn:
        for number in range(200):
            article(conn, text_hash=str(number), canonical_url=f"https://gazette.example/{number}")
        conn.exec_driver_sql("ANALYZE")
    with busy_house.read() as conn, statements() as asked:
        kin.keys(conn, SourceId(1), ["guid:1", "guid:2"])
        kin.at_addresses(conn, ["https://courier.example/1"])
        kin.of_hashes(conn, ["same wording", "another"])
        kin.of_bands(conn, [1, 2])
        kin.briefs(conn, [ArticleId(1), ArticleId(2)], since=now(conn))
        kin.texts(conn, [ArticleId(1)])
    with busy_house.read() as conn:
        assert len(asked) >= 6
        assert long_steps(conn, asked) == []


def long_steps(conn: Connection, asked: Mapping[str, Any]) -> list[tuple[str, str]]:
    steps = [
        (str(step[3]), statement)
        for statement, values in asked.items()
        if statement.lstrip().startswith(("SELECT", "UPDATE", "DELETE"))
        for step in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
    ]
    return [(step, statement) for step, statement in steps if is_long(step)]


def is_long(step: str) -> bool:
    """Tell whether a step goes through all of a large table, or through all copies of an edition."""
    kind, table, *_ = step.split()
    if kind == "SCAN":
        return table in LARGE and not PARTIAL.search(step)
    return kind == "SEARCH" and table == "delivery" and step.endswith("(edition_id=?)")
