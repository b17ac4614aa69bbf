"""What answers say of the way that a message took, and how much of it shuts that way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.circuits import Trouble, Way
from worker.delivery.breakers import WINDOW_S, Evidence, trouble_of
from worker.errors import Blame, OutcomeUnknown, SendError
from worker.model import Receipt


def refused(code: int | None, enhanced: str = "", text: str = "no", blame: Blame = Blame.US) -> SendError:
    return SendError(text, permanent=code is not None and code >= 500, blame=blame, code=code, enhanced=enhanced)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Receipt(provider="relay", code=250), None),
        (OutcomeUnknown("the line dropped"), Trouble.REPLY_LOST),
        (refused(550, "5.1.1", blame=Blame.RECIPIENT), None),
        (refused(452, "4.2.2", blame=Blame.RECIPIENT), None),
        (refused(451, "4.7.1", "Greylisted"), None),
        (refused(None, text="connection refused"), Trouble.UNREACHABLE),
        (refused(535, "5.7.8"), Trouble.LOGIN),
        (refused(530, "5.7.0"), Trouble.LOGIN),
        (refused(401), Trouble.LOGIN),
        (refused(421), Trouble.OVERLOAD),
        (refused(429), Trouble.OVERLOAD),
        (refused(421, "4.7.28"), Trouble.OVERLOAD),
        (refused(451, "4.7.500", "Server busy"), Trouble.OVERLOAD),
        (refused(550, "5.7.1"), Trouble.POLICY),
        (refused(550, "5.7.515"), Trouble.POLICY),
        (refused(454, "4.7.1"), Trouble.OVERLOAD),
        (refused(450, "4.3.0"), Trouble.REFUSAL),
        (refused(500), Trouble.REFUSAL),
        (refused(554), Trouble.REFUSAL),
    ],
    ids=str,
)
def test_an_answer_speaks_of_its_way_only_when_it_is_about_us(answer, says):
    assert trouble_of(answer) is says


def failures_until_shut(evidence: Evidence, trouble: Trouble, way: Way, *, domain: str = "example.org") -> int:
    for count in range(1, 200):
        if way in evidence.fail(trouble, stream="digest", domain=domain, now_s=count / 10):
            return count
    return 0


@pytest.mark.parametrize(
    ("trouble", "way", "count"),
    [
        (Trouble.UNREACHABLE, Way("relay"), 3),
        (Trouble.LOGIN, Way("relay"), 1),
        (Trouble.REPLY_LOST, Way("relay"), 3),
        (Trouble.OVERLOAD, Way("relay"), 10),
        (Trouble.OVERLOAD, Way("relay", "", "example.org"), 5),
        (Trouble.POLICY, Way("relay", "digest", "example.org"), 1),
        (Trouble.POLICY, Way("relay", "digest"), 0),
        (Trouble.POLICY, Way("relay"), 20),
        (Trouble.UNREACHABLE, Way("relay", "digest"), 0),
    ],
    ids=str,
)
def test_a_way_is_shut_by_so_many_failures_in_a_row(trouble, way, count):
    assert failures_until_shut(Evidence("relay"), trouble, way) == count


def test_five_domains_shut_a_stream_that_one_alone_never_does():
    evidence = Evidence("relay")
    shut = [
        Way("relay", "digest") in evidence.fail(Trouble.POLICY, stream="digest", domain=f"{number}.example", now_s=1)
        for number in (1, 1, 2, 2, 3, 4, 5, 5)
    ]
    assert shut.index(True) == 6


def test_what_worked_before_does_not_delay_a_dead_line_and_a_wrong_password():
    for trouble, count in ((Trouble.UNREACHABLE, 3), (Trouble.LOGIN, 1)):
        evidence = Evidence("relay")
        for _ in range(10_000):
            evidence.accept("digest", "example.org")
        assert failures_until_shut(evidence, trouble, Way("relay")) == count


def test_one_readers_own_policy_shuts_nothing_that_works_for_their_neighbours():
    evidence = Evidence("relay")
    for number in range(1000):
        if number % 20 == 7:
            assert not evidence.fail(Trouble.POLICY, stream="digest", domain="example.org", now_s=number / 10)
        evidence.accept("digest", "example.org")


def test_a_whole_domain_that_turns_against_us_is_shut_soon_however_well_it_went_before():
    evidence = Evidence("relay")
    for _ in range(5000):
        evidence.accept("digest", "example.org")
    assert failures_until_shut(evidence, Trouble.POLICY, Way("relay", "digest", "example.org")) == 5


def test_a_domain_in_trouble_does_not_shut_the_provider_for_others():
    evidence = Evidence("relay")
    shut = set()
    for number in range(200):
        shut |= set(evidence.fail(Trouble.OVERLOAD, stream="digest", domain="busy.example", now_s=number / 10))
        for _ in range(2):
            evidence.accept("digest", "example.org")
    assert shut == {Way("relay", "", "busy.example")}


def test_failures_hours_apart_do_not_add_up():
    evidence = Evidence("relay")
    for number in range(20):
        assert not evidence.fail(Trouble.UNREACHABLE, now_s=number * WINDOW_S)


def test_memory_is_given_back_when_the_window_is_over():
    evidence = Evidence("relay")
    for number in range(1000):
        evidence.accept("digest", f"{number}.example")
    evidence.age(WINDOW_S + 1)
    assert not evidence._taken_of


@given(
    st.lists(st.tuples(st.sampled_from(["accept", *Trouble]), st.sampled_from("abc"), st.floats(0, 100)), max_size=300)
)
def test_only_ways_that_the_failure_took_are_ever_shut(steps):
    evidence, now_s = Evidence("relay"), 0.0
    for what, domain, seconds in steps:
        now_s += seconds
        evidence.age(now_s)
        if what == "accept":
            evidence.accept("digest", domain)
        else:
            for way in evidence.fail(what, stream="digest", domain=domain, now_s=now_s):
                assert way.provider == "relay"
                assert way.stream in {"", "digest"}
                assert way.domain in {"", domain}
