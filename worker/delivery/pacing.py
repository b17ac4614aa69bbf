"""Decides how fast mail may go: what each message must wait for, by rates, hours and warm-up plans.

Pure. `book` is the reference of the script that Redis runs for all workers together (`run_pacing`), and what a worker
uses by itself while Redis is away.

A bucket is kept as the moment at which its next message would be exactly on time (the generic cell rate algorithm): one
number instead of tokens that must be refilled, so nothing is lost or gained by who looks when. A message may be booked
a little ahead: its worker then waits for that moment, in order, with nobody else let in before it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from types import MappingProxyType
from typing import Final, NamedTuple

from worker.model import Lane
from worker.receivers import receiver

LONGEST_WAIT_S: Final = 900.0
"""Whoever waits for longer asks again in between: plans change."""
BURST_S: Final = 1.0
ANY_DOMAIN: Final = "*"

# How far ahead a message is booked. Bulk's is a sweep's length, so that one batch alone keeps its rate. An alert's is
# longer: bulk that fills its own can delay it, and never turn it away.
AHEAD_S: Final[Mapping[Lane, float]] = MappingProxyType({Lane.BULK: 5.0, Lane.ALERTS: 10.0, Lane.CONTROL: 5.0})
_FARTHEST_S: Final = max(AHEAD_S.values())

_HALVED_EVERY_S: Final = 15.0  # what was in flight when the rate was halved says nothing about the new one
_LEAST_SHARE: Final = 1 / 64
_RECOVERS_IN_S: Final = 1800.0
_OBSERVED_LEAST_PER_S: Final = 1.0
_DAY_MINUTES: Final = 24 * 60


class Bucket(NamedTuple):
    """One rate that all workers share under its name."""

    name: str
    rate_per_s: float

    @property
    def interval_s(self) -> float:
        """The time between two messages that are exactly on time."""
        return 1 / self.rate_per_s

    @property
    def leeway_s(self) -> float:
        """How early a message may be: a second's worth go at once after a rest, and never less than one."""
        return max(BURST_S - self.interval_s, 0.0)


class Booking(NamedTuple):
    """What a message got: it goes in `wait_s`, or it does not go and should ask again in `wait_s`."""

    goes: bool
    wait_s: float


def book(
    state: dict[str, tuple[float, float]],
    buckets: Sequence[Bucket],
    wanted: Sequence[Sequence[int]],
    *,
    now_s: float,
    ahead_s: float,
    queues: bool,
) -> list[Booking]:
    """Book each message of `wanted`, which names its buckets by their place in `buckets`; `state` is changed.

    One that would have to wait for longer than `ahead_s` is told to come back: with `queues` one after the other, at
    the bucket's own pace, so that a long backlog does not come back all at once; else when its bucket is next free.

    >>> state = {}
    >>> [one.wait_s for one in book(state, [Bucket("a", 2)], [[0]] * 4, now_s=100.0, ahead_s=5, queues=True)]
    [0.0, 0.0, 0.5, 1.0]
    """
    for one in buckets:
        # A clock that was set back, or a rate that has grown since, must not keep anybody waiting.
        due_s, tail_s = state.get(one.name, (0.0, 0.0))
        farthest_s = now_s + _FARTHEST_S + one.leeway_s + one.interval_s
        state[one.name] = (min(due_s, farthest_s), min(tail_s, now_s + LONGEST_WAIT_S))
    return [
        _book_one(state, [buckets[place] for place in places], now_s=now_s, ahead_s=ahead_s, queues=queues)
        for places in wanted
    ]


def _book_one(
    state: dict[str, tuple[float, float]], own: Sequence[Bucket], *, now_s: float, ahead_s: float, queues: bool
) -> Booking:
    at_s = max([now_s, *(state[one.name][0] - one.leeway_s for one in own)])
    if at_s <= now_s + ahead_s:
        for one in own:
            due_s, tail_s = state[one.name]
            state[one.name] = (max(due_s, at_s) + one.interval_s, tail_s)
        return Booking(goes=True, wait_s=at_s - now_s)
    back_s = at_s
    for one in own if queues else ():
        due_s, tail_s = state[one.name]
        if due_s - one.leeway_s > now_s + ahead_s:
            tail_s = max(tail_s, now_s + ahead_s) + one.interval_s
            state[one.name] = (due_s, tail_s)
            back_s = max(back_s, tail_s)
    return Booking(goes=False, wait_s=min(back_s - now_s, LONGEST_WAIT_S))


# Asked for less -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Slowdown:
    """A rate of which only a `share` was left at `since`."""

    full_per_s: float
    share: float
    since: datetime

    def rate_per_s(self, now: datetime) -> float:
        """Return the rate by now: it grows back evenly."""
        return self.full_per_s * self._share(now)

    def is_over(self, now: datetime) -> bool:
        """Tell whether all of it has grown back."""
        return self._share(now) >= 1

    def _share(self, now: datetime) -> float:
        return min(1.0, self.share + max((now - self.since).total_seconds(), 0) / _RECOVERS_IN_S)


