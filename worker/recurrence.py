"""When a newsletter comes out: a recurrence rule (RFC 5545) by local clocks, turned into instants.

The rule is read as naive local times, which `schedule` resolves in a zone, so that a DST change means for a newsletter
what it means for a digest. A rule without BYHOUR is at 07:00. Pure. Called by signup when a newsletter is stored or
followed, and by the planning of newsletters and the simulator.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice, pairwise
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

from worker.errors import InputError
from worker.schedule import resolve

FIRST_ZONE: Final = "Pacific/Kiritimati"  # UTC+14 all year: where any local time comes first
LAST_ZONE: Final = "Etc/GMT+12"  # UTC-12: where it comes last

_HOUR: Final = 7
_HORIZON: Final = timedelta(days=5 * 366)
_LEAST_APART: Final = timedelta(minutes=15)
_TRIED: Final = 100
_REACH: Final = timedelta(hours=36)
_DAYS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_UNTIL: Final = re.compile(r"([0-9]{8})(?:T([0-9]{6})(Z?))?")


class _Rule(NamedTuple):
    """A rule without its COUNT, which dateutil cannot hold together with an end."""

    times: rrule
    most: int | None


def next_occurrence(rule: str, *, starts_on: date, zone: ZoneInfo, after: datetime) -> datetime | None:
    """Return the first instant (UTC) strictly after `after` (aware), None when none comes within five years.

    `rule` is what `check_rule` has let pass; its first day is `starts_on`, by the zone's clocks.

    >>> from datetime import UTC
    >>> weekdays = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=6;BYMINUTE=30"
    >>> friday = datetime(2026, 10, 23, 12, tzinfo=UTC)
    >>> next_occurrence(weekdays, starts_on=date(2026, 1, 1), zone=ZoneInfo("Europe/London"), after=friday).isoformat()
    '2026-10-26T06:30:00+00:00'
    """
    # A day earlier: what a DST change has moved may stand before the local time, and be an instant after it.
    earliest = after.astimezone(zone).replace(tzinfo=None) - timedelta(days=1)
    for wall in _from(rule, starts_on, zone, earliest):
        if wall > earliest + _HORIZON:
            return None
        instant = resolve(wall.date(), wall.time(), zone)
        if instant > after:
            return instant
    return None


def nearest_occurrence(rule: str, *, starts_on: date, zone: ZoneInfo, to: datetime) -> datetime | None:
    """Return the rule's instant that is nearest to one by which it was due under other rules of the zone.

    None when there is none within a day and a half: no change of rules moves a local time further.

    >>> from datetime import UTC
    >>> berlin, late = ZoneInfo("Europe/Berlin"), datetime(2026, 11, 24, 8, tzinfo=UTC)
    >>> nearest_occurrence("FREQ=DAILY", starts_on=date(2026, 1, 1), zone=berlin, to=late).isoformat()
    '2026-11-24T06:00:00+00:00'
    """
    found: list[datetime] = []
    after = to - _REACH
    while after <= to:
        due = next_occurrence(rule, starts_on=starts_on, zone=zone, after=after)
        if due is None or due > to + _REACH:
            break
        found.append(due)
        after = due
    return min(found, key=lambda due: abs(due - to), default=None)


def next_issue(rule: str, *, starts_on: date, timezone: str, by_readers: bool, after: datetime) -> datetime | None:
    """Return when a newsletter is next due: in its zone, or, where it goes by readers' clocks, to the first of them."""
    zone = ZoneInfo(FIRST_ZONE if by_readers else timezone)
    return next_occurrence(rule, starts_on=starts_on, zone=zone, after=after)


def wall_time(rule: str, *, starts_on: date, zone: ZoneInfo, at: datetime) -> datetime | None:
    """Return the latest local time (naive) that the rule names up to an instant, None before the first.

    >>> from datetime import UTC
    >>> berlin, night = ZoneInfo("Europe/Berlin"), datetime(2026, 3, 29, 1, tzinfo=UTC)
    >>> wall_time("FREQ=DAILY;BYHOUR=2;BYMINUTE=30", starts_on=date(2026, 3, 1), zone=berlin, at=night).isoformat()
    '2026-03-29T02:30:00'
    """
    local = at.astimezone(zone).replace(tzinfo=None)
    known = _read(rule, starts_on, zone)
    found: datetime | None
    if known.most is None:
        found = known.times.before(local, inc=True)
        return found
    found = None
    for wall in islice(known.times, known.most):
        if wall > local:
            break
        found = wall
    return found


