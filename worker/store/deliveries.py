"""The statements that move a delivery from state to state, each by compare-and-set, each with its attempt row.

`lifecycle` says which steps exist; `sources_of` becomes the WHERE of each. Never decides, never talks to the network.
Called by the delivery room.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection

from worker.lifecycle import Happening, State, sources_of, step
from worker.model import DeliveryId, EditionId, EditionKind, Lane, Receipt, Severity
from worker.store.database import now
from worker.store.leases import Lease, abandoned_condition, alive_condition, lock, reschedule, unheld_condition
from worker.store.schema import (
    Attempt,
    Delivery,
    Edition,
    EditionContent,
    Subscriber,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class DueDelivery:
    """What it takes to make and send one copy."""

    id: DeliveryId
    edition_id: int
    edition_kind: EditionKind
    severity: Severity
    lane: Lane
    expires_at: datetime
    planned_at: datetime
    attempts: int
    content_id: int
    content: str  # worker.content as JSON
    subscriber_id: int
    recipient: str
    name: str
    message_id: str
    confirmations: int  # how often the reader has been asked to confirm


@dataclass(frozen=True, kw_only=True, slots=True)
class Doubtful:
    """A delivery that may or may not have arrived."""

    id: DeliveryId
    edition_id: EditionId
    batch_no: int
    fence: int
    message_id: str
    lane: Lane
    edition_kind: EditionKind
    severity: Severity
    attempts: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of one try. `retry_in_s` stands with `DEFERRED` only."""

    delivery_id: DeliveryId
    fence: int
    happening: Happening
    provider: str
    code: int | None = None
    enhanced: str = ""
    text: str = ""
    provider_message_id: str = ""
    retry_in_s: float | None = None


_DUE: Final = (
    sa.select(
        Delivery.id,
        Delivery.edition_id,
        Edition.kind.label("edition_kind"),
        Edition.severity,
        Delivery.lane,
        Edition.expires_at,
        Delivery.planned_at,
        Delivery.attempts,
        Delivery.content_id,
        EditionContent.body.label("content"),
        Delivery.subscriber_id,
        Delivery.recipient,
        Subscriber.name,
        Delivery.message_id,
        Subscriber.confirmations,
    )
    .join(Edition, Edition.id == Delivery.edition_id)
    .join(EditionContent, EditionContent.id == Delivery.content_id)
    .join(Subscriber, Subscriber.id == Delivery.subscriber_id)
    .where(Delivery.recipient.is_not(None))
)


def outcome_of(receipt: Receipt, *, delivery_id: DeliveryId, fence: int) -> Outcome:
    """Return the outcome that a provider's receipt stands for."""
    return Outcome(
        delivery_id=delivery_id,
        fence=fence,
        happening=Happening.ACCEPTED,
        provider=receipt.provider,
        code=receipt.code,
        enhanced=receipt.enhanced,
        text=receipt.text,
        provider_message_id=receipt.provider_message_id,
    )


def leased(conn: Connection, lease: Lease) -> list[DueDelivery]:
    """Return the rows that `take` has leased, in the order in which they were planned."""
    query = _DUE.where(
        Delivery.edition_id == lease.edition_id, Delivery.batch_no == lease.batch_no, Delivery.state == State.LEASED
    )
    return [DueDelivery(**row._mapping) for row in conn.execute(query.order_by(Delivery.id))]  # noqa: SLF001  Row's documented view


def one(conn: Connection, delivery_id: DeliveryId) -> DueDelivery | None:
    """Return what it takes to make one copy again, whatever its state; None once its reader is erased."""
    row = conn.execute(_DUE.where(Delivery.id == delivery_id)).first()
    return DueDelivery(**row._mapping) if row else None  # noqa: SLF001  Row's documented view


def move(conn: Connection, delivery_id: DeliveryId, happening: Happening, *, reason: str = "") -> bool:
    """Make one step by compare-and-set; False when the row's state does not take it."""
    targets = {source: step(source, happening) for source in sources_of(happening)}
    state = sa.case(*((Delivery.state == source, str(target)) for source, target in targets.items()))
    moved = conn.execute(
        sa.update(Delivery)
        .where(Delivery.id == delivery_id, Delivery.state.in_(targets))
        .values(state=state, reason=reason or Delivery.reason)
    )
    return moved.rowcount == 1


def record(conn: Connection, outcomes: Sequence[Outcome]) -> None:
    """Write down what became of tries: an attempt row for each, and the step of every row that still waits for it.

    A row whose fence has moved on keeps its state, unless the news is that the message was accepted after all.
    """
    at = now(conn)
    for outcome in outcomes:
        row = conn.execute(
            sa.update(Delivery)
            .where(Delivery.id == outcome.delivery_id, _answers(outcome))
            .values(**_consequences(outcome, at))
            .returning(Delivery.attempts, Delivery.committed_at)
        ).first()
        number, started_at = (row.attempts, row.committed_at) if row else (0, None)
        conn.execute(
            sa.insert(Attempt).values(**_attempt(outcome), number=number, started_at=started_at or at, ended_at=at)
        )


