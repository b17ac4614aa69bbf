"""Who may send what now, and by which provider: the one thing that a courier asks.

Fast when nothing is the matter: no rate, no shut way, no plan means no Redis, and one small read of SQL a second. One
`Flow` lives in a delivery worker's event loop. `routing`, `breakers` and `pacing` decide; this brings their answers
together with what SQL and Redis hold for all workers.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, tzinfo
from functools import partial
from types import MappingProxyType
from typing import Final, TypeVar

from sqlalchemy import Connection

from worker.circuits import Trouble, Way
from worker.delivery.breakers import Evidence, trouble_of
from worker.delivery.routing import Hold, choose
from worker.delivery.run_breakers import Ways, look, tell_and_look
from worker.delivery.run_limits import Door, Limits
from worker.delivery.run_pacing import Pace
from worker.errors import OutcomeUnknown, SendError
from worker.model import Lane, Receipt
from worker.ports import Answer
from worker.receivers import receiver
from worker.store.copies import DueDelivery
from worker.store.database import Database
from worker.store.throttles import Place

Result = TypeVar("Result")

_LOOKS_EVERY_S: Final = 1.0
_SMOOTHING: Final = 0.3
_FADING: Final = 0.999  # a second: the best of the last quarter hour or so
_LEAST_PER_S: Final = 100.0  # a provider without a rate is taken to bear this much, a receiver a fifth of it


class _Provider:
    """What one provider has been doing here lately."""

    def __init__(self, name: str) -> None:
        self.evidence = Evidence(name)
        self.taken = 0  # since the last look
        self.per_s = self.best_per_s = 0.0

    def measure(self, now_s: float, over_s: float) -> None:
        """Bring its rate up to date."""
        self.evidence.age(now_s)
        self.per_s += _SMOOTHING * (self.taken / over_s - self.per_s)
        self.best_per_s = max(self.per_s, self.best_per_s * _FADING**over_s)
        self.taken = 0


class Flow:
    """`domain_rates` are messages a second by receiver, `*` for each other one; `zone` is the newsroom's."""

    def __init__(
        self,
        doors: Sequence[Door],
        *,
        database: Database,
        pace: Pace,
        domain_rates: Mapping[str, float] = MappingProxyType({}),
        zone: tzinfo = UTC,
    ) -> None:
        self._database, self._pace = database, pace
        self._exits = {lane: [door.exit for door in doors if lane in door.exit.lanes] for lane in Lane}
        self._providers = {door.exit.name: _Provider(door.exit.name) for door in doors}
        self._limits = Limits(doors, pace=pace, run=self._transact, domain_rates=domain_rates, zone=zone)
        self._ways = Ways()
        self._looked_s = time.monotonic() - _LOOKS_EVERY_S
        self._all_open = False

    async def refresh(self) -> None:
        """Read what other workers have found out, and tell them what we have: once a second, else free."""
        now_s = time.monotonic()
        if now_s - self._looked_s < _LOOKS_EVERY_S:
            return
        for provider in self._providers.values():
            provider.measure(now_s, now_s - self._looked_s)
        self._looked_s = now_s
        await self._look()

    def route(self, row: DueDelivery) -> str | Hold:
        """Return the provider that a copy goes by, or when to ask again."""
        exits = self._exits[row.lane]
        if self._all_open:
            return choose(exits, row.subscriber_id, avoid=row.avoid)
        holds = [self._hold(one.name, row) for one in exits]
        usable = [one for one, hold in zip(exits, holds, strict=True) if hold is None]
        if not usable:
            shut = [hold for hold in holds if hold]
            return replace(min(shut, key=lambda hold: hold.wait_s), of_all=all(hold.of_all for hold in shut))
        chosen = choose(usable, row.subscriber_id, avoid=row.avoid)
        self._ways.note_probe(_way(chosen, row), row.id)
        return chosen

    async def admit(self, provider: str, rows: Sequence[DueDelivery]) -> list[Hold | None]:
        """Return None for each copy that may go now, after waiting a few seconds for its turn if need be.

        A hold is for one that goes back to SQL: its way was shut since it was routed, its turn is too far off, or the
        provider's day is used up. All rows are of one lane.
        """
        if self._all_open and not self._ways.slowed and not self._limits.apply(provider):
            return [None] * len(rows)
        holds = [self._ways.hold(_way(provider, row), row.lane, row.id) for row in rows]
        free = [place for place, hold in enumerate(holds) if hold is None]
        if not free:
            return holds
        for place in free:
            self._ways.note_probe(_way(provider, rows[place]), rows[place].id)
        now, lane = self._ways.clock(), rows[0].lane
        got = await self._limits.take(provider, len(free), now)
        if got < len(free):
            self._all_open = False
        for place in free[got:]:
            holds[place] = Hold(wait_s=1.0, reason=f"{provider}: today's part of its warm-up is used up", of_all=True)
        domains = [rows[place].domain for place in free[:got]]
        is_paced = self._limits.is_paced(provider, self._ways.slowed)
        waits_s = await self._limits.wait_turns(provider, domains, lane, slowed=self._ways.slowed, now=now)
        self._limits.put_back(provider, sum(wait_s > 0 for wait_s in waits_s), now)
        for place, wait_s in zip(free, waits_s, strict=False):
            if wait_s > 0:
                holds[place] = Hold(wait_s=wait_s, reason="paced", of_all=is_paced)
        return holds

    def others(self, provider: str, lane: Lane) -> int:
        """Return how many other providers serve a lane."""
        return sum(one.name != provider for one in self._exits[lane])

    def heard(self, provider: str, row: DueDelivery, answer: Answer) -> None:
        """Note what a provider answered."""
        known = self._providers[provider]
        if isinstance(answer, Receipt):
            known.taken += 1
            known.evidence.accept(row.edition_kind, receiver(row.domain))
            if not self._ways.all_open:
                self._ways.hear_probe(_way(provider, row), row.id, None, "")
            return
        trouble = trouble_of(answer)
        if trouble is None:
            return
        way, reason, wait_s = _way(provider, row), _reason(answer), _wait_s(answer)
        tried = self._ways.hear_probe(way, row.id, trouble, reason)
        for one in known.evidence.fail(trouble, stream=way.stream, domain=way.domain, now_s=time.monotonic()):
            if one not in tried:
                self._trip(one, trouble, reason, wait_s)
        if trouble is Trouble.OVERLOAD:
            self._slow(way, answer)

    def unreachable(self, provider: str, error: SendError) -> None:
        """Note that a connection could not be opened, or not as far as its first message."""
        said = trouble_of(error)
        trouble = said if said in {Trouble.LOGIN, Trouble.OVERLOAD} else Trouble.UNREACHABLE
        way = Way(provider)
        is_enough = self._providers[provider].evidence.fail(trouble, now_s=time.monotonic())
        if is_enough or self._ways.has_turn(way):  # one failure ends a turn
            self._trip(way, trouble, _reason(error), error.retry_after_s)

    async def flush(self) -> None:
        """Write what was heard, and give back what was not used."""
        if self._ways.news:
            await self._look()
        await self._limits.give_back()

    async def close(self) -> None:
        """Close the connections to Redis; the flow may be used again afterwards."""
        await self._pace.close()

    def _hold(self, provider: str, row: DueDelivery) -> Hold | None:
        return self._limits.hold(provider, row.lane) or self._ways.hold(_way(provider, row), row.lane, row.id)

    def _trip(self, way: Way, trouble: Trouble, reason: str, wait_s: float | None) -> None:
        self._ways.trip(way, trouble, reason, wait_s)
        self._all_open = False

    def _slow(self, way: Way, answer: SendError | OutcomeUnknown) -> None:
        """Halve the rate of who asked for less: a receiver, by 4.7.x, or else the provider itself."""
        known = self._providers[way.provider]
        is_receiver = isinstance(answer, SendError) and answer.enhanced.startswith("4.7.")
        place = Place("", way.domain) if is_receiver else Place(way.provider)
        if is_receiver:
            seen_per_s = max(known.best_per_s * known.evidence.share_of(way.domain), _LEAST_PER_S / 5)
        else:
            seen_per_s = max(known.best_per_s, _LEAST_PER_S)
        self._ways.slow(place, self._limits.configured_per_s(place) or seen_per_s)

    async def _look(self) -> None:
        """Write what is new and read what is known. What cannot be written now is written with the next look."""
        news = self._ways.take_news()
        try:
            seen = await (self._transact(partial(tell_and_look, news=news)) if news else self._read(look))
        except BaseException:
            self._ways.put_back(news)
            raise
        self._ways.see(seen)
        self._all_open = self._limits.look_at(seen.at) and self._ways.all_open

    async def _transact(self, work: Callable[[Connection], Result]) -> Result:
        def run() -> Result:
            with self._database.write() as conn:
                return work(conn)

        return await asyncio.to_thread(run)

    async def _read(self, work: Callable[[Connection], Result]) -> Result:
        def run() -> Result:
            with self._database.read() as conn:
                return work(conn)

        return await asyncio.to_thread(run)


def _way(provider: str, row: DueDelivery) -> Way:
    return Way(provider, row.edition_kind, receiver(row.domain))


def _reason(answer: SendError | OutcomeUnknown) -> str:
    return answer.text if isinstance(answer, SendError) else str(answer)


def _wait_s(answer: SendError | OutcomeUnknown) -> float | None:
    return answer.retry_after_s if isinstance(answer, SendError) else None
