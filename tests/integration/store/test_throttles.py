"""Halved rates and a warm-up's days in SQL: exact, whoever else is at it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

from tests.builders import time_of
from worker.store import throttles
from worker.store.database import Database
from worker.store.throttles import Halved, Place

TODAY = date(2026, 11, 28)


def take(database: Database, wanted: int, *, day: date = TODAY, provider: str = "relay") -> int:
    with database.write() as conn:
        return throttles.take_allowance(conn, provider, day, limit=100, wanted=wanted)


def test_many_workers_together_take_exactly_a_days_allowance(database):
    with ThreadPoolExecutor(6) as pool:
        got = list(pool.map(lambda wanted: take(database, wanted), [7] * 30))
    assert sum(got) == 100
    with database.read() as conn:
        assert throttles.taken(conn, TODAY) == {"relay": 100}


def test_each_provider_and_each_day_has_its_own(database):
    assert take(database, 500) == 100
    assert take(database, 5) == 0
    assert take(database, 5, day=TODAY + timedelta(days=1)) == 5
    assert take(database, 5, provider="other") == 5


def test_what_is_given_back_may_be_taken_again(database):
    take(database, 100)
    with database.write() as conn:
        throttles.give_back_allowance(conn, "relay", TODAY, 30)
    assert take(database, 50) == 30


def test_a_smaller_plan_takes_nothing_back_that_has_gone(database):
    take(database, 80)
    with database.write() as conn:
        assert throttles.take_allowance(conn, "relay", TODAY, limit=50, wanted=10) == 0


def test_a_rate_is_changed_by_one_worker_at_a_time_and_forgotten_when_it_has_grown_back(database):
    at, place = time_of(database), Place("", "gmail.com")

    def halve(_: int) -> None:
        with database.write() as conn:
            throttles.change(conn, place, lambda before, _: Halved(64, before.share / 2 if before else 0.5, at))

    halve(0)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(halve, range(4)))
    with database.read() as conn:
        assert throttles.load(conn) == {place: Halved(64, 0.5 / 16, at)}
    with database.write() as conn:
        throttles.end(conn, place, since=at - timedelta(seconds=1))
        assert place in throttles.load(conn)
        throttles.end(conn, place, since=at)
        assert throttles.load(conn) == {}
