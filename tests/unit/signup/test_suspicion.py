"""Every form has its course, and a person who is taken for a machine is never shut out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.signup.suspicion import TABLE, Course, Demand, Guise, course, guise

AT = datetime(2026, 11, 29, tzinfo=UTC)
LIMITS = {"quickest": timedelta(seconds=2), "oldest": timedelta(days=1)}


def test_the_table_is_total():
    assert {(looks, demand) for looks, row in TABLE.items() for demand in row} == set(product(Guise, Demand))


@pytest.mark.parametrize(("looks", "demand"), list(product(Guise, Demand)))
def test_a_solved_puzzle_makes_up_for_everything_but_the_trap(looks, demand):
    solved = course(looks, demand, is_solved=True)
    unsolved = course(looks, demand, is_solved=False)
    if unsolved is Course.PUZZLE:
        assert solved is Course.TAKE
    else:
        assert solved is unsolved
    assert (solved is Course.FEIGN) is (looks is Guise.TRAPPED)


def test_without_a_captcha_nobody_is_asked_for_one():
    assert Course.PUZZLE not in {course(looks, Demand.OFF, is_solved=False) for looks in Guise}


@given(st.integers(0, 200_000))
def test_a_form_of_ours_is_sound_between_two_seconds_and_a_day(age_s):
    looks = guise(trap="", is_marked=True, shown_at=AT - timedelta(seconds=age_s), now=AT, **LIMITS)
    assert looks is (Guise.QUICK if age_s < 2 else Guise.STALE if age_s > 86_400 else Guise.SOUND)


def test_a_mark_from_the_future_is_quick_and_a_forged_one_stale():
    assert guise(trap="", is_marked=True, shown_at=AT + timedelta(hours=1), now=AT, **LIMITS) is Guise.QUICK
    assert guise(trap="", is_marked=True, shown_at=None, now=AT, **LIMITS) is Guise.STALE


def test_the_trap_comes_before_all_else():
    assert guise(trap="http://spam.example", is_marked=False, shown_at=None, now=AT, **LIMITS) is Guise.TRAPPED
