"""Planners share the house by ranges of readers; who stops or corrects a story has it alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection

from tests.databases import opened
from worker.model import SubscriberId
from worker.store import turns
from worker.store.database import Database

RANGE = 4096


def readers(*ids: int) -> list[SubscriberId]:
    return [SubscriberId(number) for number in ids]


@pytest.fixture
def postgresql(make_url) -> Iterator[Database]:
    """SQLite has one writer at a time: there, nothing is asked for."""
    with opened(make_url("postgresql")) as database:
        yield database


def test_nobody_waits_where_there_is_one_writer(database):
    with database.write() as conn:
        turns.share(conn, readers(1, RANGE))
        assert turns.try_share(conn, SubscriberId(1))
        turns.alone(conn)


def waits(database: Database, first: Callable[[Connection], object], second: Callable[[Connection], object]) -> bool:
    """Tell whether a transaction that begins with `second` waits for the end of one that began with `first`."""
    begun, over, order = threading.Event(), threading.Event(), []

    def follow() -> None:
        assert begun.wait(10)
        with database.write() as conn:
            second(conn)
            order.append("second")
        over.set()

    with ThreadPoolExecutor() as pool:
        following = pool.submit(follow)
        with database.write() as conn:
            first(conn)
            begun.set()
            over.wait(0.5)
            order.append("first")
        following.result(10)
    return order == ["first", "second"]


def test_planners_of_other_readers_do_not_wait_and_those_of_the_same_range_do(postgresql):
    def plan(*ids: int):
        return lambda conn: turns.share(conn, readers(*ids))

    assert not waits(postgresql, plan(1, RANGE - 1), plan(RANGE, 3 * RANGE))
    assert waits(postgresql, plan(1, RANGE), plan(RANGE + 1))
    assert waits(postgresql, plan(1), turns.alone)
    assert waits(postgresql, turns.alone, plan(1))
    assert waits(postgresql, turns.alone, turns.alone)
    assert waits(postgresql, turns.alone, lambda conn: turns.try_share(conn, SubscriberId(1)))


def test_a_window_that_another_planner_has_is_walked_past(postgresql):
    with postgresql.write() as one, postgresql.write() as other:
        assert turns.try_share(one, SubscriberId(1))
        turns.share(one, readers(1, 2, 5 * RANGE))
        assert not turns.try_share(other, SubscriberId(RANGE - 1))
        assert turns.try_share(other, SubscriberId(RANGE))
        assert not turns.try_share(other, SubscriberId(5 * RANGE + 7))
    with postgresql.write() as conn:
        assert turns.try_share(conn, SubscriberId(1))


def test_planners_whose_readers_overlap_in_any_order_all_come_to_an_end(postgresql):
    start = threading.Barrier(3)

    def plan(ids: list[SubscriberId]) -> int:
        start.wait(10)
        for _ in range(20):
            with postgresql.write() as conn:
                turns.share(conn, ids)
        return len(ids)

    ranges = [[RANGE * number for number in order] for order in ((1, 2, 3), (3, 1, 2), (2, 3, 1))]
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(plan, [readers(*ids) for ids in ranges])) == [3, 3, 3]
