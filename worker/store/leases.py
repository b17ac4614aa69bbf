"""The statements that give a batch of deliveries to one worker at a time, and take it back from a dead one.

A lease is taken on the batch row; its fence number makes everything that an earlier holder still says fall flat. On
PostgreSQL the database's clock tells whether a lease is alive; on SQLite, where every holder runs on one machine, its
boot id and monotonic clock do, so that no step of the wall clock frees or holds anything. Whoever changes rows and
their batch in one transaction locks the batch first: then nobody waits for each other in a circle. Called by the
delivery room.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection

from worker.holder import boot_id, is_gone
from worker.lifecycle import PRE_COMMIT, State
from worker.model import EditionId, EditionKind, EditionStatus, Lane, Severity
from worker.store.database import now
from worker.store.quick import Quick, among
from worker.store.schema import Delivery, DeliveryBatch, Edition, Subscriber

SENDABLE = (EditionStatus.PLANNED, EditionStatus.SENDING)
_CANDIDATES = 4  # others take the first ones at the same moment
LONGEST_REPLY = timedelta(minutes=11)  # a relay may take ten to answer the final dot (RFC 5321, 4.5.3.2.6)


@dataclass(frozen=True, kw_only=True, slots=True)
class Holder:
    """Who holds a lease: `name` tells one process from every other, `boot` one run of one machine from every other.

    `look` is the number of what the process makes messages with, None for one that makes none.
    """

    name: str
    boot: str
    look: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Lease:
    """A batch in one worker's hands. `fence` grows with every lease of the batch."""

    edition_id: EditionId
    batch_no: int
    fence: int


def _breaking(at: ColumnElement[datetime]) -> sa.Select[int]:
    return (
        sa.select(DeliveryBatch.batch_no)
        .join(Edition, Edition.id == DeliveryBatch.edition_id)
        # PostgreSQL plans before it knows the time, and counts those that wait for nothing out only if it is told to.
        .where(DeliveryBatch.lane == Lane.ALERTS, DeliveryBatch.next_attempt_at.is_not(None))
        .where(DeliveryBatch.next_attempt_at <= at)
        # Spelt out, so that the databases see that the small index of breaking editions will do.
        .where(sa.literal_column("edition.severity = 'breaking'"))
        .where(among(Edition.status, SENDABLE), Edition.expires_at > at)
        .limit(1)
    )


def due_batches(conn: Connection, lane: Lane, *, limit: int) -> list[tuple[EditionId, int]]:
    """Return the lane's batches that have something to send and no living holder: breaking ones, then the most overdue.

    Breaking news goes by the lane for alerts alone, so that the long queue of the other needs no sorting.
    """
    return [
        (EditionId(edition_id), batch_no)
        for edition_id, batch_no in _DUE[lane].tuples(conn, {"at": now(conn), "most": limit})
    ]


def no_breaking_template(at: ColumnElement[datetime]) -> ColumnElement[bool]:
    """Return the condition that a lane need not yield, for a statement that is built once; see `must_yield`."""
    return ~_breaking(at).exists()


def must_yield(conn: Connection, lane: Lane) -> bool:
    """Tell whether a lane has to leave everything to a breaking alert that is due.

    One that waits for a retry holds nobody up.
    """
    if lane is not Lane.BULK:
        return False
    return bool(_BREAKING.tuples(conn, {"at": now(conn)}))


def take_next(conn: Connection, lane: Lane, *, holder: Holder, lease_s: float) -> Lease | None:
    """Take the lane's most overdue batch that is free; None when nothing is due, or the lane must yield."""
    if must_yield(conn, lane):
        return None
    candidates = due_batches(conn, lane, limit=_CANDIDATES)
    taken = (take(conn, *batch, holder=holder, lease_s=lease_s) for batch in candidates)
    return next((lease for lease in taken if lease is not None), None)


