"""When a subscription is next due: local wall-clock times in a reader's zone, turned into instants.

Pure: no clock, no database. Signup asks when a wish is stored, planning whenever a run has been made.

The rules: a time that a DST change skips happens at the first valid instant after it; a time that occurs twice happens
once, the first time; hourly runs are at full hours of UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from worker.errors import InputError
from worker.model import Cadence

DEFAULT_TIMES = ("07:00",)
_MONDAY, _FRIDAY = 1, 5
_FIRST_OF_MONTH = 1
_HORIZON_DAYS = 63  # a monthly run is at most 31 days away; twice that bounds every search


def next_due(
    cadence: Cadence,
    *,
    times: Sequence[str],
    weekday: int | None,
    timezone: str,
    after: datetime,
) -> datetime | None:
    """Return the first due instant (UTC) strictly after `after` (aware), None for an immediate subscription.

    `times` are local ("07:00"), `weekday` is ISO (1 is Monday) and counts for weekly runs only.

    >>> due = next_due(Cadence.DAILY, times=["07:00"], weekday=None, timezone="Asia/Seoul",
    ...                after=datetime(2026, 11, 23, 12, 0, tzinfo=UTC))
    >>> due.isoformat()
    '2026-11-23T22:00:00+00:00'
    """
    if cadence is Cadence.IMMEDIATE:
        return None
    if cadence is Cadence.HOURLY:
        return after.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    zone = ZoneInfo(timezone)
    clock = sorted(parse_time(text) for text in times or DEFAULT_TIMES)
    for day in _days(cadence, weekday or _MONDAY, start=after.astimezone(zone).date()):
        for wall in clock:
            instant = resolve(day, wall, zone)
            if instant > after:
                return instant
    raise AssertionError("a calendar without a next day")  # pragma: no cover  the horizon holds every cadence's next


def resolve(day: date, wall: time, zone: ZoneInfo) -> datetime:
    """Return the UTC instant of a local wall-clock time.

    A skipped time becomes the first instant after the gap, a repeated one its first occurrence (PEP 495, fold=0).

    >>> resolve(date(2026, 3, 29), time(2, 30), ZoneInfo("Europe/Berlin")).isoformat()
    '2026-03-29T01:00:00+00:00'
    >>> resolve(date(2026, 10, 25), time(2, 30), ZoneInfo("Europe/Berlin")).isoformat()
    '2026-10-25T00:30:00+00:00'
    """
    local = datetime.combine(day, wall, tzinfo=zone)
    instant = local.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return instant
    # In the gap: fold=1 reads the time with the offset after the change, fold=0 with the one before; between the two
    # instants lies the change itself.
    low, high = local.replace(fold=1).astimezone(UTC), instant
    before = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // 2
        low, high = (middle, high) if middle.astimezone(zone).utcoffset() == before else (low, middle)
    return high.replace(microsecond=0)


def parse_time(text: str) -> time:
    """Read "07:00" (24 hours). Raises `InputError`.

    >>> parse_time("18:30")
    datetime.time(18, 30)
    """
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", text.strip())
    if not found:
        raise InputError(f"{text!r} is not a time of day", hint="write hours and minutes, such as 07:00")
    return time(int(found[1]), int(found[2]))


@cache  # looked for in a folder of hundreds of files: too long for each sign-up
def zones() -> frozenset[str]:
    """Return the names of all IANA time zones that this machine knows."""
    return frozenset(available_timezones())


def check_zone(name: str) -> str:
    """Return the name of an IANA time zone. Raises `InputError`.

    >>> check_zone("Asia/Seoul")
    'Asia/Seoul'
    """
    if name not in zones():
        raise InputError(f"{name!r} is not a time zone", hint="write an IANA name such as Europe/Berlin or Asia/Seoul")
    return name


def _days(cadence: Cadence, weekday: int, *, start: date) -> Iterator[date]:
    for ahead in range(_HORIZON_DAYS):
        day = start + timedelta(days=ahead)
        if (
            cadence is Cadence.DAILY
            or (cadence is Cadence.WEEKDAYS and day.isoweekday() <= _FRIDAY)
            or (cadence is Cadence.WEEKLY and day.isoweekday() == weekday)
            or (cadence is Cadence.MONTHLY and day.day == _FIRST_OF_MONTH)
        ):
            yield day
