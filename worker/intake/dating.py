"""What a source's dates are worth: told, told as days only, or made up when the document is asked for.

Pure. `run` judges a document's dates before its items come in; what it makes of them the age gate goes by.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Final

from worker.intake.thresholds import MAX_CLOCK_SKEW

_LEAST: Final = 3  # dates from which on they say something about their maker
_AT_ONCE: Final = timedelta(minutes=2)
_DAY: Final = timedelta(days=1)


class Dating(StrEnum):
    """How a document dates its items."""

    TOLD = "told"
    DAYS = "days"  # always the same hour, whatever the day: midnight somewhere
    CLOCK = "clock"  # all of them just now: they say when it was asked for


def dating_of(dates: Sequence[datetime], now: datetime) -> Dating:
    """Judge the publication dates that a document tells, aware and in no order.

    >>> from datetime import UTC
    >>> noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    >>> dating_of([noon, noon, noon], noon), dating_of([noon - n * _DAY for n in range(3)], noon)
    (<Dating.CLOCK: 'clock'>, <Dating.DAYS: 'days'>)
    """
    if len(dates) < _LEAST:
        return Dating.TOLD
    if max(dates) - min(dates) <= _AT_ONCE and abs(now - max(dates)) <= MAX_CLOCK_SKEW:
        return Dating.CLOCK
    times = {moment.astimezone(now.tzinfo).time() for moment in dates}
    if len(times) == 1 and not next(iter(times)).second and len({moment.date() for moment in dates}) > 1:
        return Dating.DAYS
    return Dating.TOLD


def published_at(told: datetime | None, *, first_seen_at: datetime, dating: Dating = Dating.TOLD) -> datetime:
    """Return when an article counts as published, which is never after our first sight of it but by a clock's error.

    Nothing told: at first sight. A day only (midnight in UTC, or as the whole document does): at first sight too, if
    that is on this day, else when the day ended.

    >>> from datetime import UTC
    >>> day = datetime(2026, 11, 23, tzinfo=UTC)
    >>> seen = [published_at(day, first_seen_at=day + timedelta(hours=hours)) for hours in (18, 30)]
    >>> [f"{moment:%d %H:%M}" for moment in seen]
    ['23 18:00', '24 00:00']
    """
    if told is None:
        return first_seen_at
    if dating is Dating.DAYS or told.timetz().replace(tzinfo=None) == time.min:
        return max(told, min(first_seen_at, told + _DAY))
    return told


def is_of_unknown_age(told: datetime | None, dating: Dating, *, is_backlog: bool) -> bool:
    """Tell whether an item may be of any age: a source's first document holds old and new, and this one has no date.

    >>> is_of_unknown_age(None, Dating.TOLD, is_backlog=True), is_of_unknown_age(None, Dating.TOLD, is_backlog=False)
    (True, False)
    """
    return is_backlog and (told is None or dating is Dating.CLOCK)
