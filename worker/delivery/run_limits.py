"""What an operator allows each provider and each recipient domain, held against what has gone: rates, hours, warm-up.

Called by `run_flow`. `pacing` decides; Redis books, SQL counts a warm-up's days.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from worker.adapters.transports.spec import TransportSpec
from worker.allowances import ANY_DOMAIN, Hours, WarmUp
from worker.delivery.pacing import AHEAD_S, Bucket, Slowdown
from worker.delivery.routing import Exit, Hold
from worker.delivery.run_pacing import Pace
from worker.errors import ConfigurationError
from worker.model import Lane
from worker.receivers import receiver
from worker.store import throttles
from worker.store.throttles import Place

_LONGEST_HOLD_S: Final = 600.0
_PARTS_OF_A_DAY: Final = 50  # an allowance is taken in parts, so that a worker's crash costs little of it


@dataclass(frozen=True, kw_only=True, slots=True)
class Door:
    """A provider, and what it is allowed: messages a second, hours for bulk mail, a warm-up plan."""

    exit: Exit
    rate_per_s: float | None = None
    hours: Hours | None = None
    warm_up: WarmUp | None = None


def doors_of(specs: Sequence[TransportSpec], *, bulk_hours: str) -> list[Door]:
    """Return the doors that an operator has configured; `bulk_hours` are for those that have none of their own.

    Raises `ConfigurationError` when mail of some lane would have no way out.
    """
    for lane in (Lane.ALERTS, Lane.BULK):
        if not any(lane in spec.lanes for spec in specs):
            raise ConfigurationError(f"TOCSIN_TRANSPORTS: no transport serves the lane {lane}; see lanes=")
    usual = Hours.read(bulk_hours) if bulk_hours else None
    return [
        Door(
            exit=Exit.of(spec.name, weight=spec.weight, lanes=spec.lanes),
            rate_per_s=spec.rate_per_s,
            hours=spec.hours or usual,
            warm_up=spec.warm_up,
        )
        for spec in specs
    ]


@dataclass(kw_only=True, slots=True)
class _Stock:
    """The part of a day's allowance that this worker has taken and not used; `spent_until_s` when none is left."""

    day: date = date.min
    count: int = 0
    spent_until_s: float = 0.0


