"""Rates that several workers share in a real Redis, and what each does while it is away."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import time
from collections.abc import Iterator
from multiprocessing.synchronize import Barrier
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from tests.redis_server import RedisServer, redis_server
from worker.delivery import run_pacing
from worker.delivery.pacing import AHEAD_S, Booking, Bucket, book
from worker.delivery.run_pacing import Pace
from worker.model import Lane

RATE = 40.0
RELAY, SLOW = Bucket("provider:relay", RATE), Bucket("domain:slow.example", 0.5)


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


async def asked(
    pace: Pace, count: int, *, lane: Lane = Lane.BULK, buckets: tuple[Bucket, ...] = (RELAY,)
) -> list[Booking]:
    places = [tuple(range(len(buckets)))] * count
    return await pace.book(buckets, places, ahead_s=AHEAD_S[lane], queues=lane is Lane.BULK)


def ask(url: str | None, count: int, *, buckets: tuple[Bucket, ...] = (RELAY,)) -> list[Booking]:
    async def once() -> list[Booking]:
        pace = Pace(url, me="one")
        try:
            return await asked(pace, count, buckets=buckets)
        finally:
            await pace.close()

    return asyncio.run(once())


@given(
    rates=st.lists(st.floats(min_value=0.1, max_value=200), min_size=1, max_size=3),
    messages=st.lists(st.lists(st.integers(0, 2), max_size=2, unique=True), min_size=1, max_size=60),
    lane=st.sampled_from([Lane.BULK, Lane.ALERTS]),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_script_does_what_its_reference_says(server, rates, messages, lane):
    flush(server)
    buckets = [Bucket(f"{place}", rate) for place, rate in enumerate(rates)]
    wanted = [[place for place in places if place < len(buckets)] for places in messages]
    how: dict[str, Any] = {"ahead_s": AHEAD_S[lane], "queues": lane is Lane.BULK}

    async def script() -> list[Booking]:
        pace = Pace(server.url, me="one")
        booked = await pace.book(buckets, wanted, **how)
        await pace.close()
        return booked

    expected = book({}, buckets, wanted, now_s=1e6, **how)
    for one, other in zip(asyncio.run(script()), expected, strict=True):
        assert one.goes is other.goes
        assert one.wait_s == pytest.approx(other.wait_s, abs=0.001)


def _hammer(url: str, name: str, ready: Barrier, sent: multiprocessing.Queue[int]) -> None:
    async def run() -> int:
        pace = Pace(url, me=name)
        until_s = time.monotonic() + 5

        async def connection(count: int) -> int:
            gone = 0
            while time.monotonic() < until_s:
                bookings = await asked(pace, count)
                gone += sum(one.goes for one in bookings)
                await asyncio.sleep(0.01 if any(one.goes for one in bookings) else 0.05)
            return gone

        gone = await asyncio.gather(*(connection(count) for count in (1, 2, 7)))
        await pace.close()
        return sum(gone)

    ready.wait(120)
    sent.put(asyncio.run(run()))


def test_many_processes_together_never_get_more_than_the_rate_and_get_all_of_it(server):
    spawn = multiprocessing.get_context("spawn")
    sent, ready = spawn.Queue(), spawn.Barrier(5)
    processes = [spawn.Process(target=_hammer, args=(server.url, f"worker {one}", ready, sent)) for one in range(4)]
    for process in processes:
        process.start()
    ready.wait(120)
    began_s = time.monotonic()
    total = sum(sent.get(timeout=120) for _ in processes)
    took_s = time.monotonic() - began_s
    for process in processes:
        process.join(60)
    assert total <= RATE * (took_s + AHEAD_S[Lane.BULK] + 1)  # the rate, what is booked ahead, and a second's worth
    assert total >= 0.9 * RATE * (5 + AHEAD_S[Lane.BULK])


def test_a_flush_gives_no_more_than_another_start(server):
    first = ask(server.url, 500)
    flush(server)
    second = ask(server.url, 500)
    assert [one.goes for one in first] == [one.goes for one in second]
    assert sum(one.goes for one in first) == pytest.approx(RATE + AHEAD_S[Lane.BULK] * RATE, abs=2)


def test_a_slow_domain_is_slow_by_every_provider(server):
    assert sum(one.goes for one in ask(server.url, 10, buckets=(RELAY, SLOW))) == 3
    assert not any(one.goes for one in ask(server.url, 10, buckets=(Bucket("provider:other", RATE), SLOW)))
    assert all(one.goes for one in ask(server.url, 10, buckets=(Bucket("provider:other", RATE),)))


def test_nothing_stays_in_redis_but_for_a_while_and_no_address_ever(server):
    ask(server.url, 100, buckets=(RELAY, SLOW))
    with Redis.from_url(server.url) as client:
        keys = client.keys()
        assert keys
        assert all(0 < client.ttl(key) < 3600 for key in keys)


def test_without_redis_each_worker_sends_its_share_by_itself_and_says_so_once(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(run_pacing, "_ASKED_AGAIN_S", 0.0)

    async def story() -> list[int]:
        with redis_server(tmp_path) as server:
            paces = [Pace(server.url, me=f"worker {number}") for number in range(4)]
            for pace in paces:
                await asked(pace, 1)
            await asked(paces[0], 1)
            server.stop()
            alone = [sum(one.goes for one in await asked(paces[0], 500)) for _ in range(2)]
            server.start()
            back = sum(one.goes for one in await asked(paces[0], 500))
            for pace in paces:
                await pace.close()
        return [*alone, back]

    caplog.set_level(logging.WARNING)
    first, second, back = asyncio.run(story())
    assert first == pytest.approx((RATE + AHEAD_S[Lane.BULK] * RATE) / 4, abs=3)
    assert second < first / 2
    assert back == pytest.approx(RATE + AHEAD_S[Lane.BULK] * RATE, abs=2)
    said = [record.getMessage() for record in caplog.records]
    assert ["is away" in line for line in said] == [True, False]
    assert "is back" in said[1]


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "redis://127.0.0.1:1/0?what=ever", "unix:///no/such/socket"])
def test_a_redis_that_never_answers_stops_no_mail(url):
    assert any(one.goes for one in ask(url, 50))


def test_with_no_redis_at_all_a_worker_is_taken_for_one_of_two():
    assert sum(one.goes for one in ask(None, 500)) == pytest.approx((RATE + AHEAD_S[Lane.BULK] * RATE) / 2, abs=2)
