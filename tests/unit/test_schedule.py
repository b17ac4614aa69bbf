"""When a subscription is next due: on every day of the year, in zones whose clocks do odd things."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.errors import InputError
from worker.model import Cadence
from worker.schedule import DEFAULT_TIMES, check_zone, next_due, parse_time, resolve

# Half and quarter hours, changes at midnight, double changes, days left out, no changes: forty of the odder ones.
ZONES = [
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "Europe/Dublin",
    "Europe/Lisbon",
    "Europe/Moscow",
    "Europe/Istanbul",
    "Europe/Chisinau",
    "America/New_York",
    "America/Los_Angeles",
    "America/Phoenix",
    "America/St_Johns",
    "America/Sao_Paulo",
    "America/Havana",
    "America/Santiago",
    "America/Asuncion",
    "America/Nuuk",
    "America/Scoresbysund",
    "America/Caracas",
    "America/Godthab",
    "Asia/Seoul",
    "Asia/Tokyo",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Tehran",
    "Asia/Gaza",
    "Asia/Beirut",
    "Asia/Amman",
    "Asia/Pyongyang",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Africa/El_Aaiun",
    "Australia/Lord_Howe",
    "Australia/Adelaide",
    "Australia/Eucla",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Pacific/Easter",
    "Antarctica/Troll",
]
WALLS = st.builds(lambda hour, minute: f"{hour:02}:{minute:02}", st.integers(0, 23), st.integers(0, 59))
MOMENTS = st.datetimes(datetime(2005, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  zone is given
RULED = [Cadence.DAILY, Cadence.WEEKDAYS, Cadence.WEEKLY, Cadence.MONTHLY]


def transitions(zone: ZoneInfo, *, start: datetime, days: int) -> list[datetime]:
    """Return the instants, to the minute, at which a zone's clocks change, found without the code under test."""
    found = []
    for day in range(days):
        low, high = start + timedelta(days=day), start + timedelta(days=day + 1)
        if low.astimezone(zone).utcoffset() == high.astimezone(zone).utcoffset():
            continue
        while high - low > timedelta(minutes=1):
            middle = low + (high - low) / 2
            same = middle.astimezone(zone).utcoffset() == low.astimezone(zone).utcoffset()
            low, high = (middle, high) if same else (low, middle)
        found.append(high.replace(second=0, microsecond=0))
    return found


CHANGES = [
    (name, change)
    for name in ZONES
    for change in transitions(ZoneInfo(name), start=datetime(2023, 1, 1, tzinfo=UTC), days=900)
]


@st.composite
def around_changes(draw: st.DrawFn) -> tuple[str, datetime]:
    """Draw a zone and a moment within a day and a half of a change of its clocks."""
    zone, change = draw(st.sampled_from(CHANGES))
    return zone, change + timedelta(seconds=draw(st.integers(-36 * 3600, 36 * 3600)))


ANYWHERE = st.one_of(st.tuples(st.sampled_from(ZONES), MOMENTS), around_changes())


def due(
    cadence: Cadence, zone: str, after: datetime, *, times: list[str] | None = None, weekday: int | None = None
) -> datetime:
    found = next_due(cadence, times=times or [], weekday=weekday, timezone=zone, after=after)
    assert found is not None
    return found


def allowed(cadence: Cadence, weekday: int, day: date) -> bool:
    return {
        Cadence.DAILY: True,
        Cadence.WEEKDAYS: day.isoweekday() <= 5,
        Cadence.WEEKLY: day.isoweekday() == weekday,
        Cadence.MONTHLY: day.day == 1,
    }[cadence]


def _offset(name: str, at: datetime) -> timedelta:
    return at.astimezone(ZoneInfo(name)).utcoffset() or timedelta(0)


def exists(day: date, wall: time, zone: ZoneInfo) -> bool:
    local = datetime.combine(day, wall, tzinfo=zone)
    return local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None)


@given(
    where=ANYWHERE,
    cadence=st.sampled_from(RULED),
    times=st.lists(WALLS, min_size=1, max_size=4),
    weekday=st.integers(1, 7),
)
def test_the_next_run_is_later_and_shows_a_wanted_time_on_a_wanted_day(where, cadence, times, weekday):
    name, after = where
    zone = ZoneInfo(name)
    instant = due(cadence, name, after, times=times, weekday=weekday)
    assert after < instant < after + timedelta(days=63)
    assert instant.utcoffset() == timedelta(0)
    local = instant.astimezone(zone)
    walls = {parse_time(text) for text in times}
    nominal = [
        (day, wall)
        for day in (local.date() - timedelta(days=1), local.date())
        for wall in walls
        if resolve(day, wall, zone) == instant
    ]
    assert any(allowed(cadence, weekday, day) for day, _ in nominal)
    if any(exists(day, wall, zone) for day, wall in nominal):
        assert local.time() in walls
        assert local.fold == 0  # of a time that comes twice, the first


