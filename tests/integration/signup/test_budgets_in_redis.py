"""Budgets that all web processes share in a real Redis, and what each does while it is away."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from tests.redis_server import RedisServer, redis_server
from worker.signup import run_budgets
from worker.signup.budgets import Charge, spend
from worker.signup.run_budgets import Purse

KEY = "a key for tests"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture(autouse=True)
def empty(server: RedisServer) -> None:
    flush(server)


def flush(server: RedisServer) -> None:
    with Redis.from_url(server.url) as client:
        client.flushall()


@given(
    limits=st.lists(st.integers(1, 6), min_size=1, max_size=3),
    acts=st.lists(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 3)), max_size=2, unique_by=lambda one: one[0])),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_script_does_what_its_reference_says(server, limits, acts):
    flush(server)
    purse = Purse(server.url, key=KEY)
    state: dict[str, float] = {}
    for act in acts:
        charges = [Charge(f"{place}", limits[place], cost) for place, cost in act if place < len(limits)]
        wait_s = purse.spend(charges)
        expected_s = spend(state, charges, now_s=1e6)
        assert (wait_s > 0) is (expected_s > 0)
        assert wait_s == pytest.approx(expected_s, abs=2)
    purse.close()


def hammer(purses: list[Purse], charge: Charge, *, each: int) -> int:
    """Return how many acts are let in, when every purse asks at once."""
    let_in: list[bool] = []
    go = threading.Barrier(len(purses))

    def ask(purse: Purse) -> None:
        go.wait()
        let_in.extend(purse.spend([charge, charge._replace(name="all", an_hour=1_000)]) == 0 for _ in range(each))

    threads = [threading.Thread(target=ask, args=(purse,)) for purse in purses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(let_in)


def test_processes_that_ask_at_once_get_exactly_the_budget_together(server):
    purses = [Purse(server.url, key=KEY) for _ in range(12)]
    assert hammer(purses, Charge("one", 25), each=10) == 25
    for purse in purses:
        purse.close()


def test_a_process_by_itself_is_as_exact():
    purse = Purse(None, key=KEY)
    assert hammer([purse] * 12, Charge("one", 25), each=10) == 25


def test_redis_holds_no_address_and_forgets_within_hours(server):
    purse = Purse(server.url, key=KEY)
    purse.spend([Charge("sign-up 203.0.113.77/32", 2), Charge("sign-up 203.0.113.0/24", 20)])
    with Redis.from_url(server.url) as client:
        keys = client.keys("*")
        assert len(keys) == 2
        assert not [key for key in keys if b"203" in key and b"113" in key]
        assert all(0 < client.pttl(key) <= 3_601_000 for key in keys)
    purse.close()


def test_while_redis_is_away_the_budget_is_the_processs_own_and_told_once(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(run_budgets, "_ASKED_AGAIN_S", 0.0)
    with redis_server(tmp_path) as server, caplog.at_level(logging.WARNING):
        purse, charges = Purse(server.url, key=KEY), [Charge("one", 3)]
        assert purse.spend(charges) == 0
        server.stop()
        assert [purse.spend(charges) > 0 for _ in range(5)] == [False, False, False, True, True]
        server.start()
        assert [purse.spend(charges) > 0 for _ in range(4)] == [False, False, False, True]
        purse.close()
    assert [record.message.partition(" (")[0] for record in caplog.records] == [
        "Redis is away",
        "Redis is back: all processes share their budgets again",
    ]


def test_a_url_that_is_none_is_no_reason_to_shut_the_door():
    purse = Purse("redis://127.0.0.1:1/0?no_such_word=1", key=KEY)
    assert purse.spend([Charge("one", 3)]) == 0
