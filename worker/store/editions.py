"""The statements over editions, their interned contents, and the rows that fan out from them.

Never decides who gets what: planning hands in finished rows. All is safe to repeat, since an edition is unique by
its slot and a delivery by edition and reader.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection

from worker.content import AnyContent
from worker.facts import Copy, EditionPlan
from worker.lifecycle import State, conserve
from worker.model import ContentId, EditionId, EditionKind, EditionStatus, Lane, Severity
from worker.store import bulk
from worker.store.database import insert_for, now
from worker.store.leases import reschedule
from worker.store.schema import (
    ContentStory,
    Delivery,
    DeliveryBatch,
    Edition,
    EditionContent,
)
from worker.store.unsettled import IS_UNSETTLED

BATCH_ROWS: Final = 500
_BATCH: Final = ("edition_id", "batch_no", "lane", "next_attempt_at")
_UNDER_WAY = (
    EditionStatus.PLANNED,
    EditionStatus.SENDING,
    EditionStatus.PAUSED,
    EditionStatus.HELD,
    EditionStatus.CANCELLED,
)


def join_edition(conn: Connection, plan: EditionPlan) -> EditionId | None:
    """Return the slot's edition for more rows, made if need be; None when its audience is fixed already.

    For planners that share the house: several add to it at once, and whoever fixes its audience is alone.
    """
    which = (Edition.kind == plan.kind, Edition.slot == plan.slot, Edition.locale == plan.locale)
    row = conn.execute(sa.select(Edition.id, Edition.status).where(*which)).first()
    if row is None:
        return open_edition(conn, plan)
    return EditionId(row.id) if row.status == EditionStatus.PLANNING else None


def open_edition(conn: Connection, plan: EditionPlan) -> EditionId | None:
    """Return the slot's edition for more rows, made if need be, and locked; None when its audience is fixed already."""
    at = now(conn)
    values = {name: getattr(plan, name) for name in plan.__slots__}
    conn.execute(
        insert_for(conn, Edition)
        .values(**values, status=EditionStatus.PLANNING, created_at=at)
        .on_conflict_do_nothing(index_elements=["kind", "slot", "locale"])
    )
    row = conn.execute(
        sa.select(Edition.id, Edition.status)
        .where(Edition.kind == plan.kind, Edition.slot == plan.slot, Edition.locale == plan.locale)
        .with_for_update()  # PostgreSQL: one planner at a time an edition; SQLite has one writer anyway
    ).one()
    return EditionId(row.id) if row.status == EditionStatus.PLANNING else None


def intern(conn: Connection, content: AnyContent) -> ContentId:
    """Return the id under which all readers of an equal content share it."""
    digest = content.digest()
    inserted = conn.execute(
        insert_for(conn, EditionContent)
        .values(hash=digest, body=content.model_dump_json(), created_at=now(conn))
        .on_conflict_do_nothing(index_elements=["hash"])
        .returning(EditionContent.id)
    ).scalar()
    if inserted is None:
        return ContentId(conn.execute(sa.select(EditionContent.id).where(EditionContent.hash == digest)).scalar_one())
    if stories := content.stories():
        rows = [{"content_id": inserted, "story_id": story_id} for story_id in dict.fromkeys(stories)]
        conn.execute(sa.insert(ContentStory), rows)
    return ContentId(inserted)


def add_batch(conn: Connection, edition_id: EditionId, copies: Sequence[Copy], *, lane: Lane, domain: str) -> int:
    """Add copies as one new batch, due at once, and return how many; a reader who has one already is left out."""
    if not copies:
        return 0
    at = now(conn)
    last = conn.execute(
        sa.select(sa.func.max(DeliveryBatch.batch_no)).where(DeliveryBatch.edition_id == edition_id)
    ).scalar()
    batch_no = 1 if last is None else last + 1
    conn.execute(
        sa.insert(DeliveryBatch).values(edition_id=edition_id, batch_no=batch_no, lane=lane, next_attempt_at=at)
    )
    rows = [
        {
            **_row(copy, at),
            "edition_id": edition_id,
            "batch_no": batch_no,
            "lane": lane,
            "message_id": _message_id(edition_id, copy, domain),
        }
        for copy in copies
    ]
    inserted = conn.execute(
        insert_for(conn, Delivery)
        .on_conflict_do_nothing(index_elements=["edition_id", "subscriber_id"])
        .returning(Delivery.id),
        rows,
    ).all()
    reschedule(conn, edition_id, batch_no)
    return len(inserted)


