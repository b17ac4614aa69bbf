"""One worker's view of the circuits and slowed rates that all workers share: read once a second, written when changed.

What this worker sees itself counts for it at once; the others learn of it by SQL. Called by `run_flow`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final

from sqlalchemy import Connection

from worker import circuits
from worker.circuits import SHOWN, Circuit, Condition, Trouble, Way
from worker.delivery.pacing import Slowdown, halve
from worker.delivery.routing import Hold
from worker.model import DeliveryId, Lane
from worker.store import breakers, throttles
from worker.store.database import now
from worker.store.throttles import Halved, Place

log = logging.getLogger(__name__)

PROBES: Final = 3
"""How many messages one turn may try."""
_TURN_COMES_S: Final = 3.0
_LONGEST_HOLD_S: Final = MappingProxyType({Lane.ALERTS: 10.0, Lane.BULK: 60.0})  # others may open it meanwhile
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What SQL says of the ways, at its own time. `turns` are those that were just given to us."""

    at: datetime
    circuits: dict[Way, Circuit]
    slowed: dict[Place, Slowdown]
    turns: dict[Way, int] = field(default_factory=dict)


@dataclass(kw_only=True, slots=True)
class News:
    """What SQL must still be told; `wanted` are ways whose pause is over, and for which there is mail."""

    trips: dict[Way, tuple[Trouble, str, float | None]] = field(default_factory=dict)
    recoveries: dict[Way, int] = field(default_factory=dict)
    wanted: set[Way] = field(default_factory=set)
    halvings: dict[Place, float] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.trips or self.recoveries or self.wanted or self.halvings)


@dataclass(kw_only=True, slots=True)
class _Shut:
    """A way that is not closed, on this process's monotonic clock. `turn` is ours, 0 when we have none."""

    circuit: Circuit
    until_s: float
    turn: int = 0
    probes: set[DeliveryId] = field(default_factory=set)
    failed: int = 0

    @property
    def lets_pass(self) -> bool:
        return self.turn > 0 and len(self.probes) < PROBES and time.monotonic() < self.until_s


