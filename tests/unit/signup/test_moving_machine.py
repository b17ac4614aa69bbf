"""A change of address: nobody gets another's, and nobody loses their mail to a stranger for good."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.model import SubscriberStatus
from worker.signup.consent import APART, MOST_A_DAY
from worker.signup.decide_moving import DAY, TABLE, Deed, Move, Paper, Target, may_write, turn

AT = datetime(2026, 11, 29, 12, tzinfo=UTC)
EACH = [
    (deed, paper, target, turn(deed, paper, target, status))
    for deed in Deed
    for paper in Paper
    for target in Target
    for status in SubscriberStatus
]


def test_the_table_is_total():
    assert set(TABLE) == set(Deed)
    for by_paper in TABLE.values():
        assert set(by_paper) == set(Paper)
        assert all(set(by_target) == set(Target) for by_target in by_paper.values())


def test_every_turn_has_its_reason():
    assert all(made.reason for *_, made in EACH)


def test_a_link_that_is_used_up_does_nothing():
    assert {made.does for _, paper, _, made in EACH if paper is not Paper.OPEN} == {Move.NOTHING}


def test_an_address_changes_only_by_a_word_from_its_own_mailbox():
    """Naming an address, by whatever link, changes nothing: the new mailbox agrees, or the old one takes back."""
    done = {deed: {made.does for which, _, _, made in EACH if which is deed} for deed in Deed}
    assert done == {
        Deed.NAME: {Move.NOTHING, Move.ASK, Move.WARN},
        Deed.AGREE: {Move.NOTHING, Move.CHANGE},
        Deed.TAKE_BACK: {Move.NOTHING, Move.RESTORE},
    }


def test_nobody_gets_another_reader_s_address():
    assert {made.does for _, _, target, made in EACH if target is Target.TAKEN} == {Move.NOTHING, Move.WARN}


def test_a_suppressed_address_is_never_written_to():
    assert {made.does for _, _, target, made in EACH if target is Target.SUPPRESSED} == {Move.NOTHING, Move.RESTORE}


@pytest.mark.parametrize("target", [Target.FREE, Target.UNPROVEN, Target.SUPPRESSED])
@pytest.mark.parametrize("status", [status for status in SubscriberStatus if status is not SubscriberStatus.ERASED])
def test_what_was_taken_can_be_taken_back_whatever_was_done_since(target, status):
    """Whoever took it may have unsubscribed the reader, or have the old address signed up, or complained about it."""
    assert turn(Deed.TAKE_BACK, Paper.OPEN, target, status).does is Move.RESTORE


def test_a_sign_up_that_nobody_proved_never_stands_in_the_way():
    changes = [(target, made) for _, _, target, made in EACH if made.does in {Move.CHANGE, Move.RESTORE}]
    assert all(made.clears for target, made in changes if target is Target.UNPROVEN)
    assert {target for _, _, target, made in EACH if made.clears} == {Target.UNPROVEN, Target.SUPPRESSED}
    assert all(made.does in {Move.CHANGE, Move.RESTORE} for *_, made in EACH if made.clears)


@given(st.lists(st.integers(0, 3 * 24 * 60), max_size=60).map(sorted))
def test_the_budget_of_letters_is_that_of_questions(minutes):
    asked: list[datetime] = []
    for minute in minutes:
        at = AT + timedelta(minutes=minute)
        if may_write(asked, at):
            asked.append(at)
    for first in asked:
        assert sum(first <= at < first + DAY for at in asked) <= MOST_A_DAY
    assert all(later - earlier >= APART for earlier, later in pairwise(asked))