def add_rows(conn: Connection, edition_id: EditionId, copies: Sequence[Copy], *, lane: Lane, domain: str) -> int:
    """Add copies in batches, due at once, and return how many; a reader who has one already is left out.

    For planners that share the house: their readers are theirs for this transaction, and a batch is numbered by its
    first reader, so that no two of them ever have to agree on a number. Readers ascend.
    """
    if not copies:
        return 0
    at = now(conn)
    has_one = sa.select(Delivery.subscriber_id).where(
        Delivery.edition_id == edition_id,
        Delivery.subscriber_id.between(copies[0].subscriber_id, copies[-1].subscriber_id),
    )
    served = set(conn.execute(has_one).scalars())
    new = [copy for copy in copies if copy.subscriber_id not in served]
    batches = [new[start : start + BATCH_ROWS] for start in range(0, len(new), BATCH_ROWS)]
    numbers = [batch[0].subscriber_id for batch in batches]
    bulk.insert(conn, DeliveryBatch, _BATCH, ((edition_id, number, lane, at) for number in numbers))
    rows = (
        (edition_id, number, lane, _message_id(edition_id, copy, domain), *_row(copy, at).values())
        for number, batch in zip(numbers, batches, strict=True)
        for copy in batch
    )
    return bulk.insert(conn, Delivery, _DELIVERY, rows)


def _message_id(edition_id: EditionId, copy: Copy, domain: str) -> str:
    """Return what a copy is called on every try; nobody guesses it, for returned mail is believed by it."""
    return f"{edition_id}.{copy.subscriber_id}.{secrets.token_hex(6)}@{domain}"


def close_edition(conn: Connection, edition_id: EditionId) -> int:
    """Fix the audience: nobody joins any more. Return it; an edition for nobody is finished at once."""
    at = now(conn)
    audience = conn.execute(sa.select(sa.func.count()).where(Delivery.edition_id == edition_id)).scalar_one()
    status = sa.func.coalesce(Edition.planned_as, EditionStatus.PLANNED)  # somebody may have stopped it meanwhile
    values: dict[str, object] = {"status": status, "audience": audience, "planned_at": at}
    if not audience:
        values |= {"status": EditionStatus.FINISHED, "finished_at": at}
    conn.execute(
        sa.update(Edition).where(Edition.id == edition_id, Edition.status == EditionStatus.PLANNING).values(**values)
    )
    return audience


def still_planning(conn: Connection, *which: ColumnElement[bool]) -> list[EditionId]:
    """Return editions of some kind that still take readers."""
    query = sa.select(Edition.id).where(Edition.status == EditionStatus.PLANNING, *which)
    return [EditionId(edition_id) for edition_id in conn.execute(query).scalars()]


def nature(conn: Connection, edition_id: EditionId) -> tuple[EditionKind, Severity]:
    """Return what an edition is, and how urgent."""
    row = conn.execute(sa.select(Edition.kind, Edition.severity).where(Edition.id == edition_id)).one()
    return row.kind, row.severity


_PENDING: Final = sa.exists().where(Delivery.edition_id == Edition.id, IS_UNSETTLED)
_FINISH: Final = (
    sa.update(Edition)
    .where(Edition.status.in_(_UNDER_WAY), Edition.finished_at.is_(None), ~_PENDING)
    # An issue that its preflight holds has no copies yet, and is not over for that.
    .where(sa.or_(Edition.status != EditionStatus.HELD, Edition.planned_at.is_not(None)))
    .values(
        status=sa.case((Edition.status == EditionStatus.CANCELLED, Edition.status), else_=EditionStatus.FINISHED),
        finished_at=sa.bindparam("at", type_=Edition.finished_at.type),
    )
)


def finish_settled(conn: Connection) -> int:
    """Finish every edition that has nothing open and nothing unknown, and return how many that were.

    A cancelled one stays cancelled, and is over.
    """
    finished = conn.execute(_FINISH, {"at": now(conn)})
    return finished.rowcount


