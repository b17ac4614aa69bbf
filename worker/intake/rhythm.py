"""How a source tells its news: how late its articles come to us, and how long it usually pauses between them.

Pure: makes figures of the times of its newest articles, looks nothing up. What has no date, or one that cannot be true,
is of unknown lateness rather than of a nonsensical one. `run_watching` measures, `judge_source` compares.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from statistics import median
from typing import Any, Final, Self

NEWEST: Final = 2_000
"""So many of a source's articles are looked at, the newest: two weeks of a busy one."""

OLD: Final = timedelta(days=2)
"""What is older than that at first sight is a thing of the archive's, and not late."""

_PERIOD: Final = timedelta(days=28)
_FEW: Final = 20  # so many count however old they are: some tell something once a month
_EVER: Final = timedelta(days=400)
_SKEW: Final = timedelta(minutes=5)  # their clock may be ahead of ours
_FEWEST: Final = 5  # moments that make a rhythm
_LATEST: Final = 5  # articles that say how late it is of late
_FEWEST_DAYS: Final = 3  # articles of one time of day: their source tells days
_MIDNIGHT: Final = time()
_SATURDAY: Final = 5
_WEEKENDS_SHARE: Final = 0.1  # two days of seven would be 0.29
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sighting:
    """When an article was published, if its source does tell (`dated`), and when we first saw it."""

    published_at: datetime
    seen_at: datetime
    dated: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Rhythm:
    """How a source tells its news. None is unknown.

    `lag_p50_s` and `lag_p95_s` are from publication to our first sight. `recent_lag_s` is the median of its last few
    articles, `usual_lag_s` that of those before. `gap_s` is its usual pause, `longest_gap_s` the longest of the last
    weeks; both leave weekends out, unless it `tells_at_weekends`. `span_s` is for how long that is known.
    """

    articles: int
    lag_p50_s: float | None = None
    lag_p95_s: float | None = None
    recent_lag_s: float | None = None
    usual_lag_s: float | None = None
    gap_s: float | None = None
    longest_gap_s: float | None = None
    tells_at_weekends: bool = False
    span_s: float = 0.0

    def stored(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return asdict(self)

    @classmethod
    def restored(cls, stored: dict[str, Any] | None) -> Self | None:
        """Read it back; None where none was stored, or one of another version of this program.

        >>> Rhythm.restored(Rhythm(articles=3, gap_s=60.0).stored()) == Rhythm(articles=3, gap_s=60.0)
        True
        """
        return cls(**stored) if stored is not None and set(stored) == set(cls.__slots__) else None


def measure(sightings: Sequence[Sighting], *, first_seen_at: datetime) -> Rhythm:
    """Make the figures of a source's newest articles, given newest first.

    `first_seen_at` is when its very first article came in: what had been published by then could not be seen sooner.

    >>> at = datetime(2026, 11, 25, 12, tzinfo=UTC)
    >>> told = [at + timedelta(hours=hour, minutes=7) for hour in range(6)]
    >>> seen = [Sighting(published_at=moment, seen_at=moment + timedelta(seconds=90)) for moment in reversed(told)]
    >>> rhythm = measure(seen, first_seen_at=at)
    >>> rhythm.lag_p50_s, rhythm.gap_s, rhythm.longest_gap_s
    (90.0, 3600.0, 3600.0)
    """
    lags = _lags(sightings, first_seen_at)
    moments = _moments(sightings)
    known = Rhythm(articles=len(sightings)).stored()
    if lags:
        ordered = sorted(lags)
        known["lag_p50_s"] = median(ordered)
        known["lag_p95_s"] = ordered[min(int(0.95 * len(ordered)), len(ordered) - 1)]
        known["recent_lag_s"] = median(lags[:_LATEST])
        known["usual_lag_s"] = median(lags[_LATEST:]) if len(lags) >= 3 * _LATEST else None
    if len(moments) >= _FEWEST:
        weekend = sum(moment.weekday() >= _SATURDAY for moment in moments)
        known["tells_at_weekends"] = weekend >= _WEEKENDS_SHARE * len(moments)
        gaps = [elapsed_s(a, b, weekends=known["tells_at_weekends"]) for a, b in pairwise(moments)]
        known |= {"gap_s": median(gaps), "longest_gap_s": max(gaps)}
        known["span_s"] = (moments[-1] - moments[0]).total_seconds()
    return Rhythm(**known)


def lag_of(published_at: datetime, seen_at: datetime, *, dated: bool) -> timedelta | None:
    """Return how late an article came; None where its date does not tell: it has none, a day only, or one to come.

    >>> noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    >>> str(lag_of(noon, noon + timedelta(seconds=40), dated=True))
    '0:00:40'
    >>> lag_of(noon, noon, dated=False), lag_of(noon.replace(hour=0), noon, dated=True)
    (None, None)
    >>> lag_of(noon + timedelta(hours=1), noon, dated=True)
    """
    if not dated or published_at.time() == _MIDNIGHT or published_at > seen_at + _SKEW:
        return None
    return max(seen_at - published_at, timedelta())


def elapsed_s(begin: datetime, end: datetime, *, weekends: bool) -> float:
    """Return the seconds between two moments, those of Saturdays and Sundays (in UTC) only with `weekends`.

    >>> friday = datetime(2026, 11, 27, 18, tzinfo=UTC)
    >>> elapsed_s(friday, friday + timedelta(days=3), weekends=False) / 3600
    24.0
    """
    if weekends or end <= begin:
        return max((end - begin).total_seconds(), 0.0)
    weeks, rest = divmod(end - begin, timedelta(weeks=1))
    counted, at = weeks * timedelta(days=_SATURDAY), end - rest
    while at < end:
        midnight = datetime.combine(at.date() + _DAY, _MIDNIGHT, tzinfo=UTC)
        if at.weekday() < _SATURDAY:
            counted += min(midnight, end) - at
        at = midnight
    return counted.total_seconds()


def _lags(sightings: Sequence[Sighting], first_seen_at: datetime) -> list[float]:
    """Return how late its articles came in seconds, the latest first; none of a source that tells the day only."""
    fresh = [one for one in sightings if one.published_at > first_seen_at]
    if _tells_days(fresh):
        return []
    lags = (lag_of(one.published_at, one.seen_at, dated=one.dated) for one in fresh)
    return [lag.total_seconds() for lag in lags if lag is not None and lag <= OLD]


def _tells_days(sightings: Collection[Sighting]) -> bool:
    """Tell whether its dates are days, at a midnight of wherever it is, or at the noon of whoever fills in a form."""
    dated = [one.published_at for one in sightings if one.dated]
    return (
        len(dated) >= _FEWEST_DAYS
        and len({moment.date() for moment in dated}) > 1
        and len({moment.time() for moment in dated}) == 1
    )


def _moments(sightings: Sequence[Sighting]) -> list[datetime]:
    """Return when it told something, oldest first, each moment once."""
    told = {min(one.published_at, one.seen_at) if one.dated else one.seen_at for one in sightings}
    if not told:
        return []
    ordered, last = sorted(told), max(told)
    recent = [moment for moment in ordered if moment > last - _PERIOD]
    return recent if len(recent) >= _FEW else [moment for moment in ordered[-_FEW:] if moment > last - _EVER]
