"""Decides when a reader's quiet hours are: local wall times, turned into instants by the same rules as all others.

Pure. Asked by the deciders of planning, and for the hours that each delivery row carries.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from worker.planning.rules import Quiet, ReaderTerms
from worker.schedule import resolve

_A_DAY = timedelta(days=1)


class Span(NamedTuple):
    """Quiet from `start`, included, to `end`, not included (UTC)."""

    start: datetime
    end: datetime


def quiet_at(reader: ReaderTerms, at: datetime) -> Span | None:
    """Return the quiet hours that a reader is in, None when they may be written to.

    >>> from datetime import UTC, time
    >>> from worker.model import SubscriberId
    >>> reader = ReaderTerms(subscriber_id=SubscriberId(1), locale="en", timezone="Europe/Berlin", awake=True,
    ...                      quiet=Quiet(start=time(22), end=time(7)))
    >>> span = quiet_at(reader, datetime(2026, 10, 24, 23, tzinfo=UTC))
    >>> span.start.isoformat(), span.end.isoformat()  # the night has an hour more
    ('2026-10-24T20:00:00+00:00', '2026-10-25T06:00:00+00:00')
    """
    found = next_quiet(reader, at)
    return found if found and found.start <= at else None


def next_quiet(reader: ReaderTerms, at: datetime) -> Span | None:
    """Return the first quiet hours that are not over at `at`; None for a reader without any."""
    if reader.quiet is None or reader.quiet.start == reader.quiet.end:
        return None
    day = at.astimezone(ZoneInfo(reader.timezone)).date() - _A_DAY
    while True:
        span = _span(reader.quiet, reader.timezone, day)
        if span.end > at and span.end > span.start:  # a change of clocks may have swallowed them
            return span
        day += _A_DAY


@lru_cache(maxsize=8192)  # readers of a zone share their hours
def _span(quiet: Quiet, timezone: str, day: date) -> Span:
    zone = ZoneInfo(timezone)
    last = day if quiet.end > quiet.start else day + _A_DAY
    return Span(resolve(day, quiet.start, zone), resolve(last, quiet.end, zone))