def take(conn: Connection, edition_id: EditionId, batch_no: int, *, holder: Holder, lease_s: float) -> Lease | None:
    """Take the batch if it is due and free; None when somebody was first or nothing is due.

    What the messages of its rows will be made with is written down with it, and how they will call their readers, so
    that they can be made again, byte for byte, whatever changes after.

    What a process of this machine held until it, or the machine, ended is taken back first (`free_dead`): taken over,
    its rows on the wire would stand under a fence of which nobody could tell whether it still waits for replies.
    """
    if _is_of_the_dead(conn, edition_id, batch_no):
        return None
    at = now(conn)
    batch = {"edition": edition_id, "batch": batch_no, "at": at}
    fences = _TAKE.tuples(conn, {**batch, "lease_holder": holder.name, **_until(at, holder, lease_s)})
    if not fences:
        return None
    lease = Lease(edition_id=edition_id, batch_no=batch_no, fence=fences[0][0])
    _LEASE.once(conn, {**batch, "look_id": holder.look})
    _BEGIN.once(conn, {"edition": edition_id})
    return lease


def _is_of_the_dead(conn: Connection, edition_id: EditionId, batch_no: int) -> bool:
    for name, boot in _HOLDER.tuples(conn, {"edition": edition_id, "batch": batch_no}):
        if boot == boot_id():
            return is_gone(name)
        return bool(boot) and conn.dialect.name == "sqlite"  # all holders share the machine: see `free_dead`
    return False


def lock(conn: Connection, edition_id: EditionId, batch_no: int) -> None:
    """Let nobody else take or reschedule the batch until this transaction ends; SQLite has one writer anyway."""
    if conn.dialect.name != "sqlite":
        _LOCK.once(conn, {"edition": edition_id, "batch": batch_no}).close()


def renew(conn: Connection, lease: Lease, *, holder: Holder, lease_s: float) -> bool:
    """Prolong the lease; False when it has been taken over, and then nothing new may be sent."""
    at = now(conn)
    renewed = conn.execute(
        sa.update(DeliveryBatch)
        .where(*_held(lease), _alive(conn.dialect.name, at))
        .values(**_until(at, holder, lease_s))
    )
    return renewed.rowcount == 1


def release(conn: Connection, lease: Lease) -> None:
    """Put the rows that were not tried back to "planned", and say when the batch is next due."""
    lock(conn, lease.edition_id, lease.batch_no)
    _RELEASE.once(conn, alive_parameters(lease))
    _FREE_BATCH.once(conn, alive_parameters(lease))
    reschedule(conn, lease.edition_id, lease.batch_no)


def reschedule(conn: Connection, edition_id: EditionId, batch_no: int) -> None:
    """Set the batch's `next_attempt_at` to the earliest of its rows that may still be sent; none, when it is held."""
    lock(conn, edition_id, batch_no)  # a statement that had to wait would write down what it saw before it waited
    _RESCHEDULE.once(conn, {"edition": edition_id, "batch": batch_no})


def holders(conn: Connection, boot: str) -> list[str]:
    """Return the names of holders on this run of this machine, whether or not their leases have run out."""
    query = sa.select(DeliveryBatch.lease_holder).distinct().where(DeliveryBatch.lease_boot == boot)
    return list(conn.execute(query).scalars())


def free_dead(conn: Connection, boot: str, names: Sequence[str]) -> None:
    """End the leases of holders on this run of this machine that are known to be gone, at once.

    On SQLite all holders share the machine, so that those of its earlier runs are gone too.
    """
    dead = sa.and_(DeliveryBatch.lease_boot == boot, DeliveryBatch.lease_holder.in_(names))
    if conn.dialect.name == "sqlite":
        dead = sa.or_(dead, DeliveryBatch.lease_boot.not_in(("", boot)))
    conn.execute(sa.update(DeliveryBatch).where(dead).values(**_FREE))


