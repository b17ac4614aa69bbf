"""When the rest of a large edition follows its first share, and when a person must look first."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.delivery.canary import Limits, Tally, Verdict, judge
from worker.delivery.run_canary import tally_of
from worker.lifecycle import State
from worker.model import EditionKind, Severity
from worker.planning.first_share import FirstShare

LIMITS = Limits(refused=0.02, unknown=0.02, bounced=0.05, complained=0.002, watch_s=60)
FAULTS = ("refused", "unknown", "bounced", "complained")

counts = st.integers(0, 3000)
tallies = st.builds(
    Tally,
    waiting=counts,
    put_off=counts,
    taken=counts,
    refused=counts,
    unknown=counts,
    bounced=counts,
    complained=counts,
)
seconds = st.floats(0, 10_000)


def verdict(tally: Tally, *, settled_for_s: float | None = 61, waited_s: float = 90) -> Verdict:
    return judge(tally, LIMITS, settled_for_s=settled_for_s, waited_s=waited_s)[0]


@given(tallies, st.one_of(st.none(), seconds), seconds)
def test_the_rest_follows_only_what_is_all_dealt_with_and_was_watched(tally, settled_for_s, waited_s):
    if verdict(tally, settled_for_s=settled_for_s, waited_s=waited_s) is Verdict.GO:
        assert tally.waiting == 0
        assert settled_for_s is not None
        assert settled_for_s >= LIMITS.watch_s


@given(tallies, st.sampled_from(FAULTS), st.integers(1, 100), seconds)
def test_more_of_a_fault_never_lets_go_what_was_held(tally, fault, more, waited_s):
    worse = replace(tally, **{fault: getattr(tally, fault) + more, "taken": max(0, tally.taken - more)})
    if tally.taken >= more and verdict(tally, waited_s=waited_s) is Verdict.HOLD and tally.waiting == 0:
        assert verdict(worse, waited_s=waited_s) is Verdict.HOLD


@given(tallies, seconds)
def test_what_is_held_has_a_reason_and_nothing_else_has(tally, waited_s):
    decided, why = judge(tally, LIMITS, settled_for_s=61, waited_s=waited_s)
    assert bool(why) is (decided is Verdict.HOLD)


@given(st.integers(0, 3000), seconds)
def test_without_a_fault_nothing_is_held(taken, waited_s):
    assert verdict(Tally(taken=taken), waited_s=waited_s) is Verdict.GO


@pytest.mark.parametrize("fault", FAULTS)
def test_two_of_fifty_prove_nothing_and_ten_do(fault):
    assert verdict(Tally(taken=48, **{fault: 2})) is Verdict.GO
    assert verdict(Tally(taken=40, **{fault: 10})) is Verdict.HOLD


def test_a_jump_is_not_waited_for():
    assert verdict(Tally(waiting=900, refused=10), settled_for_s=None) is Verdict.HOLD


def test_the_watch_begins_when_all_have_an_answer():
    assert verdict(Tally(waiting=1, taken=49), settled_for_s=None) is Verdict.WAIT
    assert verdict(Tally(taken=50), settled_for_s=None) is Verdict.SETTLED
    assert verdict(Tally(taken=50), settled_for_s=59) is Verdict.WAIT


def test_a_few_that_are_greylisted_hold_up_nobody_and_many_do():
    assert verdict(Tally(taken=46, put_off=4)) is Verdict.GO
    assert verdict(Tally(taken=40, put_off=10)) is Verdict.WAIT
    decided, why = judge(Tally(taken=40, put_off=10), LIMITS, settled_for_s=None, waited_s=3600)
    assert (decided, why) == (Verdict.HOLD, "10 of the first 50 are still not sent")


def test_states_are_summed_up_and_what_was_withdrawn_counts_for_nothing():
    each = {(state, False): 1 for state in State} | {(State.DEFERRED, True): 7, (State.UNKNOWN, True): 5}
    assert tally_of(each) == Tally(waiting=3, put_off=1, taken=2, refused=7, unknown=5, bounced=2, complained=1)


@pytest.mark.parametrize(
    ("audience", "kind", "severity", "first"),
    [
        (4_999, EditionKind.DIGEST, Severity.NORMAL, 0),
        (5_000, EditionKind.DIGEST, Severity.NORMAL, 50),
        (1_000_000, EditionKind.NEWSLETTER, Severity.NORMAL, 10_000),
        (10_001, EditionKind.ALERT, Severity.IMPORTANT, 101),
        (10_001, EditionKind.ALERT, Severity.BREAKING, 0),
        (10_001, EditionKind.CONFIRMATION, Severity.NORMAL, 0),
    ],
)
def test_how_many_go_first(audience, kind, severity, first):
    assert FirstShare(share=0.01).of(audience, kind=kind, severity=severity) == first
    assert FirstShare(share=0.0).of(audience, kind=kind, severity=severity) == 0


def test_nothing_goes_first_where_that_were_everything():
    assert FirstShare(share=0.5, least_audience=1).of(50, kind=EditionKind.DIGEST, severity=Severity.NORMAL) == 0
