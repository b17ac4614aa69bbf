"""What a client's requests together give away, and how all of it is forgotten."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.measures import Measure, Visitor
from worker.measuring import window
from worker.measuring.window import HOUR_S, JUDGED_AFTER_S, MOST_AN_HOUR, TOO_MANY, What, Window

ADA, BO = {"address": "203.0.113.7", "agent": "Firefox"}, {"address": "203.0.113.8", "agent": "Firefox"}


def link(article: int, edition: int = 5) -> What:
    return What(Measure.CLICKS, edition, article)


def after_all(seen: Window, at_s: float = 100.0) -> Counter[Visitor]:
    counts: Counter[Visitor] = Counter()
    for (_, visitor), count in seen.settled(at_s=at_s, everything=True).items():
        counts[visitor] += count
    return counts


@pytest.fixture
def seen() -> Window:
    return Window()


def test_a_request_is_counted_once_its_client_had_time_to_give_itself_away(seen):
    seen.note(link(1), Visitor.PERSON, **ADA, at_s=0.0)
    assert not seen.settled(at_s=JUDGED_AFTER_S - 0.1)
    assert seen.settled(at_s=JUDGED_AFTER_S) == {(link(1), Visitor.PERSON): 1}
    assert not seen.settled(at_s=HOUR_S)


@pytest.mark.parametrize(("most", "within_s"), TOO_MANY)
def test_links_followed_faster_than_anybody_reads_were_all_a_programs(seen, most, within_s):
    for number in range(most):
        seen.note(link(number), Visitor.PERSON, **ADA, at_s=number * within_s / most)
    seen.note(link(99), Visitor.PERSON, **ADA, at_s=60.0)
    assert after_all(seen) == {Visitor.ROBOT: most + 1}


def test_somebody_who_reads_story_after_story_stays_a_person(seen):
    for number in range(20):
        seen.note(link(number), Visitor.PERSON, **ADA, at_s=number * 5.0)
    assert after_all(seen) == {Visitor.PERSON: 20}


def test_one_link_followed_again_and_again_is_impatience(seen):
    for tenth in range(5):
        seen.note(link(1), Visitor.PERSON, **ADA, at_s=tenth / 10)
    assert after_all(seen) == {Visitor.PERSON: 5}


def test_a_program_says_nothing_about_its_neighbours_or_about_other_editions(seen):
    for number in range(3):
        seen.note(link(number), Visitor.PERSON, **ADA, at_s=0.1)
    seen.note(link(1), Visitor.PERSON, **BO, at_s=0.2)
    seen.note(link(1, edition=6), Visitor.PERSON, **ADA, at_s=0.3)
    seen.note(link(1), Visitor.PERSON, address="203.0.113.7", agent="Safari", at_s=0.4)
    assert after_all(seen) == {Visitor.ROBOT: 3, Visitor.PERSON: 3}


def test_who_follows_a_link_that_nobody_sees_was_a_program_a_moment_ago_and_is_one_from_now_on(seen):
    seen.note(link(1), Visitor.PERSON, **ADA, at_s=0.0)
    seen.note(link(2), Visitor.PERSON, **ADA, at_s=5.0)
    seen.note(link(2), Visitor.PERSON, **BO, at_s=5.0)
    assert seen.settled(at_s=10.0) == {(link(1), Visitor.PERSON): 1}  # judged already
    seen.trap(5, **ADA, at_s=12.0)
    seen.note(link(3), Visitor.PERSON, **ADA, at_s=900.0)
    assert after_all(seen, at_s=900.0) == {Visitor.ROBOT: 2, Visitor.PERSON: 1}


def test_nobody_counts_for_more_than_so_many_in_an_hour(seen):
    for second in range(MOST_AN_HOUR + 20):
        seen.note(link(1), Visitor.PERSON, **ADA, at_s=float(second))
    seen.note(link(2), Visitor.PERSON, **ADA, at_s=100.0)
    assert after_all(seen) == {Visitor.PERSON: MOST_AN_HOUR + 1}
    seen.note(link(1), Visitor.PERSON, **ADA, at_s=HOUR_S)
    assert after_all(seen) == {Visitor.PERSON: 1}


def test_an_hour_later_nobody_could_be_known_again():
    salts = iter([b"never used", b"first", b"second"])
    seen = Window(salt=lambda: next(salts))
    seen.note(link(1), Visitor.PERSON, **ADA, at_s=0.0)
    [known] = seen._clients
    seen.note(link(1), Visitor.PERSON, **ADA, at_s=HOUR_S)
    [known_later] = seen._clients
    assert known != known_later
    assert seen._salt == b"second"


def test_what_is_remembered_has_an_end(seen, monkeypatch):
    monkeypatch.setattr(window, "_CLIENTS", 50)
    for number in range(500):
        seen.note(link(1), Visitor.PERSON, address=f"2001:db8::{number:x}", agent="Firefox", at_s=0.0)
    assert len(seen._clients) == 50
    assert after_all(seen) == {Visitor.PERSON: 500}


@given(
    st.lists(
        st.tuples(
            st.floats(0, 20), st.integers(0, 5), st.integers(0, 2), st.sampled_from(Visitor), st.sampled_from(Measure)
        ),
        max_size=60,
    )
)
def test_every_request_is_counted_exactly_once_as_long_as_nobody_asks_too_often(requests):
    seen, counted = Window(), 0
    for at_s, article, client, visitor, measure in sorted(requests):
        what = What(measure, 5, article if measure is Measure.CLICKS else 0)
        seen.note(what, visitor, address=f"203.0.113.{client}", agent="Firefox", at_s=at_s)
        counted += seen.settled(at_s=at_s).total()
    asked = Counter(
        (client, measure, article * (measure is Measure.CLICKS)) for _, article, client, _, measure in requests
    )
    assert counted + seen.settled(at_s=20, everything=True).total() == sum(min(n, MOST_AN_HOUR) for n in asked.values())