def alive_condition(conn: Connection, lease: Lease) -> ColumnElement[bool]:
    """Return the condition "this very lease is in force", for the compare-and-set of a delivery's steps."""
    return sa.exists().where(*_held(lease), _alive(conn.dialect.name, now(conn)))


def alive_parameters(lease: Lease) -> dict[str, int]:
    """Return what `alive_template` has to be executed with."""
    return {"held_edition": lease.edition_id, "held_batch": lease.batch_no, "held_fence": lease.fence}


def alive_template(dialect: str, at: ColumnElement[datetime]) -> ColumnElement[bool]:
    """Return `alive_condition` with places for a lease: for a statement that is built once and executed often."""
    return sa.exists().where(*_HELD, _alive(dialect, at))


def unheld_condition(conn: Connection) -> ColumnElement[bool]:
    """Return the condition "nobody holds this delivery's batch"."""
    return ~sa.exists().where(
        DeliveryBatch.edition_id == Delivery.edition_id,
        DeliveryBatch.batch_no == Delivery.batch_no,
        _alive(conn.dialect.name, now(conn)),
    )


def abandoned_condition(conn: Connection) -> ColumnElement[bool]:
    """Return the condition "whoever committed this delivery is gone, or can have no reply to wait for any more".

    A lease that has merely run out proves nothing: its holder may sit in front of an open connection all the while.
    """
    at = now(conn)
    own_lease = (
        DeliveryBatch.edition_id == Delivery.edition_id,
        DeliveryBatch.batch_no == Delivery.batch_no,
        DeliveryBatch.fence == Delivery.fence,
    )
    handed_back = sa.exists().where(*own_lease, DeliveryBatch.lease_holder == "")
    held = sa.exists().where(*own_lease, _alive(conn.dialect.name, at))
    return sa.or_(handed_back, sa.and_(~held, Delivery.committed_at <= at - LONGEST_REPLY))


# Of whoever has not said yes, and of letters that may go to another's address, no mail shows the name.
_NAMELESS: Final = (EditionKind.CONFIRMATION, EditionKind.SYSTEM)
_ADDRESSEE: Final = (
    sa.select(Subscriber.name)
    .join(Edition, Edition.id == Delivery.edition_id)
    .where(Subscriber.id == Delivery.subscriber_id, ~among(Edition.kind, _NAMELESS))
    .correlate(Delivery)
    .scalar_subquery()
)
_FREE = {"lease_holder": "", "lease_until": None, "lease_boot": "", "lease_monotonic_s": 0.0}


def _alive(dialect: str, at: datetime | ColumnElement[datetime]) -> ColumnElement[bool]:
    if dialect == "sqlite":  # both are asked for when the statement is executed, not when it is built
        boot = sa.bindparam(None, callable_=boot_id, type_=sa.Text, unique=True)
        clock = sa.bindparam(None, callable_=time.monotonic, type_=sa.Float, unique=True)
        return sa.and_(DeliveryBatch.lease_boot == boot, DeliveryBatch.lease_monotonic_s > clock)
    return sa.and_(DeliveryBatch.lease_until.is_not(None), DeliveryBatch.lease_until > at)


def _until(at: datetime, holder: Holder, lease_s: float) -> dict[str, object]:
    return {
        "lease_until": at + timedelta(seconds=lease_s),
        "lease_boot": holder.boot,
        "lease_monotonic_s": time.monotonic() + lease_s,
    }


def _held(lease: Lease) -> tuple[ColumnElement[bool], ...]:
    return (
        DeliveryBatch.edition_id == lease.edition_id,
        DeliveryBatch.batch_no == lease.batch_no,
        DeliveryBatch.fence == lease.fence,
    )


# Statements that run for every batch: see `quick`. --------------------------------------------------------------------

