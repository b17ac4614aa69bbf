"""The statements over rates that were halved, and over what a warming-up provider may still take today.

Both outlive a FLUSHALL. How fast mail goes is Redis' business, how much faster it may be belongs here. Delivery, the
command line and the metrics call it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.store.database import insert_for, now, upsert
from worker.store.schema import Allowance, Throttle


class Place(NamedTuple):
    """Where a rate was halved: at a provider, or, with provider "", for a domain by whichever provider."""

    provider: str
    domain: str = ""


class Halved(NamedTuple):
    """A rate of which a `share` was left at `since`."""

    full_per_s: float
    share: float
    since: datetime


def load(conn: Connection) -> dict[Place, Halved]:
    """Return all of them; a few rows, and none on a good day."""
    columns = (Throttle.provider, Throttle.domain, Throttle.full_per_s, Throttle.share, Throttle.since)
    rows = conn.execute(sa.select(*columns).order_by(Throttle.provider, Throttle.domain))
    return {Place(*row[:2]): Halved(*row[2:]) for row in rows}


def change(conn: Connection, place: Place, step: Callable[[Halved | None, datetime], Halved]) -> None:
    """Make one step of a rate, by one worker at a time."""
    at = now(conn)
    which = (Throttle.provider == place.provider, Throttle.domain == place.domain)
    query = sa.select(Throttle.full_per_s, Throttle.share, Throttle.since).where(*which)
    row = conn.execute(query.with_for_update()).first()
    after = step(Halved(*row) if row else None, at)
    upsert(conn, Throttle, {**place._asdict(), **after._asdict()}, key=Place._fields)


def end(conn: Connection, place: Place, *, since: datetime) -> None:
    """Forget a rate that has grown back, unless it was halved again meanwhile."""
    which = (Throttle.provider == place.provider, Throttle.domain == place.domain, Throttle.since == since)
    conn.execute(sa.delete(Throttle).where(*which))


def take_allowance(conn: Connection, provider: str, day: date, *, limit: int, wanted: int) -> int:
    """Take up to `wanted` of what a provider may still send on a day, and return how many; exact among all workers."""
    key = {"provider": provider, "day": day}
    statement = insert_for(conn, Allowance).values(**key, taken=0)
    conn.execute(statement.on_conflict_do_nothing(index_elements=list(key)))
    which = (Allowance.provider == provider, Allowance.day == day)
    taken = conn.execute(sa.select(Allowance.taken).where(*which).with_for_update()).scalar_one()
    got = max(min(wanted, limit - taken), 0)
    if got:
        conn.execute(sa.update(Allowance).where(*which).values(taken=Allowance.taken + got))
    return got


def give_back_allowance(conn: Connection, provider: str, day: date, count: int) -> None:
    """Give back what was taken and not sent."""
    which = (Allowance.provider == provider, Allowance.day == day)
    conn.execute(sa.update(Allowance).where(*which).values(taken=Allowance.taken - count))


def taken(conn: Connection, day: date) -> dict[str, int]:
    """Return how much of a day's allowance each provider has taken."""
    query = sa.select(Allowance.provider, Allowance.taken).where(Allowance.day == day)
    return dict(conn.execute(query).all())
