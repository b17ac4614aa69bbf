"""Budgets of senders: no more than is allowed, all of it, and nobody shut out for ever."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.signup.budgets import HOUR_S, Budgets, Charge, Sought, forget_full, networks, spend

BUDGETS = Budgets(
    per_ip={Sought.SIGN_UP: 3, Sought.LETTER: 0, Sought.TRY: 10},
    per_subnet={Sought.SIGN_UP: 5, Sought.LETTER: 0, Sought.TRY: 20},
    per_key=7,
)
STEPS = st.lists(st.floats(min_value=0, max_value=HOUR_S), max_size=80)


@given(st.integers(1, 20), STEPS)
def test_in_no_hour_are_there_more_than_twice_the_budget_nor_more_than_it_at_once(count, steps):
    state: dict[str, float] = {}
    at_s, taken = 1e6, []
    for step_s in steps:
        at_s += step_s
        if spend(state, [Charge("a", count)], now_s=at_s) == 0:
            taken.append(at_s)
    for begin_s in taken:
        within = [one for one in taken if begin_s <= one <= begin_s + HOUR_S]
        assert len(within) <= 2 * count
        assert taken.count(begin_s) <= count


@given(st.integers(1, 20), STEPS)
def test_who_comes_again_when_told_to_is_let_in(count, steps):
    state: dict[str, float] = {}
    at_s = 1e6
    for step_s in steps:
        at_s += step_s
        wait_s = spend(state, [Charge("a", count)], now_s=at_s)
        if wait_s:
            assert wait_s <= HOUR_S / count + 1e-6
            at_s += wait_s + 1e-6
            assert spend(state, [Charge("a", count)], now_s=at_s) == 0


@given(st.integers(1, 60), st.floats(min_value=0, max_value=1e7))
def test_all_of_a_budget_is_there_at_once_whatever_the_clock_says(count, now_s):
    state: dict[str, float] = {}
    waits = [spend(state, [Charge("a", count)], now_s=now_s) for _ in range(count + 1)]
    assert waits[:-1] == [0] * count
    assert waits[-1] > 0


def test_what_one_budget_refuses_is_charged_to_none():
    state: dict[str, float] = {}
    narrow, wide = Charge("narrow", 1), Charge("wide", 3)
    assert spend(state, [narrow, wide], now_s=100.0) == 0
    for _ in range(10):
        assert spend(state, [narrow, wide], now_s=100.0) == HOUR_S
    assert [spend(state, [wide], now_s=100.0) > 0 for _ in range(3)] == [False, False, True]


def test_nothing_costs_more_than_a_whole_budget():
    assert spend({}, [Charge("a", 3, cost=5)], now_s=100.0) == 0


def test_a_clock_that_is_set_back_keeps_nobody_waiting_for_more_than_an_hours_budget():
    state: dict[str, float] = {}
    spend(state, [Charge("a", 1)], now_s=1e9)
    assert spend(state, [Charge("a", 1)], now_s=1e6) <= HOUR_S


def test_a_sender_pays_from_two_budgets_and_neighbours_share_one():
    one, other = (BUDGETS.of_sender(Sought.SIGN_UP, address) for address in ("203.0.113.1", "203.0.113.2"))
    assert [charge.an_hour for charge in one] == [3, 5]
    assert one[0].name != other[0].name
    assert one[1] == other[1]


@pytest.mark.parametrize(
    ("address", "neighbour", "shared"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", 2),  # one house
        ("2001:db8:1:2::1", "2001:db8:1:3::1", 1),  # one site
        ("2001:db8:1:2::1", "2001:db8:2:2::1", 0),
        ("::ffff:203.0.113.1", "203.0.113.1", 2),
    ],
)
def test_an_ipv6_sender_is_its_network(address, neighbour, shared):
    assert len(set(networks(address)) & set(networks(neighbour))) == shared


def test_no_limit_is_no_charge_and_who_is_nowhere_pays_nothing():
    assert BUDGETS.of_sender(Sought.LETTER, "203.0.113.1") == []
    assert BUDGETS.of_sender(Sought.SIGN_UP, "") == []
    assert BUDGETS.of_key("API key cms") == [Charge("sign-up by API key cms", 7)]


def test_what_is_sought_has_budgets_of_its_own():
    names = {
        charge.name for sought in (Sought.SIGN_UP, Sought.TRY) for charge in BUDGETS.of_sender(sought, "192.0.2.1")
    }
    assert len(names) == 4


def test_a_process_forgets_full_budgets_and_all_of_them_rather_than_grow_for_ever():
    state = {f"{number}": 50.0 + number for number in range(100)}
    forget_full(state, now_s=100.0, most=60)
    assert len(state) == 49
    forget_full(state, now_s=100.0, most=10)
    assert state == {}
