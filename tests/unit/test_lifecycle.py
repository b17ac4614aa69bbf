"""The table of a delivery's life, walked over the whole product of states and happenings."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.lifecycle import (
    OPEN,
    PRE_COMMIT,
    TABLE,
    TAKEN,
    Happening,
    Ignored,
    State,
    conserve,
    sources_of,
    step,
)

CELLS = list(itertools.product(State, Happening))
FINAL = {State.COMPLAINED, State.REFUSED, State.SUPPRESSED, State.CANCELLED, State.EXPIRED}
WITHDRAWALS = {Happening.SUPPRESSED, Happening.CANCELLED, Happening.EXPIRED}
ON_THE_WIRE = {State.COMMITTING, State.UNKNOWN}


def targets(state: State) -> set[State]:
    return {target for happening in Happening if (target := step(state, happening)) is not None}


def test_every_state_answers_everything_that_can_happen():
    assert set(TABLE) == set(State)
    for state in State:
        assert set(TABLE[state]) == set(Happening), state


def test_whatever_changes_nothing_says_why():
    for state, happening in CELLS:
        answer = TABLE[state][happening]
        assert isinstance(answer, State | Ignored)
        assert (step(state, happening) is None) is isinstance(answer, Ignored)
        assert Ignored(answer).value if isinstance(answer, Ignored) else True


def test_the_table_cannot_be_changed():
    with pytest.raises(TypeError):
        TABLE[State.PLANNED] = {}  # type: ignore[index]  # what a careless caller would write


def test_there_is_no_way_out_of_an_end():
    assert {state for state in State if not targets(state)} == FINAL


def test_the_way_of_a_delivery_is_the_one_that_the_picture_shows():
    withdrawn = {State.SUPPRESSED, State.CANCELLED, State.EXPIRED}
    assert targets(State.PLANNED) == {State.LEASED} | withdrawn | TAKEN
    assert targets(State.LEASED) == {State.LEASED, State.PLANNED, State.COMMITTING} | withdrawn | TAKEN
    assert targets(State.DEFERRED) == {State.LEASED} | withdrawn | TAKEN
    assert targets(State.COMMITTING) == {State.DEFERRED, State.REFUSED, State.UNKNOWN} | TAKEN
    assert targets(State.UNKNOWN) == {State.DEFERRED, State.REFUSED} | TAKEN
    assert targets(State.ACCEPTED) == {State.DELIVERED, State.BOUNCED, State.COMPLAINED}
    assert targets(State.DELIVERED) == {State.BOUNCED, State.COMPLAINED}
    assert targets(State.BOUNCED) == {State.COMPLAINED}


def test_only_a_leased_row_is_committed_and_only_what_waits_is_leased():
    assert sources_of(Happening.COMMITTED) == {State.LEASED}
    assert sources_of(Happening.LEASED) == PRE_COMMIT
    assert sources_of(Happening.RELEASED) == {State.LEASED}


def test_nothing_on_the_wire_is_withdrawn_leased_or_released():
    for state, happening in itertools.product(ON_THE_WIRE, {*WITHDRAWALS, Happening.LEASED, Happening.RELEASED}):
        assert TABLE[state][happening] is Ignored.IN_FLIGHT


def test_a_reply_speaks_only_of_what_was_sent():
    for happening in (Happening.DEFERRED, Happening.REFUSED, Happening.REPLY_LOST):
        assert sources_of(happening) <= ON_THE_WIRE


def test_what_was_taken_stays_taken():
    for state, happening in itertools.product(TAKEN, Happening):
        assert step(state, happening) in {*TAKEN, None}


def test_every_state_is_counted_under_exactly_one_term():
    for state in State:
        terms = conserve({state: 1})
        assert terms.pop("audience") == 1
        assert sorted(terms.values()) == [0, 0, 0, 0, 0, 0, 1], state


@given(st.dictionaries(st.sampled_from(State), st.integers(min_value=0, max_value=10**6)))
def test_the_terms_add_up_to_the_audience(by_state):
    terms = conserve(by_state)
    assert terms.pop("audience") == sum(terms.values()) == sum(by_state.values())


@given(st.lists(st.lists(st.sampled_from(Happening), max_size=40), min_size=1, max_size=20))
def test_whatever_happens_in_whatever_order_nobody_is_lost_and_nothing_is_undone(lives):
    ends: dict[State, int] = {}
    for life in lives:
        state = State.PLANNED
        for happening in life:
            before, state = state, step(state, happening) or state
            assert not (before in FINAL and state is not before)
            assert not (before in TAKEN and state not in TAKEN)
            assert not (before in OPEN and state is State.UNKNOWN and before is not State.COMMITTING)
        ends[state] = ends.get(state, 0) + 1
    assert conserve(ends)["audience"] == len(lives)


@given(st.lists(st.sampled_from(Happening), max_size=60))
def test_nothing_reaches_the_wire_twice_without_being_known_unsent_in_between(life):
    state, has_arrived = State.PLANNED, False
    for happening in life:
        if happening is Happening.COMMITTED and step(state, happening) is not None:
            assert not has_arrived
        state = step(state, happening) or state
        has_arrived = has_arrived or state in TAKEN
