"""The statements that settle many events at once: those that most events are, and that lead to next to nothing.

An event is plain when it names a delivery that is `accepted`, and its own recipient if any, and says no more than that
it was sent or delivered.
Never decides; all others go one by one (`events`). Called by feedback.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.hearsay import Cause, EventKind
from worker.lifecycle import State
from worker.model import DeliveryId
from worker.store.database import now
from worker.store.schema import Delivery, Event, Subscriber, Suppression

_PLAIN: Final = (EventKind.DELIVERED, EventKind.SENT, EventKind.QUEUED, EventKind.DEFERRED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Plain:
    """A plain event. `address_hash` is None where the reader has another address by now."""

    id: int
    kind: EventKind
    delivery_id: DeliveryId
    recipient: str
    address_hash: str | None


def plain(conn: Connection, ids: Sequence[int]) -> list[Plain]:
    """Return which of some unsettled events are plain, in order of id."""
    told = sa.cast(Event.normalised["delivery_id"].as_string(), sa.BigInteger)
    address = Event.normalised["recipient"].as_string()
    query = (
        sa.select(
            Event.id,
            Event.kind,
            Delivery.id.label("delivery_id"),
            Delivery.recipient,
            sa.case((Subscriber.email == Delivery.recipient, Subscriber.address_hash)).label("address_hash"),
        )
        .join(Delivery, Delivery.id == told)
        .join(Subscriber, Subscriber.id == Delivery.subscriber_id)
        .where(Event.id.in_(ids), Event.settled_at.is_(None), Event.kind.in_(_PLAIN))
        .where(Delivery.state == State.ACCEPTED, Delivery.recipient.is_not(None))
        .where(sa.or_(address.is_(None), sa.func.lower(address) == sa.func.lower(Delivery.recipient)))
        .order_by(Event.id)
    )
    return [
        Plain(
            id=row.id,
            kind=EventKind(row.kind),
            delivery_id=row.delivery_id,
            recipient=row.recipient,
            address_hash=row.address_hash,
        )
        for row in conn.execute(query)
    ]


def scored(conn: Connection, hashes: Collection[str]) -> frozenset[str]:
    """Return which of some addresses are suppressed for their score: a delivery may lift that."""
    query = sa.select(Suppression.address_hash).where(
        Suppression.address_hash.in_(hashes), Suppression.cause == Cause.SCORE
    )
    return frozenset(conn.execute(query).scalars())


def deliver(conn: Connection, ids: Collection[DeliveryId]) -> None:
    """Let deliveries that are accepted be delivered."""
    is_accepted = (Delivery.id.in_(ids), Delivery.state == State.ACCEPTED)
    conn.execute(sa.update(Delivery).where(*is_accepted).values(state=State.DELIVERED))


def settle(conn: Connection, outcomes: Sequence[tuple[Plain, str | None, str]]) -> None:
    """Write down whose mail some events were about (an address's hash), and what they led to."""
    rows = [
        {"which": one.id, "about": one.delivery_id, "hash": address_hash, "led_to": led_to}
        for one, address_hash, led_to in outcomes
    ]
    statement = (
        sa.update(Event)
        .where(Event.id == sa.bindparam("which"), Event.settled_at.is_(None))
        .values(
            delivery_id=sa.bindparam("about"),
            address_hash=sa.bindparam("hash"),
            outcome=sa.bindparam("led_to"),
            settled_at=now(conn),
        )
    )
    conn.execute(statement, rows)