class Limits:
    """`domain_rates` are messages a second by receiver, `*` for each other one; `run` runs a transaction."""

    def __init__(
        self,
        doors: Sequence[Door],
        *,
        pace: Pace,
        run: Callable[[Callable[..., Any]], Awaitable[Any]],
        domain_rates: Mapping[str, float] = MappingProxyType({}),
        zone: tzinfo = UTC,
    ) -> None:
        self._doors = {door.exit.name: door for door in doors}
        self._pace, self._run, self._rates, self._zone = pace, run, domain_rates, zone
        self._stocks = {name: _Stock() for name, door in self._doors.items() if door.warm_up}
        self._out_of_hours: dict[str, Hold] = {}

    def apply(self, provider: str) -> bool:
        """Tell whether anything is set for mail by this provider."""
        return bool(self._rates) or self._doors[provider].rate_per_s is not None or provider in self._stocks

    def configured_per_s(self, place: Place) -> float | None:
        """Return the rate that is set for a place, None where there is none."""
        if place.provider:
            return self._doors[place.provider].rate_per_s
        return self._rates.get(place.domain, self._rates.get(ANY_DOMAIN))

    def look_at(self, now: datetime) -> bool:
        """See which hours it is, and tell whether all providers take all mail."""
        waits_s = {
            name: door.hours.wait_s(now, self._zone) for name, door in self._doors.items() if door.hours is not None
        }
        self._out_of_hours = {
            name: Hold(
                wait_s=min(wait_s, _LONGEST_HOLD_S),
                reason=f"{name}: no bulk mail outside {self._doors[name].hours}",
                of_all=True,
            )
            for name, wait_s in waits_s.items()
            if wait_s > 0
        }
        return not self._out_of_hours and all(self._spent(name) is None for name in self._stocks)

    def hold(self, provider: str, lane: Lane) -> Hold | None:
        """Return what keeps mail of a lane from a provider at this hour, or for the rest of the day."""
        if lane is Lane.BULK and (closed := self._out_of_hours.get(provider)):
            return closed
        return self._spent(provider)

    def is_paced(self, provider: str, slowed: Mapping[Place, Slowdown]) -> bool:
        """Tell whether a provider has a rate, whoever receives."""
        return Place(provider) in slowed or self._doors[provider].rate_per_s is not None

    async def take(self, provider: str, wanted: int, now: datetime) -> int:
        """Take messages out of a warming-up provider's day, and return how many it has left for us, up to `wanted`."""
        limit = self._of_today(provider, now)
        if limit is None:
            return wanted
        stock, today = self._stocks[provider], self._today(now)
        if stock.day != today:
            await self.give_back()
            stock.day = today
        while stock.count < wanted:  # others use and fill it while we ask
            part = max(wanted - stock.count, min(limit // _PARTS_OF_A_DAY, 500))
            take = partial(throttles.take_allowance, provider=provider, day=today, limit=limit, wanted=part)
            taken = await self._run(take)
            stock.count += taken
            if not taken:
                break
        got = min(wanted, stock.count)
        stock.count -= got
        if got < wanted:
            stock.spent_until_s = time.monotonic() + self._until_tomorrow_s(now)
        return got

    def put_back(self, provider: str, count: int, now: datetime) -> None:
        """Count messages as not taken, of those that `take` has just given, since they do not go now."""
        if count and self._of_today(provider, now) is not None:
            stock = self._stocks[provider]
            stock.count, stock.spent_until_s = stock.count + count, 0.0

    async def give_back(self) -> None:
        """Give back what was taken of a day and not used."""
        for name, stock in self._stocks.items():
            count, stock.count = stock.count, 0
            if count:
                give = partial(throttles.give_back_allowance, provider=name, day=stock.day, count=count)
                await self._run(give)

    async def wait_turns(
        self, provider: str, domains: Sequence[str], lane: Lane, *, slowed: Mapping[Place, Slowdown], now: datetime
    ) -> list[float]:
        """Wait for the turns of these messages, and return for each 0, or how long it is until it should ask again."""
        buckets: dict[str, Bucket] = {}
        wanted = []
        for domain in domains:
            own = [self._bucket(place, slowed, now) for place in (Place(provider), Place("", receiver(domain)))]
            wanted.append([bucket.name for bucket in own if bucket])
            buckets |= {bucket.name: bucket for bucket in own if bucket}
        if not buckets:
            return [0.0] * len(domains)
        places = {name: place for place, name in enumerate(buckets)}
        bookings = await self._pace.book(
            list(buckets.values()),
            [[places[name] for name in names] for names in wanted],
            ahead_s=AHEAD_S[lane],
            queues=lane is Lane.BULK,
        )
        await asyncio.sleep(max((one.wait_s for one in bookings if one.goes), default=0.0))
        return [0.0 if one.goes else max(one.wait_s, 0.1) for one in bookings]

    def _bucket(self, place: Place, slowed: Mapping[Place, Slowdown], now: datetime) -> Bucket | None:
        slowdown = slowed.get(place)
        rate = self.configured_per_s(place)
        if slowdown is not None and not slowdown.is_over(now):
            rate = min(slowdown.rate_per_s(now), rate or slowdown.full_per_s)
        name = f"provider:{place.provider}" if place.provider else f"domain:{place.domain}"
        return None if rate is None else Bucket(name, rate)

    def _of_today(self, provider: str, now: datetime) -> int | None:
        """Return how many a warming-up provider may send today, None where no plan holds it back."""
        plan = self._doors[provider].warm_up
        return plan.allowed(self._today(now)) if plan else None

    def _today(self, now: datetime) -> date:
        return now.astimezone(self._zone).date()

    def _spent(self, provider: str) -> Hold | None:
        stock = self._stocks.get(provider)
        left_s = stock.spent_until_s - time.monotonic() if stock else 0.0
        if left_s <= 0:
            return None
        reason = f"{provider}: today's part of its warm-up is used up"
        return Hold(wait_s=min(left_s, _LONGEST_HOLD_S), reason=reason, of_all=True)

    def _until_tomorrow_s(self, now: datetime) -> float:
        local = now.astimezone(self._zone)
        midnight = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        return (midnight - local).total_seconds()