def orphans_to_unknown(conn: Connection, *, limit: int) -> int:
    """Make "unknown" of rows on the wire whose holder is gone, and return how many there were."""
    query = sa.select(Delivery.id, Delivery.fence).where(Delivery.state == State.COMMITTING, abandoned_condition(conn))
    rows = conn.execute(query.limit(limit)).all()
    record(
        conn,
        [
            Outcome(
                delivery_id=DeliveryId(row.id),
                fence=row.fence,
                happening=Happening.REPLY_LOST,
                provider="",
                text="the worker that was sending it is gone",
            )
            for row in rows
        ],
    )
    return len(rows)


def unknown(conn: Connection, *, limit: int, after: int = 0) -> list[Doubtful]:
    """Return deliveries whose outcome must be found out, in order of id, from the one that follows `after`."""
    query = (
        sa.select(
            Delivery.id,
            Delivery.edition_id,
            Delivery.batch_no,
            Delivery.fence,
            Delivery.message_id,
            Delivery.lane,
            Edition.kind.label("edition_kind"),
            Edition.severity,
            Delivery.attempts,
        )
        .join(Edition, Edition.id == Delivery.edition_id)
        .where(Delivery.state == State.UNKNOWN, Delivery.id > after)
        .order_by(Delivery.id)
        .limit(limit)
    )
    return [Doubtful(**row._mapping) for row in conn.execute(query)]  # noqa: SLF001  Row's documented view


def postpone(conn: Connection, lease: Lease, delivery_id: DeliveryId, *, wait_s: float, reason: str) -> None:
    """Put a leased row that cannot be made into a message back for later, and say why."""
    lock(conn, lease.edition_id, lease.batch_no)
    conn.execute(
        sa.update(Delivery)
        .where(Delivery.id == delivery_id, Delivery.state == State.LEASED, alive_condition(conn, lease))
        .values(state=State.PLANNED, next_attempt_at=now(conn) + timedelta(seconds=wait_s), reason=reason[:500])
    )


def expire(conn: Connection, *, limit: int) -> int:
    """End the rows of editions whose last moment has passed, and return how many there were.

    What a living worker has leased ends in its own last check; what a dead one had leased may never be taken again.
    """
    at = now(conn)
    waits = sa.or_(
        Delivery.state.in_((State.PLANNED, State.DEFERRED)),
        sa.and_(Delivery.state == State.LEASED, unheld_condition(conn)),
    )
    overdue = (
        sa.select(Delivery.id, Delivery.edition_id, Delivery.batch_no)
        .join(Edition, Edition.id == Delivery.edition_id)
        .where(waits, Edition.expires_at <= at)
        .limit(limit)
    )
    rows = conn.execute(overdue).all()
    batches = sorted({(row.edition_id, row.batch_no) for row in rows})
    for edition_id, batch_no in batches:
        lock(conn, edition_id, batch_no)
    why = "its last moment passed before it could be delivered"
    expired = [move(conn, DeliveryId(row.id), Happening.EXPIRED, reason=why) for row in rows]
    for edition_id, batch_no in batches:
        reschedule(conn, edition_id, batch_no)
    return sum(expired)


def _answers(outcome: Outcome) -> ColumnElement[bool]:
    """Return which rows an outcome speaks of: those still under its fence, or any that wait, for an acceptance."""
    states = Delivery.state.in_(sources_of(outcome.happening))
    if outcome.happening is Happening.ACCEPTED:
        return states
    return sa.and_(states, Delivery.fence == outcome.fence)


def _consequences(outcome: Outcome, at: datetime) -> dict[str, object]:
    values: dict[str, object] = {"state": step(State.COMMITTING, outcome.happening), "code": outcome.code}
    if outcome.provider:
        values["provider"] = outcome.provider
    if outcome.happening is Happening.ACCEPTED:
        values |= {"accepted_at": at, "provider_message_id": outcome.provider_message_id, "next_attempt_at": None}
    if outcome.happening is Happening.DEFERRED:
        retry_at = at + timedelta(seconds=outcome.retry_in_s or 0)
        values |= {"next_attempt_at": retry_at, "reason": outcome.text[:500]}
    if outcome.happening in {Happening.REFUSED, Happening.REPLY_LOST}:
        values |= {"next_attempt_at": None, "reason": outcome.text[:500]}
    return values


def _attempt(outcome: Outcome) -> dict[str, object]:
    return {
        "delivery_id": outcome.delivery_id,
        "fence": outcome.fence,
        "outcome": outcome.happening,
        "provider": outcome.provider,
        "code": outcome.code,
        "enhanced": outcome.enhanced,
        "text": outcome.text[:2000],
        "provider_message_id": outcome.provider_message_id,
    }
