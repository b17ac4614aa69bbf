"""How often a source is worth a poll: by how often it has published of late, between a floor and a ceiling.

Pure. Never looks at what a source asks for (`courtesy`) or at its failures (`patience`). `polling` calls it.

The rule is the square root. A poll every T seconds finds an article T/2 late on average, so a source that publishes r
articles a second costs readers r T/2 seconds of delay each second, and us 1/T polls. For a given number of polls in
all, the delay of all articles together is least where T is proportional to 1/sqrt(r) (Lagrange; as for refreshing web
pages in Cho and Garcia-Molina, "Effective Page Refresh Policies for Web Crawlers", 2003). A source that publishes a
hundred times as often is polled ten times as often: the same pace for all wastes polls on blogs, a pace in proportion
starves papers for the sake of wires.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

USUAL_GAP_S: Final = 3600.0
"""Between two publications of a source that is polled at the usual pace."""

KEPT: Final = 24
"""Publications that are remembered: a paper's day."""

_SPANS: Final = (2, 3, 5, 8, 13, KEPT)
_TOGETHER: Final = timedelta(seconds=60)


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """How often an installation polls, in seconds: a source that publishes hourly, at most, at least.

    A `usual_s` beyond one of the others moves that one along: it is the one that an operator sets first.
    """

    usual_s: float = 300.0
    floor_s: float = 60.0
    ceiling_s: float = 3600.0

    @property
    def least_s(self) -> float:
        """The shortest time between two polls that we choose ourselves."""
        return min(self.floor_s, self.usual_s, self.ceiling_s)

    @property
    def most_s(self) -> float:
        """The longest time between two polls that we choose ourselves."""
        return max(self.ceiling_s, self.usual_s)


def remember(known: Sequence[datetime], told: Iterable[datetime], *, now: datetime) -> tuple[datetime, ...]:
    """Return when a source has published of late, newest first, after a poll that brought something new.

    `told` are its items' dates. What came out within a minute counts once: a poll would find it together. Dates to come
    are no evidence; and if none is later than what is `known`, as where items have no dates, the news is of now.

    >>> from datetime import UTC
    >>> at = lambda hour, minute=0: datetime(2026, 11, 23, hour, minute, tzinfo=UTC)
    >>> [f"{one:%H:%M}" for one in remember((at(8),), (at(9), at(9), at(11)), now=at(10))]
    ['09:00', '08:00']
    >>> [f"{one:%H:%M}" for one in remember((at(8),), (at(7),), now=at(10))]
    ['10:00', '08:00', '07:00']
    """
    past = [one for one in told if one <= now]
    if not past or (known and max(past) <= known[0]):
        past.append(now)
    kept: list[datetime] = []
    for one in sorted({*known, *past}, reverse=True):
        if not kept or kept[-1] - one >= _TOGETHER:
            kept.append(one)
        if len(kept) == KEPT:
            break
    return tuple(kept)


def gap_s(published: Sequence[datetime], *, since: datetime, now: datetime) -> float:
    """Return how many seconds lie between two publications at present, at the liveliest of several spans up to now.

    `published` is newest first. Each span reaches from now back over the last 2, 3, 5, ... 24 publications: the short
    ones notice a burst at once, the long ones remember in a quiet hour what a usual day is like, and all of them grow
    while nothing comes. Of a source that has published less than twice `since` we watch it, nothing is known: it counts
    as one that publishes hourly, and ever more rarely.

    >>> from datetime import UTC
    >>> noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    >>> daily = [noon - timedelta(days=days) for days in range(9)]
    >>> round(gap_s(daily, since=noon, now=noon + timedelta(hours=1)) / 3600)
    12
    >>> gap_s([noon, noon - timedelta(minutes=4), *daily[1:]], since=noon, now=noon)
    120.0
    """
    spans = [(now - published[count - 1]).total_seconds() / count for count in _SPANS if count <= len(published)]
    if not spans:
        return max((now - max([since, *published])).total_seconds(), USUAL_GAP_S)
    return max(min(spans), 0.0)


def pace_s(gap: float, pace: Pace) -> float:
    """Return the seconds between two polls of a source that publishes every `gap` seconds.

    >>> [round(pace_s(gap, Pace())) for gap in (0, 60, 900, 3600, 86_400, 30 * 86_400)]
    [60, 60, 150, 300, 1470, 3600]
    """
    return min(max(pace.usual_s * math.sqrt(gap / USUAL_GAP_S), pace.least_s), pace.most_s)
