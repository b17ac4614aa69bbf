"""The statements that send a large edition's first share before all others, and let the rest follow or hold it.

The first share has batches of its own; all others are held, so that nobody takes them. Never decides: planning says how
many go first, `delivery.canary` how they have done.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.lifecycle import OPEN, Happening, State
from worker.model import Canary, EditionId, EditionStatus
from worker.store.database import now
from worker.store.leases import SENDABLE, reschedule
from worker.store.schema import Attempt, Delivery, DeliveryBatch, Edition

_ROWS_A_BATCH = 500
# Replies that no waiting mends: SMTP's from 505 on, HTTP's own 4xx. 500 to 504 mean a defect to the one, a bad moment
# to the other, and count as such.
_FINAL = sa.and_(
    sa.or_(Delivery.code.between(400, 449), Delivery.code >= 505), Delivery.code.not_in((408, 421, 425, 429, 432))
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Watched:
    """An edition whose first share is out."""

    edition_id: EditionId
    settled_at: datetime | None


def set_apart(conn: Connection, edition_id: EditionId, *, count: int, audience: int) -> int:
    """Give some copies batches of their own and hold all others, spread over the domains; return how many go first."""
    last = conn.execute(
        sa.select(sa.func.max(DeliveryBatch.batch_no)).where(DeliveryBatch.edition_id == edition_id)
    ).scalar_one()
    lane = conn.execute(sa.select(Edition.lane).where(Edition.id == edition_id)).scalar_one()
    first = _spread(conn, edition_id, count=count, audience=audience)
    for number, start in enumerate(range(0, len(first), _ROWS_A_BATCH), start=last + 1):
        batch = {"edition_id": edition_id, "batch_no": number, "lane": lane, "next_attempt_at": now(conn)}
        conn.execute(sa.insert(DeliveryBatch).values(batch))
        rows = Delivery.id.in_(first[start : start + _ROWS_A_BATCH])
        conn.execute(sa.update(Delivery).where(rows).values(batch_no=number))
    held = (DeliveryBatch.edition_id == edition_id, DeliveryBatch.batch_no <= last)
    conn.execute(sa.update(DeliveryBatch).where(*held).values(held=True, next_attempt_at=None))
    conn.execute(sa.update(Edition).where(Edition.id == edition_id).values(canary=Canary.WATCHED))
    return len(first)


def watched(conn: Connection) -> list[Watched]:
    """Return the editions whose first share is out, and whose rest waits for it."""
    query = sa.select(Edition.id, Edition.canary_settled_at).where(
        Edition.canary == Canary.WATCHED, Edition.status.in_(SENDABLE)
    )
    return [
        Watched(edition_id=EditionId(edition_id), settled_at=settled_at)
        for edition_id, settled_at in conn.execute(query)
    ]


def first_tried_at(conn: Connection, edition_id: EditionId) -> datetime | None:
    """Return when the first try of the first share began, None while there is none."""
    tries = sa.select(sa.func.min(Attempt.started_at)).join(Delivery, Delivery.id == Attempt.delivery_id)
    return conn.execute(tries.where(Delivery.edition_id == edition_id)).scalar_one()


def standing(conn: Connection, edition_id: EditionId) -> dict[tuple[State, bool], int]:
    """Return how many of the first share stand where, and whether that tells something of the mail or of our standing.

    A reply that no waiting mends does, and a reply that was lost; that the worker died which waited for one does not.
    """
    lost = sa.exists().where(
        Attempt.delivery_id == Delivery.id, Attempt.outcome == Happening.REPLY_LOST, Attempt.provider != ""
    )
    final = sa.case((_FINAL, True), (sa.and_(Delivery.state == State.UNKNOWN, lost), True), else_=False)
    query = (
        sa.select(Delivery.state, final, sa.func.count())
        .join(
            DeliveryBatch,
            sa.and_(DeliveryBatch.edition_id == Delivery.edition_id, DeliveryBatch.batch_no == Delivery.batch_no),
        )
        .where(Delivery.edition_id == edition_id, ~DeliveryBatch.held)
        .group_by(Delivery.state, final)
    )
    return {(state, bool(is_final)): count for state, is_final, count in conn.execute(query)}


def settled(conn: Connection, edition_id: EditionId) -> None:
    """Note that the first share has been dealt with: from now on it is only watched."""
    which = (Edition.id == edition_id, Edition.canary == Canary.WATCHED, Edition.canary_settled_at.is_(None))
    conn.execute(sa.update(Edition).where(*which).values(canary_settled_at=now(conn)))


def pass_on(conn: Connection, edition_id: EditionId) -> bool:
    """Let the rest follow; False when somebody was first, or has stopped the edition meanwhile."""
    passed = conn.execute(sa.update(Edition).where(*_undecided(edition_id)).values(canary=Canary.PASSED))
    if passed.rowcount != 1:
        return False
    release(conn, edition_id)
    return True


def fail(conn: Connection, edition_id: EditionId, *, reason: str) -> bool:
    """Hold the edition until a person resumes or cancels it; False when somebody was first."""
    values = {"canary": Canary.FAILED, "status": EditionStatus.HELD, "reason": reason}
    return conn.execute(sa.update(Edition).where(*_undecided(edition_id)).values(**values)).rowcount == 1


def release(conn: Connection, edition_id: EditionId) -> None:
    """Have all batches taken that were held."""
    which = (DeliveryBatch.edition_id == edition_id, DeliveryBatch.held)
    query = sa.select(DeliveryBatch.batch_no).where(*which).order_by(DeliveryBatch.batch_no).with_for_update()
    batches = conn.execute(query).scalars().all()
    conn.execute(sa.update(DeliveryBatch).where(*which).values(held=False))
    for batch_no in batches:
        reschedule(conn, edition_id, batch_no)


def _spread(conn: Connection, edition_id: EditionId, *, count: int, audience: int) -> list[int]:
    """Return every so-manieth copy of those laid out by domain: each large domain is met, each in its share."""
    step = max(1, audience // count)
    rank = sa.func.row_number().over(order_by=(Delivery.domain, Delivery.id)).label("rank")
    ranked = sa.select(Delivery.id, rank).where(Delivery.edition_id == edition_id, Delivery.state.in_(OPEN)).subquery()
    query = sa.select(ranked.c.id).where(ranked.c.rank % step == step // 2).order_by(ranked.c.rank).limit(count)
    return list(conn.execute(query).scalars())


def _undecided(edition_id: EditionId) -> tuple[sa.ColumnElement[bool], ...]:
    return (Edition.id == edition_id, Edition.canary == Canary.WATCHED, Edition.status.in_(SENDABLE))
