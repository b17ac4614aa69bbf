"""Nobody becomes active but by an answer from their mailbox, or by an operator who vouches for them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.model import SubscriberStatus
from worker.signup.decide import TABLE, Act, Wishes, step

S = SubscriberStatus
CONSENTING = {S.ACTIVE, S.PAUSED}


def test_the_table_is_total():
    assert set(TABLE) == {None, *S}
    for cells in TABLE.values():
        assert set(cells) == set(Act)


def test_only_for_strangers_may_there_be_nothing_to_do():
    assert all(made is not None for where, cells in TABLE.items() if where is not None for made in cells.values())


@pytest.mark.parametrize("where", TABLE)
@pytest.mark.parametrize("act", Act)
def test_only_a_yes_or_an_operators_word_leads_to_mail(where, act):
    made = step(where, act)
    if made and made.to in CONSENTING and where not in CONSENTING:
        assert act in {Act.CONFIRM, Act.VOUCH}


@pytest.mark.parametrize("where", TABLE)
@pytest.mark.parametrize("act", Act)
def test_wishes_are_applied_only_to_those_who_consent(where, act):
    made = step(where, act)
    if made and made.wishes is Wishes.APPLIED:
        assert made.to in CONSENTING


@pytest.mark.parametrize("where", [where for where in TABLE if where is not S.ERASED])
def test_a_sign_up_always_asks_and_changes_nothing_by_itself(where):
    made = step(where, Act.SIGN_UP)
    assert made is not None
    assert made.asks
    if where in CONSENTING:
        assert made.to is where


@pytest.mark.parametrize("act", Act)
def test_who_is_forgotten_stays_forgotten(act):
    made = step(S.ERASED, act)
    assert made is not None
    assert made.to is S.ERASED


@pytest.mark.parametrize("act", [act for act in Act if act not in {Act.SIGN_UP, Act.ERASE}])
def test_a_farewell_is_undone_only_by_signing_up(act):
    made = step(S.LEFT, act)
    assert made is not None
    assert made.to is S.LEFT


@given(st.lists(st.sampled_from(list(Act)), max_size=40))
def test_mail_has_consent_behind_it_on_every_path(acts):
    where, consented = None, False
    for act in acts:
        made = step(where, act)
        if made is None:
            continue
        if act in {Act.CONFIRM, Act.VOUCH} and where is not S.LEFT:
            consented = True
        if act in {Act.LEAVE, Act.ERASE}:
            consented = False
        where = made.to
        assert consented or where not in CONSENTING