_AT: Final = sa.bindparam("at", type_=DeliveryBatch.next_attempt_at.type)
_HELD: Final = (
    DeliveryBatch.edition_id == sa.bindparam("held_edition"),
    DeliveryBatch.batch_no == sa.bindparam("held_batch"),
    DeliveryBatch.fence == sa.bindparam("held_fence"),
)
_THE_BATCH: Final = (
    DeliveryBatch.edition_id == sa.bindparam("edition"),
    DeliveryBatch.batch_no == sa.bindparam("batch"),
)
_ITS_ROWS: Final = (Delivery.edition_id == sa.bindparam("edition"), Delivery.batch_no == sa.bindparam("batch"))


def _due(dialect: str, *, lane: Lane) -> sa.Select[*tuple[int, int]]:
    breaking_first = [sa.case((Edition.severity == Severity.BREAKING, 0), else_=1)] if lane is Lane.ALERTS else []
    return (
        sa.select(DeliveryBatch.edition_id, DeliveryBatch.batch_no)
        .join(Edition, Edition.id == DeliveryBatch.edition_id)
        .where(DeliveryBatch.lane == lane, DeliveryBatch.next_attempt_at <= _AT)
        .where(among(Edition.status, SENDABLE), ~_alive(dialect, _AT))
        .order_by(*breaking_first, DeliveryBatch.next_attempt_at)
        .limit(sa.bindparam("most"))
    )


_BREAKING: Final = Quick(lambda _: _breaking(_AT))
_DUE: Final = {lane: Quick(partial(_due, lane=lane)) for lane in Lane}
_HOLDER: Final = Quick(lambda _: sa.select(DeliveryBatch.lease_holder, DeliveryBatch.lease_boot).where(*_THE_BATCH))
_LOCK: Final = Quick(lambda _: sa.select(DeliveryBatch.fence).where(*_THE_BATCH).with_for_update(key_share=True))
_TAKE: Final = Quick(
    lambda dialect: (
        sa.update(DeliveryBatch)
        .where(*_THE_BATCH, DeliveryBatch.next_attempt_at <= _AT, ~_alive(dialect, _AT))
        .where(sa.exists().where(Edition.id == sa.bindparam("edition"), among(Edition.status, SENDABLE)))
        .values(fence=DeliveryBatch.fence + 1)
        .returning(DeliveryBatch.fence)
    ),
    columns=("lease_holder", "lease_until", "lease_boot", "lease_monotonic_s"),
)
_LEASE: Final = Quick(
    lambda _: (
        sa.update(Delivery)
        .where(*_ITS_ROWS, among(Delivery.state, sorted(PRE_COMMIT)), Delivery.next_attempt_at <= _AT)
        .values(state=State.LEASED, addressee=_ADDRESSEE)
    ),
    columns=("look_id",),
)
_BEGIN: Final = Quick(
    lambda _: (
        sa.update(Edition)
        .where(Edition.id == sa.bindparam("edition"), among(Edition.status, (EditionStatus.PLANNED,)))
        .values(status=EditionStatus.SENDING)
    )
)
_RELEASE: Final = Quick(
    lambda _: (
        sa.update(Delivery)
        .where(Delivery.edition_id == sa.bindparam("held_edition"), Delivery.batch_no == sa.bindparam("held_batch"))
        .where(among(Delivery.state, (State.LEASED,)), sa.exists().where(*_HELD))
        .values(state=State.PLANNED)
    )
)
_FREE_BATCH: Final = Quick(lambda _: sa.update(DeliveryBatch).where(*_HELD).values(**_FREE))
_RESCHEDULE: Final = Quick(
    lambda _: (
        sa.update(DeliveryBatch)
        .where(*_THE_BATCH)
        .values(
            next_attempt_at=sa.case(
                (
                    ~DeliveryBatch.held,
                    sa.select(sa.func.min(Delivery.next_attempt_at))
                    .where(*_ITS_ROWS, among(Delivery.state, sorted(PRE_COMMIT)))
                    .scalar_subquery(),
                )
            )
        )
    )
)
