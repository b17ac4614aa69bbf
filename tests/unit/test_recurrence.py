"""When newsletters come out: RFC 5545's rules by local clocks, and our rules where the clocks are changed."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, example, given
from hypothesis import strategies as st

from worker.errors import InputError
from worker.recurrence import FIRST_ZONE, LAST_ZONE, check_rule, next_issue, next_occurrence, wall_time
from worker.schedule import resolve

START = date(2024, 1, 1)
BERLIN = ZoneInfo("Europe/Berlin")
ZONES = st.sampled_from(sorted(available_timezones() - {"localtime", "Factory"}))
INSTANTS = st.integers(0, 10 * 365 * 24 * 60).map(
    lambda minutes: datetime(2024, 1, 3, tzinfo=UTC) + timedelta(minutes=minutes)
)
RULES = st.sampled_from(
    [
        "FREQ=DAILY;BYHOUR=6;BYMINUTE=30",
        "FREQ=DAILY;BYHOUR=2;BYMINUTE=30",
        "FREQ=DAILY;BYHOUR=0;BYMINUTE=0",
        "FREQ=WEEKLY;BYDAY=MO,WE,FR;BYHOUR=17",
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU;BYHOUR=3",
        "FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=1,7,19",
        "FREQ=MONTHLY;BYMONTHDAY=31;BYHOUR=9",
        "FREQ=YEARLY;BYMONTH=3,10;BYDAY=-1SU;BYHOUR=2",
    ]
)


def later(rule: str, after: datetime, *, zone: ZoneInfo = BERLIN, starts_on: date = START) -> datetime | None:
    return next_occurrence(rule, starts_on=starts_on, zone=zone, after=after)


@given(RULES, ZONES, INSTANTS)
@example("FREQ=DAILY;BYHOUR=2;BYMINUTE=30", "Europe/Berlin", datetime(2026, 3, 28, 2, tzinfo=UTC))
@example("FREQ=DAILY;BYHOUR=0;BYMINUTE=0", "Africa/Cairo", datetime(2026, 4, 23, 2, tzinfo=UTC))
def test_the_next_time_is_the_first_of_dateutils_local_times_by_our_rules(rule, name, after):
    zone = ZoneInfo(name)
    found = later(rule, after, zone=zone)
    local = after.astimezone(zone).replace(tzinfo=None)
    walls = rrulestr(rule, dtstart=datetime.combine(START, time())).xafter(local - timedelta(days=2), count=12)
    instants = [resolve(wall.date(), wall.time(), zone) for wall in walls]
    assert found == min(instant for instant in instants if instant > after)


@given(RULES, ZONES, INSTANTS)
def test_away_from_changes_it_is_what_dateutil_says_of_the_zone_itself(rule, name, after):
    zone = ZoneInfo(name)
    offsets = {(after + timedelta(hours=hours)).astimezone(zone).utcoffset() for hours in range(-48, 24 * 95, 6)}
    assume(len(offsets) == 1)
    aware = rrulestr(rule, dtstart=datetime.combine(START, time(), tzinfo=zone))
    following = aware.after(after.astimezone(zone))
    assume(following is not None and following < after + timedelta(days=90))
    assert later(rule, after, zone=zone) == following


@given(RULES, ZONES, INSTANTS)
def test_an_instant_leads_back_to_its_local_time(rule, name, after):
    zone = ZoneInfo(name)
    instant = later(rule, after, zone=zone)
    assert instant is not None
    wall = wall_time(rule, starts_on=START, zone=zone, at=instant)
    assert wall is not None
    assert resolve(wall.date(), wall.time(), zone) == instant


@given(RULES, ZONES, INSTANTS)
def test_no_reader_comes_before_the_first_zone_or_after_the_last(rule, name, after):
    def walls(zone: ZoneInfo, at: datetime) -> datetime | None:
        return wall_time(rule, starts_on=START, zone=zone, at=at)

    first = later(rule, after, zone=ZoneInfo(FIRST_ZONE))
    assert first is not None
    wall = walls(ZoneInfo(FIRST_ZONE), first)
    assert wall is not None
    theirs = resolve(wall.date(), wall.time(), ZoneInfo(name))
    assert first <= theirs <= resolve(wall.date(), wall.time(), ZoneInfo(LAST_ZONE)) + timedelta(hours=1)


def test_a_skipped_time_is_the_first_valid_instant_and_a_repeated_one_comes_once():
    rule = "FREQ=DAILY;BYHOUR=2;BYMINUTE=30"
    assert later(rule, datetime(2026, 3, 28, 12, tzinfo=UTC)) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    first = later(rule, datetime(2026, 10, 24, 12, tzinfo=UTC))
    assert first == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert later(rule, first) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


def test_without_an_hour_it_comes_at_seven():
    assert later("FREQ=DAILY", datetime(2026, 6, 1, 12, tzinfo=UTC)) == datetime(2026, 6, 2, 5, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("end", "last"),
    [
        ("UNTIL=20260605", datetime(2026, 6, 5, 5, tzinfo=UTC)),  # a date: its whole day
        ("UNTIL=20260605T070000", datetime(2026, 6, 5, 5, tzinfo=UTC)),
        ("UNTIL=20260605T045959Z", datetime(2026, 6, 4, 5, tzinfo=UTC)),
        ("COUNT=4", datetime(2026, 6, 4, 5, tzinfo=UTC)),
    ],
)
def test_a_rule_that_ends_comes_no_more(end, last):
    rule, starts_on, after = f"FREQ=DAILY;{end}", date(2026, 6, 1), datetime(2026, 6, 1, tzinfo=UTC)
    came = []
    while (found := later(rule, after, starts_on=starts_on)) is not None:
        came.append(found)
        after = found
    assert came[-1] == last
    wall = wall_time(rule, starts_on=starts_on, zone=BERLIN, at=last + timedelta(days=9))
    assert wall is not None
    assert (wall.date(), wall.time()) == (last.date(), time(7))


def test_before_its_first_day_a_rule_has_no_time():
    assert wall_time("FREQ=DAILY", starts_on=START, zone=BERLIN, at=datetime(2023, 1, 1, tzinfo=UTC)) is None
    assert wall_time("FREQ=DAILY;COUNT=2", starts_on=START, zone=BERLIN, at=datetime(2023, 1, 1, tzinfo=UTC)) is None


def test_by_readers_clocks_an_issue_is_due_when_the_first_zone_has_its_time():
    due = next_issue(
        "FREQ=DAILY", starts_on=START, timezone="Europe/Berlin", by_readers=True, after=datetime(2026, 6, 1, tzinfo=UTC)
    )
    assert due == datetime(2026, 6, 1, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "never happens"),
        ("FREQ=MONTHLY;BYMONTH=4,6;BYMONTHDAY=31,-31", "never happens"),
        ("FREQ=DAILY;UNTIL=20200101", "never happens within five years"),
        ("FREQ=HOURLY;INTERVAL=24;BYHOUR=7", "is not possible"),
        ("FREQ=DAILY;UNTIL=20269999", "is not possible"),
        ("FREQ=HOURLY;BYMINUTE=0,5", "more than once in 15 minutes"),
        ("FREQ=DAILY;BYSECOND=0,30", "more than once in 15 minutes"),
    ],
)
def test_an_impossible_rule_is_refused(rule, told):
    with pytest.raises(InputError, match=told):
        check_rule(rule, starts_on=date(2026, 1, 1))


@given(RULES)
def test_a_rule_that_comes_is_let_pass(rule):
    check_rule(rule, starts_on=START)
