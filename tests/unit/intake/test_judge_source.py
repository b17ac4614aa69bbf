"""Is a source well: failing, silent by its own measure, slow, or what somebody has said of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from worker.feeds import SourceCondition, SourceState
from worker.intake.judge_source import SourceFacts, Verdict, judge_source
from worker.intake.rhythm import Rhythm

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)  # a Wednesday
HOUR = timedelta(hours=1)
DAYTIME = Rhythm(articles=200, gap_s=1800.0, longest_gap_s=10 * 3600.0, tells_at_weekends=True, span_s=14 * 86400.0)


def judged(rhythm: Rhythm | None = DAYTIME, *, now: datetime = NOW, **values: Any) -> Verdict:
    """Judge a source that is well but for `values`."""
    facts: dict[str, Any] = {
        "is_polled": True,
        "state": SourceState.ACTIVE,
        "state_since": None,
        "state_reason": "",
        "created_at": NOW - timedelta(days=60),
        "last_ok_at": NOW,
        "last_news_at": NOW - HOUR,
        "failures": 0,
        "last_error": "",
        "held_since": None,
        "held_reason": "",
        "moved_to": "",
        "poll_every_s": 300.0,
    }
    return judge_source(SourceFacts(**facts | values), rhythm, now=now)


def test_a_source_that_answers_and_tells_is_well():
    assert judged().condition is SourceCondition.OK


@pytest.mark.parametrize(("failures", "condition"), [(1, SourceCondition.OK), (3, SourceCondition.FAILING)])
def test_it_fails_after_three_polls_in_a_row_and_says_why_and_since_when(failures, condition):
    verdict = judged(failures=failures, last_error="HTTP 503", last_ok_at=NOW - HOUR)
    assert verdict.condition is condition
    if condition is SourceCondition.FAILING:
        assert verdict.reason == "3 polls have failed: HTTP 503"
        assert verdict.since == NOW - HOUR


def test_one_failure_is_enough_when_nothing_has_come_for_hours():
    failed: dict[str, Any] = {"failures": 1, "last_error": "no answer", "last_ok_at": NOW - 7 * HOUR}
    assert judged(**failed, last_news_at=NOW - 8 * HOUR).condition is SourceCondition.FAILING
    assert judged(**failed, last_news_at=NOW - HOUR).condition is SourceCondition.OK  # pushed by its hub
    rare = judged(**failed, last_news_at=NOW - 8 * HOUR, poll_every_s=6 * 3600.0)
    assert rare.condition is SourceCondition.OK


def test_what_has_never_answered_says_what_it_says_instead():
    verdict = judged(last_ok_at=None, failures=1, last_error="no such host")
    assert (verdict.condition, verdict.reason) == (SourceCondition.NEVER, "no such host")


@pytest.mark.parametrize(
    ("hours", "condition"), [(12, SourceCondition.OK), (19, SourceCondition.OK), (21, SourceCondition.SILENT)]
)
def test_it_is_silent_after_twice_its_longest_pause(hours, condition):
    verdict = judged(last_news_at=NOW - hours * HOUR)
    assert verdict.condition is condition


def test_a_silence_that_we_have_not_asked_about_is_none():
    assert judged(last_news_at=NOW - 60 * HOUR, last_ok_at=NOW - 55 * HOUR).condition is SourceCondition.OK


def test_a_weekend_is_no_silence_of_a_source_that_rests_then():
    office = Rhythm(articles=60, gap_s=14_400.0, longest_gap_s=15 * 3600.0, span_s=21 * 86400.0)
    friday, monday = datetime(2026, 11, 20, 17, tzinfo=UTC), datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert judged(office, now=monday, last_news_at=friday, last_ok_at=monday).condition is SourceCondition.OK
    wednesday = monday + timedelta(days=2)
    verdict = judged(office, now=wednesday, last_news_at=friday, last_ok_at=wednesday)
    assert verdict.condition is SourceCondition.SILENT
    assert "nothing new for 64 hours, weekends not counted; its longest pause of late was 15 hours" in verdict.reason


def test_the_nights_of_a_source_that_is_known_for_hours_only_are_no_silence():
    quick = Rhythm(articles=50, gap_s=60.0, longest_gap_s=300.0, tells_at_weekends=True, span_s=5 * 3600.0)
    assert judged(quick, last_news_at=NOW - 10 * HOUR).condition is SourceCondition.OK
    assert judged(quick, last_news_at=NOW - 25 * HOUR).condition is SourceCondition.SILENT


def test_without_a_rhythm_nothing_is_silent():
    for rhythm in (None, Rhythm(articles=2)):
        assert judged(rhythm, last_news_at=NOW - timedelta(days=300)).condition is SourceCondition.OK


def test_it_is_slow_when_its_articles_come_far_later_than_they_used_to_and_than_it_is_polled():
    late = Rhythm(articles=50, recent_lag_s=7200.0, usual_lag_s=120.0)
    assert judged(late).condition is SourceCondition.SLOW
    assert judged(late, poll_every_s=3600.0).condition is SourceCondition.OK
    always = Rhythm(articles=50, recent_lag_s=7200.0, usual_lag_s=7000.0)
    assert judged(always).condition is SourceCondition.OK


def test_what_somebody_has_said_of_it_comes_first():
    values: dict[str, Any] = {"state_since": NOW - HOUR, "failures": 9, "last_error": "HTTP 410"}
    gone = judged(state=SourceState.GONE, state_reason="it answered 410", **values)
    assert gone == Verdict(condition=SourceCondition.GONE, since=NOW - HOUR, reason="it answered 410")
    assert judged(state=SourceState.PAUSED, **values).condition is SourceCondition.PAUSED
    held = judged(held_since=NOW - HOUR, held_reason="all its items are new")
    assert (held.condition, held.reason) == (SourceCondition.HELD, "all its items are new")


def test_a_move_that_was_not_followed_is_told():
    verdict = judged(moved_to="https://new.example/feed")
    assert verdict.condition is SourceCondition.MOVED
    assert "https://new.example/feed" in verdict.reason


def test_what_is_handed_in_is_not_judged_by_polls():
    assert (
        judged(is_polled=False, last_ok_at=None, last_news_at=NOW - timedelta(days=90)).condition is SourceCondition.OK
    )
