"""What becomes of one reader's alert, in the order of the rules; of bursts and of what a reader is owed."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.planning.worlds import AT, NIGHT, RULES, facts, news, reader
from worker.model import Owing, Severity, StoryId, TopicId
from worker.planning.bursts import Burst, next_summary, step
from worker.planning.decide_alert import Act, AlertCase, decide_alert
from worker.planning.decide_rolling import RollingCase, decide_rolling
from worker.planning.owing import GRACE, owed_due, waits_until
from worker.planning.quiet import next_quiet, quiet_at
from worker.planning.rules import Quiet

ONE, TWO = TopicId(1), TopicId(2)
BREAKING = facts(5, severity=Severity.BREAKING)
HOUR = timedelta(hours=1)


def case(**values: Any) -> AlertCase:
    about: dict[str, Any] = {"reader": reader(), "topics": (ONE,), "facts": facts(5), "due_at": AT}
    return AlertCase(**about | values)


@pytest.mark.parametrize(
    ("told", "late", "act", "owing", "reason"),
    [
        (case(), 0 * HOUR, Act.SEND, None, "alert"),
        (case(seen_update=0), 0 * HOUR, Act.NONE, None, "seen"),
        (case(seen_update=0, reader=reader(awake=False)), 0 * HOUR, Act.NONE, None, "seen"),
        (case(reader=reader(awake=False)), 6 * HOUR, Act.NONE, None, "paused"),
        (case(facts=BREAKING), 6 * HOUR, Act.OWE, Owing.LATE, "too old: due at 2026-11-23T07:00:00Z"),
        (case(facts=facts(5, hours=25)), 0 * HOUR, Act.NONE, None, "too old: published 2026-11-22T06:00:00Z"),
        (
            case(facts=BREAKING, reader=reader(quiet=NIGHT, budget=1), alerted=(AT,)),
            0 * HOUR,
            Act.SEND,
            None,
            "breaking",
        ),
        (
            case(reader=reader(quiet=NIGHT), bursting=frozenset({ONE})),
            0 * HOUR,
            Act.OWE,
            Owing.QUIET,
            "quiet hours until 2026-11-23T07:30:00Z",
        ),
        (case(bursting=frozenset({ONE}), reader=reader(budget=1), alerted=(AT,)), 0 * HOUR, Act.ROLL, None, "burst"),
        (case(bursting=frozenset({ONE}), topics=(ONE, TWO)), 0 * HOUR, Act.SEND, None, "alert"),
        (case(reader=reader(budget=1), alerted=(AT,)), HOUR, Act.OWE, Owing.BUDGET, "budget of 1 spent"),
        (case(reader=reader(budget=1), alerted=(AT - 8 * HOUR,)), 0 * HOUR, Act.SEND, None, "alert"),
        (case(reader=reader(budget=0), alerted=(AT,) * 50), 0 * HOUR, Act.SEND, None, "alert"),
    ],
)
def test_the_first_rule_that_has_something_to_say_decides(told, late, act, owing, reason):
    verdict = decide_alert(told, RULES, at=AT + late)
    assert (verdict.act, verdict.owing, verdict.reason) == (act, owing, reason)
    assert (verdict.owed_due_at is not None) is (act is Act.OWE)


def test_an_update_that_an_editor_marked_goes_to_who_saw_the_story_however_old_it_is():
    verdict = decide_alert(case(facts=facts(5, hours=60, update_no=1), seen_update=0), RULES, at=AT)
    assert (verdict.act, verdict.threads) == (Act.SEND, True)


def test_a_budget_goes_by_the_readers_own_day():
    seoul = reader(timezone="Asia/Seoul", budget=1)  # 16:00 there: their day began at 15:00 UTC
    for hours, act in ((15, Act.OWE), (17, Act.SEND)):
        assert decide_alert(case(reader=seoul, alerted=(AT - hours * HOUR,)), RULES, at=AT).act is act


def test_more_alerts_than_a_burst_takes_open_one_that_lasts_until_a_summary_has_nothing():
    times = [AT + timedelta(minutes=minute) for minute in range(11)]
    assert step(None, times[:10], RULES, at=times[9]) is None
    burst = step(None, times, RULES, at=times[10])
    assert burst == Burst(opened_at=times[10], summary_due_at=AT + HOUR / 2)
    assert step(burst, times, RULES, at=AT + HOUR / 4) == burst
    going_on = step(burst, times, RULES, at=AT + HOUR / 2)
    assert going_on == Burst(opened_at=times[10], summary_due_at=AT + HOUR)
    assert step(going_on, times, RULES, at=AT + HOUR) is None
    assert step(None, [AT - HOUR] * 20, RULES, at=AT) is None


def test_summaries_fall_on_one_grid():
    assert next_summary(RULES, after=AT) == AT + HOUR / 2
    assert next_summary(RULES, after=AT + HOUR / 2 - timedelta(seconds=1)) == AT + HOUR / 2


NEWS = news([facts(story) for story in range(1, 5)], {(1, 1): 3, (2, 1): 1, (2, 2): 1, (3, 2): 1, (4, 2): 1})
ROLLED = {ONE: (StoryId(1), StoryId(2)), TWO: (StoryId(2), StoryId(3), StoryId(4))}


def test_a_summary_has_what_its_reader_has_not_got_otherwise():
    rolling = RollingCase(reader=reader(), rolled=ROLLED, seen={StoryId(3): 0}, owed=frozenset({StoryId(4)}), due_at=AT)
    verdict = decide_rolling(rolling, NEWS, RULES, at=AT)
    assert verdict.layout is not None
    assert verdict.layout.sections == ((1, (1, 2)),)
    assert verdict.reason == "2 stories"


@pytest.mark.parametrize(
    ("terms", "late", "owing"),
    [
        ({"quiet": NIGHT}, 0 * HOUR, Owing.QUIET),
        ({"budget": 1}, 0 * HOUR, Owing.BUDGET),
        ({}, 6 * HOUR, Owing.LATE),
    ],
)
def test_a_summary_that_may_not_go_is_owed_whole(terms, late, owing):
    rolling = RollingCase(reader=reader(**terms), rolled=ROLLED, alerted=(AT,), due_at=AT)
    verdict = decide_rolling(rolling, NEWS, RULES, at=AT + late)
    assert (verdict.send, verdict.owing, verdict.stories) == (False, owing, (1, 2, 3, 4))
    assert verdict.owed_due_at is not None


def test_what_is_owed_comes_after_quiet_hours_with_the_next_digest_or_the_next_morning():
    assert owed_due(reader(quiet=NIGHT), [AT + HOUR], RULES, at=AT) == AT + HOUR / 2
    assert owed_due(reader(), [AT + 9 * HOUR, AT + 3 * HOUR], RULES, at=AT) == AT + 3 * HOUR + GRACE
    assert owed_due(reader(), [], RULES, at=AT) == AT + timedelta(days=1)
    assert owed_due(reader(timezone="America/New_York"), [], RULES, at=AT) == AT + 5 * HOUR
    assert owed_due(reader(quiet=NIGHT), [], RULES, at=AT + HOUR) == AT + timedelta(days=1, minutes=30)


def test_what_quiet_hours_held_goes_when_they_are_over_and_all_else_waits_for_a_digest():
    assert waits_until(reader(), Owing.QUIET, [AT + HOUR], RULES, at=AT) is None
    assert waits_until(reader(), Owing.QUIET, [AT], RULES, at=AT) == AT + GRACE
    assert waits_until(reader(), Owing.BUDGET, [AT + HOUR], RULES, at=AT) == AT + HOUR + GRACE
    assert waits_until(reader(), Owing.BUDGET, [], RULES, at=AT) is None
    assert waits_until(reader(quiet=NIGHT), Owing.BUDGET, [], RULES, at=AT) == AT + HOUR / 2


MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  zone is given
WALLS = st.builds(time, st.integers(0, 23), st.integers(0, 59))
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca"])


@given(MOMENTS, WALLS, WALLS, ZONES)
def test_quiet_hours_are_those_of_the_readers_clock(at, start, end, zone):
    wished = reader(timezone=zone, quiet=Quiet(start=start, end=end))
    wall = at.astimezone(ZoneInfo(zone)).time()
    inside = start <= wall < end if start <= end else wall >= start or wall < end
    calm = len({(at + timedelta(hours=hours)).astimezone(ZoneInfo(zone)).utcoffset() for hours in range(-30, 31)}) == 1
    span = quiet_at(wished, at)
    if calm:
        assert (span is not None) is inside
    if span is not None:
        assert span.start <= at < span.end
        assert span.end - span.start <= timedelta(hours=26)
    coming = next_quiet(wished, at)
    assert (coming is None) is (start == end)
    if coming is not None:
        assert coming.end > at
        assert coming == (span or coming)
        assert quiet_at(wished, coming.start) is not None


def test_who_has_no_quiet_hours_is_never_in_them():
    assert next_quiet(reader(), AT) is None
    assert quiet_at(reader(), AT) is None
