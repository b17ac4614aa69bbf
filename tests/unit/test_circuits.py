"""Circuit breakers: whatever happens to one, in any order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from worker import circuits
from worker.circuits import FORGOTTEN_AFTER, TURN_S, Circuit, Condition, Trouble, Way

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
FRESH = Circuit(since=NOON - FORGOTTEN_AFTER)


def tripped(trouble: Trouble = Trouble.UNREACHABLE, *, wait_s: float | None = None) -> Circuit:
    return circuits.trip(FRESH, trouble, reason="no answer", now=NOON, wait_s=wait_s)


def after_its_pause(circuit: Circuit) -> tuple[Circuit, datetime]:
    assert circuit.until is not None
    return circuits.take_turn(circuit, circuit.until), circuit.until


@pytest.mark.parametrize("trouble", list(Trouble))
def test_it_stays_shut_for_its_pause_and_then_one_may_try(trouble):
    circuit = tripped(trouble)
    assert circuit.until is not None
    assert circuits.take_turn(circuit, circuit.until - timedelta(seconds=1)) is circuit
    half_open, _ = after_its_pause(circuit)
    assert (half_open.condition, half_open.turn) == (Condition.HALF_OPEN, 1)


def test_only_one_worker_has_the_turn_until_it_runs_out():
    half_open, at = after_its_pause(tripped())
    assert circuits.take_turn(half_open, at + timedelta(seconds=TURN_S - 1)) is half_open
    assert circuits.take_turn(half_open, at + timedelta(seconds=TURN_S)).turn == 2


def test_who_had_an_earlier_turn_closes_nothing():
    half_open, at = after_its_pause(tripped())
    later = circuits.take_turn(half_open, at + timedelta(seconds=TURN_S))
    assert circuits.recover(later, turn=1, now=at) is later
    assert circuits.recover(later, turn=2, now=at).condition is Condition.CLOSED


@pytest.mark.parametrize("trouble", list(Trouble))
def test_the_pause_grows_with_every_failure_up_to_its_longest(trouble):
    circuit, pauses = tripped(trouble), []
    for _ in range(20):
        pauses.append(circuit.pause_s)
        half_open, at = after_its_pause(circuit)
        circuit = circuits.trip(half_open, trouble, reason="", now=at)
    assert pauses == sorted(pauses)
    assert pauses[1] == 2 * pauses[0]
    assert pauses[-1] == pauses[-2] <= 4 * 3600


def test_trouble_that_comes_back_soon_waits_longer_and_an_old_one_is_forgotten():
    half_open, at = after_its_pause(tripped())
    closed = circuits.recover(half_open, turn=1, now=at)
    again = circuits.trip(closed, Trouble.UNREACHABLE, reason="", now=at + FORGOTTEN_AFTER / 2)
    assert again.pause_s == 2 * tripped().pause_s
    assert circuits.trip(closed, Trouble.UNREACHABLE, reason="", now=at + FORGOTTEN_AFTER).pause_s == tripped().pause_s


def test_ten_workers_that_see_the_same_trouble_trip_it_once():
    circuit = tripped()
    assert circuits.trip(circuit, Trouble.UNREACHABLE, reason="", now=NOON + timedelta(seconds=1)) is circuit


@given(wait_s=st.floats(min_value=0, max_value=86_400))
def test_the_provider_may_ask_for_longer_and_never_gets_less_than_our_own_pause(wait_s):
    for circuit in (
        tripped(wait_s=wait_s),
        circuits.trip(tripped(), Trouble.OVERLOAD, reason="", now=NOON, wait_s=wait_s),
    ):
        assert circuit.until is not None
        assert circuit.until - NOON >= timedelta(seconds=max(wait_s, tripped().pause_s) - 0.001)


def test_no_address_is_kept_in_a_reason():
    circuit = circuits.trip(FRESH, Trouble.POLICY, reason="550 5.7.1 <ann@example.org>: go away", now=NOON)
    assert circuit.reason == "550 5.7.1 <...>: go away"


@pytest.mark.parametrize(
    ("way", "text"),
    [
        (Way("relay", "digest"), "relay: digest"),
        (Way("relay", domain="example.org"), "relay: to example.org"),
    ],
)
def test_a_way_reads_well(way, text):
    assert str(way) == text


class AnyOrder(RuleBasedStateMachine):
    """Everything that can happen, as often and in whatever order it likes; time only goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.circuit, self.now, self.by_hand = FRESH, NOON, False

    @rule(seconds=st.floats(min_value=0, max_value=20_000))
    def time_passes(self, seconds):
        self.now += timedelta(seconds=seconds)

    @rule(trouble=st.sampled_from(Trouble), wait_s=st.none() | st.floats(min_value=0, max_value=7200))
    def trip(self, trouble, wait_s):
        before = self.circuit
        self.circuit = circuits.trip(before, trouble, reason="x", now=self.now, wait_s=wait_s)
        assert self.by_hand or self.circuit.condition is Condition.OPEN
        assert self.by_hand or (self.circuit.until is not None and self.circuit.until > self.now)

    @rule()
    def take_turn(self):
        before = self.circuit
        self.circuit = circuits.take_turn(before, self.now)
        assert self.circuit.turn - before.turn == (self.circuit is not before)

    @rule(age=st.integers(min_value=0, max_value=2))
    def recover(self, age):
        before = self.circuit
        self.circuit = circuits.recover(before, turn=before.turn - age, now=self.now)
        closes = before.condition is Condition.HALF_OPEN and age == 0
        assert (self.circuit.condition is Condition.CLOSED) is (closes or before.condition is Condition.CLOSED)

    @rule()
    def pause(self):
        self.circuit, self.by_hand = circuits.pause(self.circuit, reason="maintenance", now=self.now), True

    @rule()
    def resume(self):
        self.circuit, self.by_hand = circuits.resume(self.circuit, now=self.now), False

    @invariant()
    def it_always_ends_by_itself_but_for_a_person(self):
        waits = self.circuit.condition in {Condition.OPEN, Condition.HALF_OPEN}
        assert waits is (self.circuit.until is not None)
        assert (self.circuit.condition is Condition.PAUSED) is self.by_hand

    @invariant()
    def a_pause_is_bounded(self):
        assert self.circuit.pause_s <= 4 * 3600


TestAnyOrder = AnyOrder.TestCase
