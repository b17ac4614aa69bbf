"""The statements over addresses that get nothing any more, as far as events lead there and back.

Never decides; feedback does. An operator's own word is `people.suppress`, and no event undoes or replaces it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.hearsay import Cause
from worker.store.database import insert_for, now
from worker.store.schema import Audit, Event, Suppression

OPERATOR: Final = "operator"
"""Under this name, beside the providers', events keep what people did by hand."""
LIFTED: Final = "lifted"
"""The kind of such an event that ended a suppression: whatever was said before it counts no longer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Suppressed:
    """Why an address gets nothing, since when, and what was said that led to it."""

    cause: Cause
    reason: str
    created_at: datetime
    event_id: int | None


def address_subject(address_hash: str) -> str:
    """Return the name under which it is written down what people did to an address."""
    return f"address {address_hash}"


def suppress(conn: Connection, address_hash: str, *, cause: Cause, reason: str, event_id: int) -> bool:
    """Suppress an address for what an event says; False where a cause at least as strong stands already."""
    weaker = list(Cause)[: list(Cause).index(cause)]
    row = {"cause": cause, "reason": reason, "event_id": event_id, "created_at": now(conn)}
    done = conn.execute(
        insert_for(conn, Suppression)
        .values(address_hash=address_hash, **row)
        .on_conflict_do_update(index_elements=["address_hash"], set_=row, where=Suppression.cause.in_(weaker))
        .returning(Suppression.address_hash)
    )
    return done.first() is not None


def of_address(conn: Connection, address_hash: str) -> Suppressed | None:
    """Return why an address gets nothing, None when it may."""
    columns = (Suppression.cause, Suppression.reason, Suppression.created_at, Suppression.event_id)
    row = conn.execute(sa.select(*columns).where(Suppression.address_hash == address_hash)).first()
    return Suppressed(**row._mapping) if row else None  # noqa: SLF001  Row's documented view


def by_cause(conn: Connection) -> dict[Cause, int]:
    """Return how many addresses get nothing, for each cause."""
    counted = dict(conn.execute(sa.select(Suppression.cause, sa.func.count()).group_by(Suppression.cause)).all())
    return {cause: counted.get(cause, 0) for cause in Cause}


def lift_score(conn: Connection, address_hash: str) -> bool:
    """End a suppression that rests on a score alone; False when there is none such."""
    ended = conn.execute(
        sa.delete(Suppression).where(Suppression.address_hash == address_hash, Suppression.cause == Cause.SCORE)
    )
    return ended.rowcount == 1


def lift_event(conn: Connection, event_id: int) -> bool:
    """End a suppression that an event led to; False when there is none such."""
    return conn.execute(sa.delete(Suppression).where(Suppression.event_id == event_id)).rowcount == 1


def lift(conn: Connection, address_hash: str, *, reason: str, actor: str) -> bool:
    """End a suppression by hand, whatever its cause, and write down who did so and why; False when there is none."""
    known = of_address(conn, address_hash)
    if known is None:
        return False
    at = now(conn)
    conn.execute(sa.delete(Suppression).where(Suppression.address_hash == address_hash))
    detail = {"reason": reason, "was": f"{known.cause}: {known.reason}"}
    audit = sa.insert(Audit).values(
        at=at, actor=actor, action="unsuppress", subject=address_subject(address_hash), detail=detail
    )
    number = conn.execute(audit.returning(Audit.id)).scalar_one()
    conn.execute(
        sa.insert(Event).values(
            provider=OPERATOR,
            provider_event_id=f"audit {number}",
            kind=LIFTED,
            address_hash=address_hash,
            occurred_at=at,
            received_at=at,
            settled_at=at,
            outcome=reason,
        )
    )
    return True