@given(where=ANYWHERE, cadence=st.sampled_from(RULED), times=st.lists(WALLS, min_size=1, max_size=3))
def test_no_run_is_left_out_between_now_and_the_next_one(where, cadence, times):
    name, after = where
    instant = due(cadence, name, after, times=times, weekday=3)
    zone = ZoneInfo(name)
    first = (after - timedelta(days=2)).astimezone(zone).date()
    for ahead in range((instant - after).days + 5):
        day = first + timedelta(days=ahead)
        if allowed(cadence, 3, day):
            assert not any(after < resolve(day, parse_time(text), zone) < instant for text in times)


@pytest.mark.parametrize("zone", ZONES)
def test_a_daily_run_happens_once_on_every_day_of_the_year(zone):
    at, days = datetime(2026, 1, 1, tzinfo=UTC), []
    for _ in range(365):
        at = due(Cadence.DAILY, zone, at, times=["02:30"])
        days.append((at.astimezone(ZoneInfo(zone)) - timedelta(minutes=1)).date())
    assert all(later - earlier == timedelta(days=1) for earlier, later in pairwise(days))


GAPS = [
    (name, change, gap)
    for name, change in CHANGES
    if (gap := _offset(name, change) - _offset(name, change - timedelta(minutes=1))) > timedelta(0)
]


@given(st.sampled_from(GAPS), st.integers(0, 23 * 60))
def test_a_time_that_is_skipped_happens_at_the_first_moment_after_the_gap(where, minutes):
    name, change, gap = where
    before = (change - timedelta(minutes=1)).astimezone(ZoneInfo(name))
    skipped = before + timedelta(minutes=1) + timedelta(minutes=minutes) % gap  # wall-clock arithmetic
    assert not exists(skipped.date(), skipped.time(), ZoneInfo(name))
    assert resolve(skipped.date(), skipped.time(), ZoneInfo(name)) == change


@pytest.mark.parametrize(
    ("zone", "day", "wall", "expected"),
    [
        ("Europe/Berlin", date(2026, 3, 29), "02:30", "2026-03-29T01:00:00+00:00"),
        ("Europe/Berlin", date(2026, 10, 25), "02:30", "2026-10-25T00:30:00+00:00"),
        ("America/New_York", date(2026, 3, 8), "02:00", "2026-03-08T07:00:00+00:00"),
        ("America/New_York", date(2026, 11, 1), "01:30", "2026-11-01T05:30:00+00:00"),
        ("Australia/Lord_Howe", date(2026, 10, 4), "02:15", "2026-10-03T15:30:00+00:00"),  # a gap of half an hour
        ("America/Sao_Paulo", date(2018, 11, 4), "00:00", "2018-11-04T03:00:00+00:00"),  # a day without midnight
        ("Pacific/Apia", date(2011, 12, 30), "07:00", "2011-12-30T10:00:00+00:00"),  # a day that was left out
        ("Antarctica/Troll", date(2026, 3, 29), "02:30", "2026-03-29T01:00:00+00:00"),  # a gap of two hours
    ],
)
def test_known_changes_of_clocks(zone, day, wall, expected):
    assert resolve(day, parse_time(wall), ZoneInfo(zone)).isoformat() == expected


def test_two_times_in_one_gap_are_one_run():
    after = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    first = due(Cadence.DAILY, "Europe/Berlin", after, times=["02:15", "02:45"])
    assert first.isoformat() == "2026-03-29T01:00:00+00:00"
    assert due(Cadence.DAILY, "Europe/Berlin", first, times=["02:15", "02:45"]).date() == date(2026, 3, 30)


@given(where=ANYWHERE)
def test_hourly_runs_are_at_full_hours_of_utc_whatever_zone_time_is_told_in(where):
    name, after = where
    instant = due(Cadence.HOURLY, name, after.astimezone(ZoneInfo(name)))
    assert (instant.utcoffset(), instant.minute, instant.second) == (timedelta(0), 0, 0)
    assert timedelta(0) < instant - after <= timedelta(hours=1)


@given(where=ANYWHERE)
def test_an_immediate_subscription_is_never_due(where):
    name, after = where
    assert next_due(Cadence.IMMEDIATE, times=["07:00"], weekday=1, timezone=name, after=after) is None


def test_who_names_no_time_is_written_to_in_the_morning():
    assert DEFAULT_TIMES == ("07:00",)
    after = datetime(2026, 11, 23, tzinfo=UTC)
    assert due(Cadence.DAILY, "UTC", after).time() == time(7)
    assert due(Cadence.WEEKLY, "UTC", after).date() == date(2026, 11, 23)  # a Monday


@given(st.integers(0, 23), st.integers(0, 59))
def test_a_time_of_day_is_read(hour, minute):
    assert parse_time(f" {hour}:{minute:02} ") == parse_time(f"{hour:02}:{minute:02}") == time(hour, minute)


@pytest.mark.parametrize("text", ["24:00", "7", "7:5", "07:60", "-1:00", "07:00:00", "", "7 am", "٠٧:٠٠x"])
def test_what_is_no_time_of_day_is_refused_with_an_example(text):
    with pytest.raises(InputError, match="07:00"):
        parse_time(text)


@pytest.mark.parametrize("name", ["", "Berlin", "europe/berlin", "Mars/Base", "../../etc/passwd", "\0"])
def test_what_is_no_zone_is_refused_with_an_example(name):
    with pytest.raises(InputError, match="Europe/Berlin"):
        check_zone(name)
