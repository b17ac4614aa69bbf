"""Newsletters in a simulation: whose clock an issue goes by, what it is made of, and why there is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest

from tests.unit.planning.worlds import AT, RULES, facts, news, reader
from worker.model import StoryId, TopicId
from worker.planning.decide_newsletter import Selection
from worker.planning.issues import Issues, Letter
from worker.planning.rules import Quiet
from worker.planning.world import Span, World

NEWS = news([facts(1, hours=2), facts(2)], {(1, 1): 3, (2, 1): 1})
LETTER = Letter(
    slug="top",
    schedule="FREQ=DAILY;BYHOUR=7;BYMINUTE=30",
    starts_on=date(2026, 10, 1),
    timezone="Europe/London",
    by_readers=False,
    needs_approval=False,
    selection=Selection(topics=(TopicId(1),), minimum=2, maximum=5),
)
OCTOBER = Span(start=datetime(2026, 10, 24, tzinfo=UTC), end=datetime(2026, 10, 27, tzinfo=UTC))
HALF_PAST = AT + timedelta(minutes=30)


def issues(span: Span = OCTOBER) -> Issues:
    return Issues(World(NEWS, alerts={}), span)


def test_an_issue_goes_by_the_newsrooms_clock_or_by_each_readers():
    stamps = [at.isoformat() for at in issues().instants(LETTER, "Asia/Seoul")]
    assert stamps == ["2026-10-24T06:30:00+00:00", "2026-10-25T07:30:00+00:00", "2026-10-26T07:30:00+00:00"]
    by_readers = replace(LETTER, by_readers=True)
    hours = [at.hour for at in issues().instants(by_readers, "America/New_York")]
    assert hours == [11, 11, 11]
    hours = [at.hour for at in issues().instants(by_readers, "Europe/Berlin")]
    assert hours == [5, 6, 6]


def test_an_issue_has_what_came_since_the_one_before():
    assert issues().ranking(LETTER, HALF_PAST, "UTC") == (1, 2)
    assert issues().ranking(LETTER, HALF_PAST + timedelta(days=1), "UTC") == ()
    by_readers = replace(LETTER, by_readers=True)
    first = HALF_PAST - timedelta(hours=14)  # where this local time comes first, the stories had not come
    assert issues().ranking(by_readers, HALF_PAST, "UTC") == ()
    assert first < AT


@pytest.mark.parametrize(
    ("letter", "terms", "seen", "late", "reason"),
    [
        (LETTER, {}, {}, 0, "top: 2 stories"),
        (LETTER, {}, {1: 0}, 0, "1 story, the least is 2"),
        (LETTER, {"awake": False}, {}, 0, "paused"),
        (LETTER, {}, {}, 12, "too old: due at 2026-11-23T07:30:00Z"),
        (replace(LETTER, needs_approval=True), {}, {}, 0, "waits for approval"),
        (replace(LETTER, selection=Selection(topics=(TopicId(1),), minimum=3)), {}, {}, 0, "2 stories, the least is 3"),
    ],
)
def test_an_issue_says_what_it_is_or_why_it_is_not(letter, terms, seen, late, reason):
    shown = {StoryId(story): update for story, update in seen.items()}
    at = HALF_PAST + timedelta(hours=late)
    given = issues().give(letter, HALF_PAST, reader(**terms), shown, RULES, at=at)
    assert (bool(given.stories), given.reason) == (reason == "top: 2 stories", reason)


def test_an_issue_in_quiet_hours_goes_when_they_are_over():
    quiet = Quiet(start=time(6), end=time(9))
    given = issues().give(LETTER, HALF_PAST, reader(quiet=quiet), {}, RULES, at=HALF_PAST)
    assert (given.stories, given.at) == ((1, 2), datetime(2026, 11, 23, 9, tzinfo=UTC))