def conservation(conn: Connection, edition_id: EditionId | None = None) -> dict[str, int]:
    """Return the terms of the conservation law, for one edition or for all.

    `audience` is what was fixed when planning ended, so that it differs from the sum of the others when a row is lost;
    as long as an edition is planned, it is its rows.
    """
    rows = sa.select(sa.func.count()).where(Delivery.edition_id == Edition.id).scalar_subquery()
    fixed = sa.select(sa.func.coalesce(sa.func.sum(sa.func.coalesce(Edition.audience, rows)), 0))
    if edition_id is not None:
        fixed = fixed.where(Edition.id == edition_id)
    return conserve(states(conn, edition_id)) | {"audience": int(conn.execute(fixed).scalar_one())}


def states(conn: Connection, edition_id: EditionId | None = None) -> Mapping[State, int]:
    """Return how many deliveries stand in each state, states without any left out."""
    query = sa.select(Delivery.state, sa.func.count()).group_by(Delivery.state)
    if edition_id is not None:
        query = query.where(Delivery.edition_id == edition_id)
    return dict(conn.execute(query).all())


def by_kind_and_status(conn: Connection) -> dict[tuple[EditionKind, EditionStatus], int]:
    """Return how many editions of each kind stand where, also where there are none."""
    query = sa.select(Edition.kind, Edition.status, sa.func.count()).group_by(Edition.kind, Edition.status)
    found = {(kind, status): count for kind, status, count in conn.execute(query)}
    return {(kind, status): found.get((kind, status), 0) for kind in EditionKind for status in EditionStatus}


def listed(
    conn: Connection,
    *,
    limit: int,
    edition_id: EditionId | None = None,
    before: int | None = None,
    kind: EditionKind | None = None,
    status: EditionStatus | None = None,
) -> list[dict[str, Any]]:
    """Return editions as mappings of their columns, the newest first."""
    query = sa.select(Edition.__table__).order_by(Edition.id.desc()).limit(limit)
    wanted = {Edition.id: edition_id, Edition.kind: kind, Edition.status: status}
    query = query.where(*(column == value for column, value in wanted.items() if value is not None))
    if before is not None:
        query = query.where(Edition.id < before)
    return [dict(row._mapping) for row in conn.execute(query)]  # noqa: SLF001  Row's documented view


def audience_holds(conn: Connection) -> bool:
    """Tell whether every edition whose audience is fixed has exactly so many rows: nobody lost, nobody added."""
    rows = sa.select(sa.func.count()).where(Delivery.edition_id == Edition.id).scalar_subquery()
    broken = sa.select(Edition.id).where(Edition.audience.is_not(None), Edition.audience != rows).limit(1)
    return conn.execute(broken).first() is None


def batches_of(conn: Connection, edition_ids: Iterable[EditionId]) -> list[tuple[EditionId, int, Lane]]:
    """Return the batches of the editions, to be rung for."""
    query = sa.select(DeliveryBatch.edition_id, DeliveryBatch.batch_no, DeliveryBatch.lane).where(
        DeliveryBatch.edition_id.in_(list(edition_ids))
    )
    return [(EditionId(edition_id), batch_no, lane) for edition_id, batch_no, lane in conn.execute(query)]


def _row(copy: Copy, at: datetime) -> dict[str, object]:
    return {
        "subscriber_id": copy.subscriber_id,
        "content_id": copy.content_id,
        "recipient": copy.recipient,
        "domain": copy.recipient.rpartition("@")[2].lower(),
        "state": State.PLANNED,
        "next_attempt_at": at,
        "published_at": copy.published_at,
        "seen_at": copy.seen_at,
        "matched_at": copy.matched_at,
        "planned_at": at,
        "serves": list(copy.subscriptions),
        "in_reply_to": copy.in_reply_to,
        "quiet_at": copy.quiet[0] if copy.quiet else None,
        "quiet_until": copy.quiet[1] if copy.quiet else None,
    }


# In the order in which `add_rows` writes them: its own four, then `_row`'s.
_DELIVERY: Final = (
    "edition_id",
    "batch_no",
    "lane",
    "message_id",
    "subscriber_id",
    "content_id",
    "recipient",
    "domain",
    "state",
    "next_attempt_at",
    "published_at",
    "seen_at",
    "matched_at",
    "planned_at",
    "serves",
    "in_reply_to",
    "quiet_at",
    "quiet_until",
)
