"""The statements that read what it takes to make and send copies: all of a leased batch, of a request, or one again.

Reads only. What many copies share, a content above all, is read once. Called by the delivery room and by `letters`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.lifecycle import State
from worker.model import DeliveryId, EditionKind, Lane, Severity
from worker.store import cards, confirming
from worker.store.leases import Lease
from worker.store.quick import Quick, among
from worker.store.schema import Delivery, Edition, EditionContent, Subscriber


class DueDelivery(NamedTuple):
    """What it takes to make and send one copy: a tuple, as hundreds are made at a time while connections wait."""

    id: DeliveryId
    edition_id: int
    lane: Lane
    planned_at: datetime
    attempts: int
    content_id: int
    subscriber_id: int
    recipient: str
    domain: str
    name: str  # as it was when the copy was first made
    message_id: str
    in_reply_to: str  # the Message-ID of the mail that it answers; "" for none
    confirmations: int  # of a question for consent its number, else how often the reader has been asked
    provider: str  # of the last try; "" before the first
    code: int | None  # what was answered to it
    avoid: str  # the provider that failed us last; "" when none did
    edition_kind: EditionKind
    severity: Severity
    expires_at: datetime
    content: str  # worker.content as JSON
    cards: Mapping[int, str] = MappingProxyType({})  # those that the content names by number, and perhaps others


_EDITION: Final = sa.select(Edition.id, Edition.kind, Edition.severity, Edition.expires_at, Edition.slot)
_COPY: Final = (  # as `DueDelivery` begins
    Delivery.id,
    Delivery.edition_id,
    Delivery.lane,
    Delivery.planned_at,
    Delivery.attempts,
    Delivery.content_id,
    Delivery.subscriber_id,
    Delivery.recipient,
    Delivery.domain,
    sa.func.coalesce(Delivery.addressee, Subscriber.name).label("name"),
    Delivery.message_id,
    Delivery.in_reply_to,
    Subscriber.confirmations,
    Delivery.provider,
    Delivery.code,
    Delivery.avoid,
)
_DUE: Final = (
    sa.select(*_COPY)
    .join(Subscriber, Subscriber.id == Delivery.subscriber_id)
    .where(Delivery.recipient.is_not(None))
    .order_by(Delivery.id)
)
_ITS_EDITION: Final = DueDelivery._fields.index("edition_id")
_ITS_CONTENT: Final = DueDelivery._fields.index("content_id")
_LEASED: Final = Quick(
    lambda _: _DUE.where(
        Delivery.edition_id == sa.bindparam("edition"),
        Delivery.batch_no == sa.bindparam("batch"),
        among(Delivery.state, (State.LEASED,)),
    )
)


def leased(conn: Connection, lease: Lease) -> list[DueDelivery]:
    """Return the rows that `take` has leased, in the order in which they were planned."""
    return _due(conn, _LEASED.rows(conn, {"edition": lease.edition_id, "batch": lease.batch_no}))


def of_request(conn: Connection, provider: str, request_key: str) -> list[DueDelivery] | None:
    """Return the rows that went out together, whatever their state; None when one of them cannot be made again."""
    which = (Delivery.provider == provider, Delivery.request_key == request_key)
    count = conn.execute(sa.select(sa.func.count()).where(*which)).scalar_one()
    rows = _due(conn, conn.execute(_DUE.where(*which)).all())
    return rows if len(rows) == count else None


def one(conn: Connection, delivery_id: DeliveryId) -> DueDelivery | None:
    """Return what it takes to make one copy again, whatever its state; None once its reader is erased."""
    rows = _due(conn, conn.execute(_DUE.where(Delivery.id == delivery_id)).all())
    return rows[0] if rows else None


def some(conn: Connection, ids: Sequence[DeliveryId]) -> list[DueDelivery]:
    """Return what it takes to make these copies again, whatever their state, but for those of erased readers."""
    return _due(conn, conn.execute(_DUE.where(Delivery.id.in_(ids))).all())


def _due(conn: Connection, rows: Sequence[Sequence[Any]]) -> list[DueDelivery]:
    """Read what the rows of `_DUE` share, a content above all, once for all of them."""
    wanted = {row[_ITS_EDITION] for row in rows}
    editions = {row.id: row for row in conn.execute(_EDITION.where(Edition.id.in_(wanted)))}
    shared = {number: row[1:4] for number, row in editions.items()}
    contents = sa.select(EditionContent.id, EditionContent.body).where(
        EditionContent.id.in_({row[_ITS_CONTENT] for row in rows})
    )
    bodies: dict[int, str] = dict(conn.execute(contents).all())
    told = cards.named_in(conn, bodies.values())
    due = [DueDelivery._make((*row, *shared[row[_ITS_EDITION]], bodies[row[_ITS_CONTENT]], told)) for row in rows]
    if not any(row.kind is EditionKind.CONFIRMATION for row in editions.values()):
        return due
    return [_asking(one, editions[one.edition_id].slot) if _asks(one) else one for one in due]


def _asks(due: DueDelivery) -> bool:
    return due.edition_kind is EditionKind.CONFIRMATION


def _asking(due: DueDelivery, slot: str) -> DueDelivery:
    """Let a copy ask what it was planned to ask, however often the reader has been asked since."""
    number = confirming.question_of(slot)
    return due if number is None else due._replace(confirmations=number)
