"""How long to leave a source alone that does not answer as it should: ever longer, up to a day, and never for good.

Pure. `polling` calls it after a failure. What the failure means for the source's state is decided there.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from worker.intake.pace import Pace

DAY_S: Final = 86_400.0
LIKELY_BACK: Final = timedelta(days=1)
"""A source that answered within this time is likely to answer again soon."""

_SLOW_DOWN: Final = frozenset({429, 503})
_PASSING: Final = frozenset({408, 425})
_MAX_DOUBLINGS: Final = 20


def asks_to_slow_down(status: int | None) -> bool:
    """Tell whether a status means "too often" (429, RFC 6585) or "not now" (503), with a Retry-After or without."""
    return status in _SLOW_DOWN


def is_passing(status: int | None) -> bool:
    """Tell whether a failure is likely to pass by itself: no answer at all, a server's own trouble, damaged bytes.

    >>> [is_passing(status) for status in (None, 200, 408, 502, 404, 403, 410, 429)]
    [True, True, True, True, False, False, False, False]
    """
    return status is None or status < 400 or status >= 500 or status in _PASSING


def patience_s(
    failures: int, *, status: int | None, at_present_s: float, last_ok_at: datetime | None, now: datetime, pace: Pace
) -> float:
    """Return the seconds until the next try, after `failures` in a row (at least 1) of which the last had `status`.

    It doubles with each failure. What is likely to pass is tried again soon at first, and at least every `most_s` as
    long as the source has answered within a day: an hour's outage must not cost a day's news. What was refused (404,
    403, 429) is tried again after the pace `at_present_s` at the earliest. Later on it is a day, for ever.

    >>> when = datetime(2026, 11, 23, 12)
    >>> known = {"at_present_s": 60, "last_ok_at": when, "now": when, "pace": Pace()}
    >>> [patience_s(n, status=502, **known) for n in (1, 2, 3, 9)]
    [60.0, 120.0, 240.0, 3600.0]
    >>> [patience_s(n, status=404, **known) for n in (1, 2, 9, 99)]
    [300.0, 600.0, 76800.0, 86400.0]
    """
    passing = is_passing(status)
    start_s = min(at_present_s, pace.usual_s) if passing else max(at_present_s, pace.usual_s)
    recent = last_ok_at is not None and now - last_ok_at < LIKELY_BACK
    cap_s = pace.most_s if passing and recent else DAY_S
    wait_s = min(start_s * 2.0 ** min(failures - 1, _MAX_DOUBLINGS), cap_s)
    return min(max(wait_s, at_present_s), DAY_S) if asks_to_slow_down(status) else wait_s