def halve(before: Slowdown | None, *, full_per_s: float, now: datetime) -> Slowdown:
    """Halve a rate, as it is by now, and no more than once for one cause.

    `full_per_s` is the configured rate; where none is, what was just sent: a quarter hour later it is all free again.
    """
    if before is None or before.is_over(now):
        return Slowdown(full_per_s=max(full_per_s, _OBSERVED_LEAST_PER_S), share=0.5, since=now)
    if (now - before.since).total_seconds() < _HALVED_EVERY_S:
        return before
    share = before.rate_per_s(now) / before.full_per_s
    return Slowdown(full_per_s=before.full_per_s, share=max(share / 2, _LEAST_SHARE), since=now)


# Hours and days -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Hours:
    """A part of each day, in minutes after midnight on the wall clock; it may go over midnight."""

    begins: int
    ends: int

    @classmethod
    def read(cls, text: str) -> Hours:
        """Read "07-22" or "07:30-22:15". Raises `ValueError`.

        >>> Hours.read("22-06:30")
        Hours(begins=1320, ends=390)
        """
        begins, ends = (_minute(part) for part in text.split("-"))
        if begins in {ends, _DAY_MINUTES}:
            raise ValueError(text)
        return cls(begins=begins, ends=ends)

    def __str__(self) -> str:
        """Write them as they are read."""
        return "-".join(f"{one // 60:02}:{one % 60:02}" for one in (self.begins, self.ends))

    def wait_s(self, now: datetime, zone: tzinfo) -> float:
        """Return how long it is until they begin, 0 within them. On the days of a DST change it may be an hour off.

        >>> from datetime import UTC
        >>> Hours.read("07-22").wait_s(datetime(2026, 11, 28, 23, tzinfo=UTC), UTC)
        28800.0
        """
        local = now.astimezone(zone)
        minute = local.hour * 60 + local.minute
        inside = self.begins <= minute < self.ends if self.begins < self.ends else not self.ends <= minute < self.begins
        if inside:
            return 0.0
        begins = local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(minutes=self.begins)
        return ((begins - local).total_seconds()) % 86_400


def _minute(text: str) -> int:
    found = re.fullmatch(r"(\d\d)(?::([0-5]\d))?", text, re.ASCII)
    minute = int(found[1]) * 60 + int(found[2] or 0) if found else _DAY_MINUTES + 1
    if minute > _DAY_MINUTES:
        raise ValueError(text)
    return minute


@dataclass(frozen=True, kw_only=True, slots=True)
class WarmUp:
    """How much a new sender may send a day: `first` on the day it starts, each day `growth` times as much.

    Receivers learn an address or domain by its steady growth; they block a stranger who sends thousands on day one.
    """

    starts: date
    first: int
    growth: float

    @classmethod
    def read(cls, text: str) -> WarmUp:
        """Read "2026-11-28:50x2": from that day, 50 and each day twice as many. Raises `ValueError`.

        >>> WarmUp.read("2026-11-28:50x1.5").allowed(date(2026, 11, 30))
        112
        """
        found = re.fullmatch(r"(\d{4}-\d\d-\d\d):(\d{1,7})x(\d{1,2}(?:\.\d{1,3})?)", text, re.ASCII)
        if not found:
            raise ValueError(text)
        plan = cls(starts=date.fromisoformat(found[1]), first=int(found[2]), growth=float(found[3]))
        if plan.first < 1 or not 1 < plan.growth <= 10:
            raise ValueError(text)
        return plan

    def __str__(self) -> str:
        """Write it as it is read."""
        return f"{self.starts}:{self.first}x{self.growth:g}"

    def allowed(self, day: date) -> int | None:
        """Return how many may go on a day; before it starts as on its first, None beyond a million: it is over."""
        grown = self.first * self.growth ** min(max((day - self.starts).days, 0), 200)
        return None if grown > 1_000_000 else int(grown)


def read_domain_rates(text: str) -> dict[str, float]:
    """Read "gmail.com=20 yahoo.com=5 *=50": messages a second by receiver; `*` is each other one. Raises `ValueError`.

    >>> read_domain_rates("googlemail.com=20 *=0.5")
    {'gmail.com': 20.0, '*': 0.5}
    """
    rates = {}
    for item in text.split():
        domain, separator, number = item.partition("=")
        if not separator or not re.fullmatch(r"\*|[\w-]+(\.[\w-]+)+", domain) or not 0.001 <= float(number) <= 1e6:
            raise ValueError(item)
        rates[domain if domain == ANY_DOMAIN else receiver(domain)] = float(number)
    return rates