class Ways:
    """Which ways are shut, and which rates are slowed."""

    def __init__(self) -> None:
        self._shut: dict[Way, _Shut] = {}
        self.slowed: dict[Place, Slowdown] = {}
        self.news = News()
        self._now, self._seen_s = _LONG_AGO, time.monotonic()

    @property
    def all_open(self) -> bool:
        """Whether no way is shut."""
        return not self._shut

    def clock(self) -> datetime:
        """Return the database's time, as far as it is known without asking."""
        return self._now + timedelta(seconds=time.monotonic() - self._seen_s)

    def hold(self, way: Way, lane: Lane, delivery_id: DeliveryId) -> Hold | None:
        """Return what keeps a message from a way, None when it may go. `way` has its stream and domain."""
        for shut_way, shut in self._across(way):
            if delivery_id in shut.probes or shut.lets_pass:
                continue
            circuit, left_s = shut.circuit, shut.until_s - time.monotonic()
            if circuit.condition is Condition.PAUSED:
                return Hold(
                    wait_s=_LONGEST_HOLD_S.get(lane, 10.0),
                    reason=f"{shut_way}: paused: {circuit.reason}",
                    of_all=not any(shut_way[1:]),
                )
            if left_s <= 0:
                self.news.wanted.add(shut_way)
            wait_s = max(_TURN_COMES_S, min(left_s, _LONGEST_HOLD_S.get(lane, 10.0)))
            return Hold(
                wait_s=wait_s,
                reason=f"{shut_way}: {circuit.trouble}: {circuit.reason}",
                of_all=not any(shut_way[1:]),
            )
        return None

    def note_probe(self, way: Way, delivery_id: DeliveryId) -> None:
        """Count a message that goes this way among the probes of whatever is half open on it."""
        for _, shut in self._across(way):
            shut.probes.add(delivery_id)

    def hear_probe(self, way: Way, delivery_id: DeliveryId, trouble: Trouble | None, reason: str) -> set[Way]:
        """Close what a probe got through; shut again, for longer, what none got through. Return what it was to try."""
        tried = {shut_way: shut for shut_way, shut in self._across(way) if delivery_id in shut.probes}
        for shut_way, shut in tried.items():
            if trouble is None:
                self.news.recoveries[shut_way] = shut.turn
                del self._shut[shut_way]
                continue
            shut.failed += 1
            if shut.failed >= PROBES or not shut_way.domain:  # one reader of a domain may have a policy of their own
                self.trip(shut_way, trouble, reason)
        return set(tried)

    def has_turn(self, way: Way) -> bool:
        """Tell whether we are the ones that try a way now."""
        shut = self._shut.get(way)
        return shut is not None and shut.turn > 0

    def trip(self, way: Way, trouble: Trouble, reason: str, wait_s: float | None = None) -> None:
        """Shut a way, for this worker at once and for all others with the next look."""
        known = self._shut.get(way)
        before = known.circuit if known else Circuit(since=_LONG_AGO)
        after = circuits.trip(before, trouble, reason=reason, now=self.clock(), wait_s=wait_s)
        if after is not before:
            self.news.trips.setdefault(way, (trouble, reason, wait_s))
            self._shut[way] = self._as_shut(after)

    def slow(self, place: Place, full_per_s: float) -> None:
        """Halve a rate, for this worker at once and for all others with the next look."""
        self.news.halvings.setdefault(place, full_per_s)
        self.slowed[place] = halve(self.slowed.get(place), full_per_s=full_per_s, now=self.clock())

    def take_news(self) -> News:
        """Return what is to be written, once."""
        news, self.news = self.news, News()
        return news

    def put_back(self, news: News) -> None:
        """Take news back that could not be written; what has come in since is newer."""
        self.news = News(
            trips=news.trips | self.news.trips,
            recoveries=news.recoveries | self.news.recoveries,
            wanted=news.wanted | self.news.wanted,
            halvings=news.halvings | self.news.halvings,
        )

    def see(self, seen: Seen) -> None:
        """Take over what SQL says, but for what we have found out since it was asked; and keep our own turns."""
        self._now, self._seen_s = seen.at, time.monotonic()
        self.slowed = seen.slowed | {place: self.slowed[place] for place in self.slowed.keys() & self.news.halvings}
        old, self._shut = self._shut, {way: self._shut[way] for way in self._shut.keys() & self.news.trips}
        for way, circuit in seen.circuits.items():
            if way in self._shut or self.news.recoveries.get(way) == circuit.turn:
                continue
            known = old.get(way)
            is_our_turn = known is not None and known.turn == circuit.turn and circuit.condition is Condition.HALF_OPEN
            self._shut[way] = known if known and is_our_turn else self._as_shut(circuit, seen.turns.get(way, 0))

    def _across(self, way: Way) -> Iterator[tuple[Way, _Shut]]:
        """Walk over what shuts a message's way, the widest first."""
        provider, stream, domain = way
        for one in (Way(provider), Way(provider, stream), Way(provider, "", domain), way):
            if (shut := self._shut.get(one)) is not None:
                yield one, shut

    def _as_shut(self, circuit: Circuit, turn: int = 0) -> _Shut:
        left_s = (circuit.until - self.clock()).total_seconds() if circuit.until else float("inf")
        return _Shut(circuit=circuit, until_s=time.monotonic() + left_s, turn=turn)


def look(conn: Connection) -> Seen:
    """Read the ways, and nothing more."""
    slowed = {place: Slowdown(**halved._asdict()) for place, halved in throttles.load(conn).items()}
    return Seen(at=now(conn), circuits=breakers.load(conn), slowed=slowed)


def tell_and_look(conn: Connection, news: News) -> Seen:
    """Write what this worker has found out, take the turns that it wants, and read the ways."""
    for way, turn in news.recoveries.items():
        log.warning("%s is well again", way)
        breakers.recover(conn, way, turn=turn)
    for way, (trouble, reason, wait_s) in sorted(news.trips.items()):
        tripped = breakers.trip(conn, way, trouble, reason=reason, wait_s=wait_s)
        log.warning("%s is %s: %s: %s", way, SHOWN[tripped.condition], tripped.trouble or "", tripped.reason)
    for place, full_per_s in sorted(news.halvings.items()):
        throttles.change(conn, place, _halving(full_per_s))
    turns = {way: breakers.take_turn(conn, way) for way in sorted(news.wanted - news.trips.keys())}
    seen = look(conn)
    for place, slowdown in seen.slowed.items():
        if slowdown.is_over(seen.at):
            throttles.end(conn, place, since=slowdown.since)
    return replace(seen, turns={way: turn for way, turn in turns.items() if turn})


def _halving(full_per_s: float) -> Callable[[Halved | None, datetime], Halved]:
    def step(before: Halved | None, at: datetime) -> Halved:
        after = halve(Slowdown(**before._asdict()) if before else None, full_per_s=full_per_s, now=at)
        return Halved(full_per_s=after.full_per_s, share=after.share, since=after.since)

    return step
