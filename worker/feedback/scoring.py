"""Counts how badly an address does: 0.5 for a day of soft bounces, 1 for a day with a hard one, 0 after a delivery.

Mail that names no delivery of ours may be anybody's: all of it together adds a point at most, to what is proved.

Pure, and counted anew from all that is known each time, so that neither the order in which events come nor their
repetition changes it. `run` suppresses an address whose score reaches the threshold.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from worker.feedback.decide import Severity

WINDOW: Final = timedelta(days=30)
"""What lies further back than this from the latest bounce counts no longer."""

_UNPROVED: Final = 1.0
_WEIGHTS: Final = {Severity.FATAL: 1.0, Severity.HARD: 1.0, Severity.SOFT: 0.5}


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """A bounce of an address, or a delivery to it (no severity), which must be proved to count."""

    at: datetime
    severity: Severity | None = None
    is_proved: bool = True


def score(marks: Iterable[Mark]) -> float:
    """Sum up the days since the last delivery, each by the worst that it brought.

    >>> from datetime import UTC
    >>> days = [datetime(2026, 11, day, 7, tzinfo=UTC) for day in (20, 21, 21, 22)]
    >>> score(Mark(at=at, severity=Severity.SOFT) for at in days)
    1.5
    >>> score([*(Mark(at=at, severity=Severity.SOFT) for at in days), Mark(at=days[1])])
    0.5
    """
    known = list(marks)
    proved = [mark for mark in known if mark.is_proved and mark.severity in _WEIGHTS]
    if not proved:
        return 0.0
    first = max(mark.at for mark in proved) - WINDOW
    since = max((mark.at for mark in known if mark.is_proved and mark.severity is None), default=first)
    counted = [mark for mark in known if mark.at >= first and mark.at > since]
    points = _days(mark for mark in counted if mark.is_proved)
    return points + min(_days(counted) - points, _UNPROVED)


def _days(marks: Iterable[Mark]) -> float:
    days: dict[date, float] = {}
    for mark in marks:
        if mark.severity in _WEIGHTS:
            days[mark.at.date()] = max(days.get(mark.at.date(), 0.0), _WEIGHTS[mark.severity])
    return sum(days.values())
