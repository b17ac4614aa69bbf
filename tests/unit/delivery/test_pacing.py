"""How fast mail may go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.thorough import thorough
from worker.delivery.pacing import (
    AHEAD_S,
    LONGEST_WAIT_S,
    Booking,
    Bucket,
    Slowdown,
    book,
    halve,
)
from worker.model import Lane

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
RATES = st.floats(min_value=0.05, max_value=1000)
ASKED = st.lists(
    st.tuples(st.floats(min_value=0, max_value=3), st.integers(1, 30), st.sampled_from([Lane.BULK, Lane.ALERTS])),
    min_size=1,
    max_size=40,
)
State = dict[str, tuple[float, float]]


def ask(state: State, rate: float, count: int, now_s: float, lane: Lane = Lane.BULK) -> list[Booking]:
    return book(
        state, [Bucket("relay", rate)], [[0]] * count, now_s=now_s, ahead_s=AHEAD_S[lane], queues=lane is Lane.BULK
    )


@given(rate=RATES, asked=ASKED)
def test_in_no_stretch_of_time_goes_more_than_the_rate_and_one_second_of_it(rate, asked):
    state: State = {}
    now_s, times_s = 1000.0, []
    for pause_s, count, lane in asked:
        now_s += pause_s
        times_s += [now_s + one.wait_s for one in ask(state, rate, count, now_s, lane) if one.goes]
    times_s.sort()
    burst = max(rate, 1) + 1e-6
    for first, begins_s in enumerate(times_s):
        for last in range(first, len(times_s)):
            assert last - first + 1 <= rate * (times_s[last] - begins_s) + burst + 1e-6


@thorough(few=15, many=50)
@given(rate=st.floats(min_value=2, max_value=500))
def test_whoever_keeps_asking_gets_the_whole_rate(rate):
    state: State = {}
    sent = sum(one.goes for tick in range(60) for one in ask(state, rate, 200, 1000.0 + tick))
    assert sent >= min(rate * 59, 60 * 200) * 0.98 - 1


@given(rate=st.floats(min_value=1, max_value=100), backlog=st.integers(1, 3000))
def test_bulk_that_fills_its_queue_never_turns_an_alert_away(rate, backlog):
    state: State = {}
    ask(state, rate, backlog, 1000.0)
    (alert,) = ask(state, rate, 1, 1000.0, Lane.ALERTS)
    assert alert.goes
    assert alert.wait_s <= AHEAD_S[Lane.BULK] + 2 / rate


def test_a_backlog_comes_back_one_by_one_and_not_all_at_once():
    waits_s = [one.wait_s for one in ask({}, 10, 1000, 1000.0) if not one.goes]
    assert waits_s == sorted(waits_s)
    assert waits_s[0] >= AHEAD_S[Lane.BULK]
    assert waits_s[-1] == pytest.approx(AHEAD_S[Lane.BULK] + len(waits_s) / 10)


@given(rate=RATES, count=st.integers(1, 2000))
def test_nobody_is_told_to_come_back_later_than_in_a_quarter_of_an_hour(rate, count):
    assert all(0 <= one.wait_s <= LONGEST_WAIT_S for one in ask({}, rate, count, 1000.0))


@given(set_back_s=st.floats(min_value=0, max_value=100_000), rate=st.floats(min_value=1, max_value=100))
def test_a_clock_that_is_set_back_stops_nothing(set_back_s, rate):
    state: State = {}
    ask(state, rate, 500, 1_000_000.0)
    assert ask(state, rate, 1, 1_000_000.0 - set_back_s, Lane.ALERTS)[0].wait_s <= AHEAD_S[Lane.ALERTS] + 1.001 / rate


def test_a_message_waits_for_the_slowest_of_its_buckets_and_holds_no_other_up():
    state: State = {}
    buckets = [Bucket("relay", 100), Bucket("slow.example", 1)]
    booked = book(state, buckets, [[0, 1]] * 20 + [[0]] * 20, now_s=0.0, ahead_s=5, queues=True)
    assert [one.goes for one in booked[:20]] == [True] * 6 + [False] * 14
    assert all(one.goes for one in booked[20:])
    assert book({}, [], [[]], now_s=0.0, ahead_s=5, queues=True) == [Booking(goes=True, wait_s=0)]


def test_a_rate_is_halved_once_a_cause_and_grows_back_evenly():
    first = halve(None, full_per_s=100, now=NOON)
    assert first.rate_per_s(NOON) == 50
    assert halve(first, full_per_s=100, now=NOON + timedelta(seconds=14)) is first
    again = halve(first, full_per_s=100, now=NOON + timedelta(seconds=15))
    assert again.rate_per_s(again.since) == pytest.approx(25, rel=0.05)
    assert first.rate_per_s(NOON + timedelta(minutes=9)) == pytest.approx(80)
    assert first.is_over(NOON + timedelta(minutes=15))
    assert halve(first, full_per_s=70, now=NOON + timedelta(hours=1)) == Slowdown(
        full_per_s=70, share=0.5, since=NOON + timedelta(hours=1)
    )


@given(st.lists(st.floats(min_value=0, max_value=4000), max_size=50))
def test_a_rate_never_falls_to_nothing(pauses_s):
    now, slowdown = NOON, halve(None, full_per_s=64, now=NOON)
    for pause_s in pauses_s:
        now += timedelta(seconds=pause_s)
        slowdown = halve(slowdown, full_per_s=64, now=now)
        assert 1 <= slowdown.rate_per_s(now) <= 64


def test_where_no_rate_is_set_and_nothing_was_sent_one_a_second_is_halved():
    assert halve(None, full_per_s=0, now=NOON).rate_per_s(NOON) == 0.5
