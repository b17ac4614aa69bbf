"""How many mails a query would have made, at each cadence, had somebody followed it.

Decides by planning's own rules: a story is told once; an alert is one mail a story, whose gathering time only delays
it; a digest is one mail a due run that has something in it, and its runs are those of `schedule` in the newsroom's
zone, at the hour that readers get unless they choose another. Pure; `run_backtest` and the pages' trials call it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from worker.model import Cadence
from worker.schedule import DEFAULT_TIMES, next_due, resolve

_WEEK: Final = 7
_MONTH: Final = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """Stories that match: when each first did, in seconds since 1970, and how likely, where its text was not read."""

    at_s: NDArray[np.int64]
    chance: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Period:
    """A stretch of time that ends now, and the zone in which its days are told."""

    since: datetime
    until: datetime
    timezone: str

    @property
    def days(self) -> float:
        """Return its length."""
        return (self.until - self.since) / timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Mails:
    """What following at one cadence would have come to. `runs` were due in the period, None for alerts."""

    cadence: Cadence
    runs: int | None
    mails: int
    mails_a_day: float
    says: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Day:
    """One day of the newsroom's calendar, as "2026-11-24"; the first and the last may be cut short."""

    date: str
    stories: int


def mails(found: Found, period: Period) -> tuple[Mails, ...]:
    """Count the mails at every cadence, in `Cadence`'s order."""
    return tuple(_mails(cadence, found, period) for cadence in Cadence)


def mails_at(
    found: Found, period: Period, cadence: Cadence, *, times: Sequence[str] = DEFAULT_TIMES, weekday: int | None = None
) -> int | None:
    """Count the mails at one reader's own rhythm, in the period's zone; None where no run was due in it."""
    if cadence is Cadence.IMMEDIATE:
        return round(float(found.chance.sum()))
    due = [run.timestamp() for run in _runs(cadence, period, times=times, weekday=weekday)]
    return round(float(_filled(np.array(due), found).sum())) if due else None


def by_day(found: Found, period: Period) -> tuple[Day, ...]:
    """Count the stories of each day, those without any too, the earliest first."""
    zone = ZoneInfo(period.timezone)
    day, last = period.since.astimezone(zone).date(), period.until.astimezone(zone).date()
    dates = [day + timedelta(days=ahead) for ahead in range((last - day).days + 1)]
    begins = np.array([resolve(date, time(0), zone).timestamp() for date in dates])
    place = np.clip(np.searchsorted(begins, found.at_s, side="right") - 1, 0, None)
    counts = np.bincount(place, weights=found.chance, minlength=len(dates))
    return tuple(Day(date=date.isoformat(), stories=round(count)) for date, count in zip(dates, counts, strict=True))


def rate(a_day: float) -> str:
    """Say how often mails come, in the largest unit in which it is one or more.

    >>> [rate(a_day) for a_day in (12.4, 3 / 7, 1 / 30, 0.0)]
    ['about 12 mails a day', 'about 3 mails a week', 'about 1 mail a month', 'no mail']
    """
    if a_day <= 0:
        return "no mail"
    for unit, days in (("day", 1), ("week", _WEEK), ("month", _MONTH)):
        count = round(a_day * days)
        if a_day * days >= 0.95:
            return f"about {count:,} mail{'' if count == 1 else 's'} a {unit}"
    return "less than a mail a month"


def _mails(cadence: Cadence, found: Found, period: Period) -> Mails:
    if cadence is Cadence.IMMEDIATE:
        runs, expected = None, float(found.chance.sum())
    else:
        due = [run.timestamp() for run in _runs(cadence, period)]
        runs, expected = len(due), float(_filled(np.array(due), found).sum())
    a_day = expected / period.days
    says = rate(a_day) if runs != 0 else f"no {cadence} run was due in these days"
    return Mails(cadence=cadence, runs=runs, mails=round(expected), mails_a_day=round(a_day, 3), says=says)


def _runs(
    cadence: Cadence, period: Period, *, times: Sequence[str] = DEFAULT_TIMES, weekday: int | None = None
) -> Iterator[datetime]:
    at = period.since
    while (due := next_due(cadence, times=times, weekday=weekday, timezone=period.timezone, after=at)) is not None:
        if due > period.until:
            return
        yield due
        at = due


def _filled(due: NDArray[np.float64], found: Found) -> NDArray[np.float64]:
    """Return how likely it is for each run that it has something in it; what comes after the last run waits."""
    run = np.searchsorted(due, found.at_s, side="left")
    with np.errstate(divide="ignore"):  # a certain story leaves no chance of an empty run: the logarithm of 0
        nothing = np.bincount(run, weights=np.log1p(-found.chance), minlength=len(due) + 1)
    return np.asarray(-np.expm1(nothing[: len(due)]))
