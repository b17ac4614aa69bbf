"""When a question may be asked, and what stays on record."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from worker.signup.consent import APART, MOST_A_DAY, Consent, Evidence, Question, ip_prefix
from worker.signup.wishes import Follow, Rhythm, Wish

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
WISH = Wish(follows=(Follow(topic="north-korea", rhythm=Rhythm(times=("18:30",))),), timezone="Asia/Seoul", name="Jo")


def question(number=1, wish=WISH):
    return Question(number=number, wish=wish, asked=Evidence(how="sign-up page", ip_prefix="203.0.113.0/24", at=AT))


@given(st.lists(st.integers(min_value=0, max_value=3_000), max_size=60))
def test_no_timing_of_sign_ups_beats_the_budget(minutes):
    consent, asked = Consent(), []
    for at in sorted(AT + timedelta(minutes=minute) for minute in minutes):
        if consent.may_ask(at):
            consent = consent.asking(question(), at)
            asked.append(at)
    for first in asked:
        assert sum(first <= at < first + timedelta(days=1) for at in asked) <= MOST_A_DAY
    assert all(later - earlier >= APART for earlier, later in pairwise(asked))


def test_an_answer_frees_the_budget_for_who_gave_it():
    consent = Consent().asking(question(), AT)
    assert not consent.may_ask(AT)
    assert consent.answered(Evidence(how="confirm page", at=AT)).may_ask(AT)


def test_a_record_comes_back_from_json_as_it_was():
    consent = Consent().asking(question(), AT).answered(Evidence(how="confirm page", at=AT)).asking(question(2), AT)
    assert Consent.read(consent.stored()) == consent
    assert Consent.read({}) == Consent()


def test_a_yes_keeps_the_evidence_of_question_and_answer_and_closes_the_question():
    answered = Consent().asking(question(), AT).answered(Evidence(how="confirm page", at=AT))
    assert [evidence.how for evidence in answered.given] == ["sign-up page", "confirm page"]
    assert answered.given[0].ip_prefix == "203.0.113.0/24"
    assert answered.question is None


def test_the_first_yes_is_kept_however_many_follow():
    consent = Consent()
    for number in range(50):
        consent = consent.answered(Evidence(how=f"yes {number}", at=AT))
    assert len(consent.given) == 20
    assert consent.given[0].how == "yes 0"
    assert consent.given[-1].how == "yes 49"


def test_a_farewell_closes_the_question():
    left = Consent().asking(question(), AT).left(WISH)
    assert left.question is None
    assert left.farewell == WISH


def test_a_prefix_is_too_wide_to_name_a_person():
    assert ip_prefix("198.51.100.255") == "198.51.100.0/24"
    assert ip_prefix("fe80::1%eth0") == "fe80::/48"
    assert ip_prefix("") == ""
