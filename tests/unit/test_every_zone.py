"""Wall-clock times in every zone of the world, at every change of clocks of ten years.

What is right is found without the code under test: a local time happens at the first instant at which the zone's clocks
show it or, where they skip it, something later.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import given
from hypothesis import strategies as st

from worker.model import Cadence
from worker.schedule import next_due, resolve

FIRST, LAST = datetime(2024, 1, 1, tzinfo=UTC), datetime(2034, 1, 1, tzinfo=UTC)
A_DAY, A_WEEK = timedelta(days=1), timedelta(days=7)
ZONES = sorted(available_timezones() - {"Factory", "localtime"})


def offset(zone: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta(0)


@cache
def changes(name: str, first: datetime = FIRST, last: datetime = LAST) -> tuple[datetime, ...]:
    """Return the first instants under each new offset, to the second."""
    zone, found = ZoneInfo(name), []
    weeks = [first + A_WEEK * week for week in range((last - first) // A_WEEK + 2)]  # nobody changes back within one
    offsets = [offset(zone, at) for at in weeks]
    for week, (before, after) in zip(weeks, pairwise(offsets), strict=False):
        if before == after:
            continue
        low, high = week, week + A_WEEK
        while high - low > timedelta(seconds=1):
            middle = low + (high - low) // 2
            low, high = (middle, high) if offset(zone, middle) == before else (low, middle)
        found.append(high.replace(microsecond=0))
    return tuple(found)


def shown_first(name: str, local: datetime) -> datetime:
    """Return the first instant at which the zone's clocks show a local time or a later one."""
    zone, rough = ZoneInfo(name), local.replace(tzinfo=UTC)
    begins = [rough - 3 * A_DAY, *(at for at in changes(name) if abs(at - rough) < 3 * A_DAY), rough + 3 * A_DAY]
    for begin, end in pairwise(begins):
        at = max(begin, rough - offset(zone, begin))
        if at < end:
            return at
    raise AssertionError("a local time within a day of UTC's")


def around(name: str, change: datetime) -> list[time]:
    """Return wall times that a change may touch: those that the clocks show about it, before and after, and others."""
    zone = ZoneInfo(name)
    before = (change - timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None, second=0)
    after = change.astimezone(zone).replace(tzinfo=None)
    low, high = min(before, after), max(before, after)
    steps = [low + (high - low) * part / 8 for part in range(9)]
    near = [at + timedelta(minutes=minutes) for at in (low, high) for minutes in (-1, 0, 1)]
    return sorted(
        {at.time().replace(second=0, microsecond=0) for at in [*steps, *near]} | {time(0), time(7), time(23, 59)}
    )


def test_there_are_all_zones_and_their_changes():
    assert len(ZONES) > 400
    assert sum(len(changes(zone)) for zone in ZONES) > 3000
    assert changes("Europe/Berlin")[5] == datetime(2026, 10, 25, 1, tzinfo=UTC)


def unlike() -> list[str]:
    """Return a zone of every kind that changes its clocks: most have none of their own changes, but share another's."""
    kinds = {
        tuple((at, offset(ZoneInfo(name), at)) for at in (FIRST, *changes(name))): name
        for name in ZONES
        if changes(name)
    }
    return sorted(kinds.values())


def test_at_every_change_each_local_day_has_its_one_run_at_its_first_right_moment():
    moments = [(zone, change) for zone in unlike() for change in changes(zone)]
    assert len(moments) > 500
    for name, change in moments:
        for wall in around(name, change):
            at, days = change - 2 * A_DAY, []
            first = (at.astimezone(ZoneInfo(name))).date()
            expected = [shown_first(name, datetime.combine(first + A_DAY * ahead, wall)) for ahead in range(6)]
            wanted = [instant for instant in dict.fromkeys(expected) if at < instant][:4]
            for _ in wanted:
                found = next_due(Cadence.DAILY, times=[f"{wall:%H:%M}"], weekday=None, timezone=name, after=at)
                assert found is not None
                days.append(at := found)
            assert days == wanted, (name, change, wall)


@given(st.sampled_from(ZONES), st.dates(date(2024, 1, 5), date(2033, 12, 25)), st.times())
def test_a_local_time_happens_when_the_clocks_first_show_it_or_something_later(name, day, wall):
    wall = wall.replace(second=0, microsecond=0, tzinfo=None)
    assert resolve(day, wall, ZoneInfo(name)) == shown_first(name, datetime.combine(day, wall))


MOMENTS = st.datetimes(FIRST.replace(tzinfo=None), LAST.replace(tzinfo=None), timezones=st.just(UTC))


@given(st.sampled_from(ZONES), MOMENTS, st.sampled_from([Cadence.DAILY, Cadence.WEEKDAYS, Cadence.WEEKLY]))
def test_runs_of_a_fortnight_show_one_wall_time_but_where_the_clocks_skip_it(name, at, cadence):
    zone, end = ZoneInfo(name), at + 14 * A_DAY
    calm = bisect_right(changes(name), end + A_DAY) == bisect_right(changes(name), at - A_DAY)
    walls = set()
    while at < end:
        found = next_due(cadence, times=["02:30"], weekday=3, timezone=name, after=at)
        assert found is not None
        walls.add(found.astimezone(zone).time())
        at = found
    assert time(2, 30) in walls
    assert not calm or walls == {time(2, 30)}
