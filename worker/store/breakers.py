"""The statements over circuit breakers: each change is one step of `worker.circuits`, made under the row's lock.

Decides only whether a bounce is one of many. Delivery, feedback and the command line call it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from worker import circuits
from worker.circuits import Circuit, Condition, Trouble, Way
from worker.hearsay import EventKind
from worker.receivers import receiver
from worker.store.database import insert_for, now, upsert
from worker.store.schema import Audit, Breaker, Delivery, Event

_COLUMNS: Final = tuple(Circuit.__dataclass_fields__)
_KEPT: Final = timedelta(days=1)  # of a closed circuit, so that a person still sees what there was
_EVENTS_READ: Final = 2000
_POLICY_SHARE: Final = 0.2


def load(conn: Connection, *, closed_too: bool = False) -> dict[Way, Circuit]:
    """Return the circuits that are not closed: a few rows, and none on a good day."""
    query = sa.select(Breaker.provider, Breaker.stream, Breaker.domain, *(getattr(Breaker, name) for name in _COLUMNS))
    if not closed_too:
        query = query.where(Breaker.condition != Condition.CLOSED)
    rows = conn.execute(query.order_by(Breaker.provider, Breaker.stream, Breaker.domain))
    return {Way(*row[:3]): Circuit(**dict(zip(_COLUMNS, row[3:], strict=True))) for row in rows}


def trip(conn: Connection, way: Way, trouble: Trouble, *, reason: str, wait_s: float | None = None) -> Circuit:
    """Shut a way for a while, and return its circuit; one that is shut already stays so."""
    return _change(conn, way, partial(circuits.trip, trouble=trouble, reason=reason, wait_s=wait_s))


def take_turn(conn: Connection, way: Way) -> int | None:
    """Return the number of our turn to try a way whose pause is over; None when it is somebody else's, or too early."""
    with_turn = _read(conn, way, lock=True)
    if with_turn is None:
        return None
    circuit = circuits.take_turn(with_turn, now(conn))
    if circuit is with_turn:
        return None
    _write(conn, way, circuit)
    return circuit.turn


def recover(conn: Connection, way: Way, *, turn: int) -> Circuit:
    """Open a way to all mail again, if this turn is still the last."""
    return _change(conn, way, partial(circuits.recover, turn=turn))


def pause(conn: Connection, way: Way, *, actor: str, reason: str) -> None:
    """Shut a way until a person resumes it."""
    _change(conn, way, partial(circuits.pause, reason=reason))
    _audit(conn, actor=actor, action="provider paused", way=way, detail={"reason": reason})


def resume(conn: Connection, way: Way, *, actor: str) -> list[Way]:
    """Open a way and everything narrower again, and return what was shut. A person has mended it, or was asked to."""
    shut = [one for one in load(conn) if _covers(way, one)]
    for one in shut:
        _change(conn, one, circuits.resume)
    _audit(conn, actor=actor, action="provider resumed", way=way, detail={"opened": [str(one) for one in shut]})
    return shut


def hear_policy_bounce(conn: Connection, *, provider: str, stream: str, domain: str, reason: str) -> bool:
    """Shut a stream to a domain that bounces it for policy (5.7.x), and tell whether it is shut now.

    To be called after the bounce's own `event` row is written, in its transaction. One refusal among many deliveries to
    the same domain is that one reader's; a fifth of them, or the only word that we have, is about us.
    """
    way = Way(provider, stream, receiver(domain))
    known = _read(conn, way, lock=False)
    if known is not None and known.condition is not Condition.CLOSED:
        return True
    bounced, told = _policy_bounces(conn, domain, at=now(conn))
    if told and bounced / told < _POLICY_SHARE:
        return False
    trip(conn, way, Trouble.POLICY, reason=reason)
    return True


def _policy_bounces(conn: Connection, domain: str, *, at: datetime) -> tuple[int, int]:
    """Count, among the last events, a domain's policy bounces, and all that was said of mail to it."""
    newest = conn.execute(sa.select(sa.func.max(Event.id))).scalar() or 0
    is_policy = sa.and_(Event.kind == EventKind.BOUNCED, Event.normalised["status"].as_string().startswith("5.7."))
    query = (
        sa.select(sa.func.coalesce(sa.func.sum(sa.case((is_policy, 1), else_=0)), 0), sa.func.count())
        .join(Delivery, Delivery.id == Event.delivery_id)
        .where(Event.id > newest - _EVENTS_READ, Event.received_at > at - circuits.FORGOTTEN_AFTER)
        .where(Delivery.domain == domain, Event.kind.in_((EventKind.BOUNCED, EventKind.DELIVERED)))
    )
    bounced, told = conn.execute(query).one()
    return bounced, told


def _change(conn: Connection, way: Way, step: Callable[..., Circuit]) -> Circuit:
    """Make one step of a circuit; a way that nobody has shut before has a closed one."""
    at = now(conn)
    fresh = Circuit(since=at - circuits.FORGOTTEN_AFTER)
    before = _read(conn, way, lock=True) or _begin(conn, way, fresh)
    after = step(before, now=at)
    if after != before:
        _write(conn, way, after)
    return after


def _begin(conn: Connection, way: Way, fresh: Circuit) -> Circuit:
    statement = insert_for(conn, Breaker).values(_values(way, fresh))
    conn.execute(statement.on_conflict_do_nothing(index_elements=list(Way._fields)))
    return _read(conn, way, lock=True) or fresh  # two workers may both be the first: the row decides


def _read(conn: Connection, way: Way, *, lock: bool) -> Circuit | None:
    query = sa.select(*(getattr(Breaker, name) for name in _COLUMNS)).where(
        Breaker.provider == way.provider, Breaker.stream == way.stream, Breaker.domain == way.domain
    )
    row = conn.execute(query.with_for_update() if lock else query).first()
    return Circuit(**row._mapping) if row else None  # noqa: SLF001  Row's documented view


def _write(conn: Connection, way: Way, circuit: Circuit) -> None:
    upsert(conn, Breaker, _values(way, circuit), key=Way._fields)
    old = sa.and_(Breaker.condition == Condition.CLOSED, Breaker.since < circuit.since - _KEPT)
    conn.execute(sa.delete(Breaker).where(old))


def _values(way: Way, circuit: Circuit) -> dict[str, Any]:
    return {**way._asdict(), **{name: getattr(circuit, name) for name in _COLUMNS}}


def _covers(wide: Way, narrow: Way) -> bool:
    return all(not one or one == other for one, other in zip(wide, narrow, strict=True))


def _audit(conn: Connection, *, actor: str, action: str, way: Way, detail: dict[str, Any]) -> None:
    conn.execute(sa.insert(Audit).values(at=now(conn), actor=actor, action=action, subject=str(way), detail=detail))
