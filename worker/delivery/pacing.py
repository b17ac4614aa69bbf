"""Decides how fast mail may go: what each message must wait for, and how a rate that is too high comes down.

Pure. `book` is the reference of the script that Redis runs for all workers together (`run_pacing`), and what a worker
uses by itself while Redis is away.

A bucket is kept as the moment at which its next message would be exactly on time (the generic cell rate algorithm): one
number instead of tokens that must be refilled, so nothing is lost or gained by who looks when. A message may be booked
a little ahead: its worker then waits for that moment, in order, with nobody else let in before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final, NamedTuple

from worker.model import Lane

LONGEST_WAIT_S: Final = 900.0
"""Whoever waits for longer asks again in between: plans change."""
BURST_S: Final = 1.0

# How far ahead a message is booked. Bulk's is a sweep's length, so that one batch alone keeps its rate. An alert's is
# longer: bulk that fills its own can delay it, and never turn it away.
AHEAD_S: Final[Mapping[Lane, float]] = MappingProxyType({Lane.BULK: 5.0, Lane.ALERTS: 10.0, Lane.CONTROL: 5.0})
_FARTHEST_S: Final = max(AHEAD_S.values())

_HALVED_EVERY_S: Final = 15.0  # what was in flight when the rate was halved says nothing about the new one
_LEAST_SHARE: Final = 1 / 64
_RECOVERS_IN_S: Final = 1800.0
_OBSERVED_LEAST_PER_S: Final = 1.0


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