def check_rule(rule: str, *, starts_on: date) -> None:
    """Raise `InputError` for a rule that names no time within five years, or times less than 15 minutes apart.

    `rule` keeps to the grammar: `signup.newsletters.read_rrule` has read it.

    >>> check_rule("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", starts_on=date(2026, 1, 1))
    Traceback (most recent call last):
    worker.errors.InputError: FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30 never happens (name a day that its months have)
    """
    parts = _parts(rule)
    if not _has_days(parts):
        raise InputError(f"{rule} never happens", hint="name a day that its months have")
    start = datetime.combine(starts_on, time())
    try:
        first = list(islice(_from(rule, starts_on, ZoneInfo("UTC"), start), _TRIED))
    except (ValueError, TypeError) as error:
        raise InputError(f"{rule} is not possible: {error}", hint="see RFC 5545, 3.3.10") from error
    if not first or first[0] > start + _HORIZON:
        raise InputError(f"{rule} never happens within five years", hint="write a rule such as FREQ=DAILY;BYHOUR=7")
    if any(later - earlier < _LEAST_APART for earlier, later in pairwise(first)):
        raise InputError(f"{rule} comes more than once in 15 minutes", hint="give one BYMINUTE and no BYSECOND")


def _from(rule: str, starts_on: date, zone: ZoneInfo, earliest: datetime) -> Iterator[datetime]:
    """Yield the rule's local times from one on, ascending."""
    known = _read(rule, starts_on, zone)
    if known.most is None:
        yield from known.times.xafter(earliest, inc=True)
        return
    yield from (wall for wall in islice(known.times, known.most) if wall >= earliest)


def _read(rule: str, starts_on: date, zone: ZoneInfo) -> _Rule:
    """Read a rule whose end may be an instant, which in each zone is another local time."""
    parts = _parts(rule)
    if "UNTIL" in parts:
        parts["UNTIL"] = _until(parts["UNTIL"], zone)
    return _parsed(tuple(parts.items()), starts_on)


@lru_cache(maxsize=256)
def _parsed(parts: tuple[tuple[str, str], ...], starts_on: date) -> _Rule:
    known = dict(parts)
    count = known.pop("COUNT", None)
    if known["FREQ"] != "HOURLY":
        known.setdefault("BYHOUR", str(_HOUR))
    text = ";".join(f"{name}={value}" for name, value in known.items())
    times = rrulestr(text, dtstart=datetime.combine(starts_on, time()), cache=True)
    if not isinstance(times, rrule):  # pragma: no cover  one rule makes no set
        raise TypeError(text)
    return _Rule(times, int(count) if count else None)


def _parts(rule: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in rule.split(";"))


def _until(text: str, zone: ZoneInfo) -> str:
    """Return an end as a local time. One that is a date ends with its day.

    >>> _until("20261231", ZoneInfo("UTC")), _until("20261231T120000Z", ZoneInfo("Asia/Seoul"))
    ('20261231T235959', '20261231T210000')
    """
    found = _UNTIL.fullmatch(text)
    if found is None:
        raise ValueError(f"{text} is no date")
    day, clock, is_utc = found.groups()
    if clock is None:
        return f"{day}T235959"
    if not is_utc:
        return f"{day}T{clock}"
    instant = datetime.strptime(f"{day}{clock}+0000", "%Y%m%d%H%M%S%z")
    return instant.astimezone(zone).strftime("%Y%m%dT%H%M%S")


def _has_days(parts: dict[str, str]) -> bool:
    """Tell whether one of the months has one of the days: dateutil would look until the year 9999."""
    if "BYMONTHDAY" not in parts:
        return True
    months = [int(month) for month in parts.get("BYMONTH", "1,2,3,4,5,6,7,8,9,10,11,12").split(",")]
    days = [abs(int(day)) for day in parts["BYMONTHDAY"].split(",")]
    return any(1 <= day <= _DAYS[month - 1] for month in months for day in days)
