"""A feedback room on a real database, and short words for what it is told and what it leaves. Asserts nothing."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from tests import builders
from worker.feedback.run import Feedback
from worker.feedback.run_consequences import Means
from worker.hearsay import EventKind, FeedbackEvent
from worker.lifecycle import State
from worker.model import DeliveryId
from worker.signup.run_preferences import part
from worker.store import suppressions
from worker.store.database import Database
from worker.store.schema import Delivery, Edition, Event

_numbers = itertools.count(1)


@dataclass
class Listening:
    """A room that listens, with its database."""

    database: Database
    threshold: float = 3
    keeps_engagement: bool = False
    feedback: Feedback = field(init=False)

    def __post_init__(self) -> None:
        means = Means(hash_address=_hash, unsubscribe=part, threshold=self.threshold)
        self.feedback = Feedback(self.database, means, keeps_engagement=self.keeps_engagement)

    def deliveries(self, count: int = 1, *, state: State = State.ACCEPTED, **values: Any) -> list[DeliveryId]:
        """Plan an edition for so many readers, and put its rows into a state as sending leaves them there."""
        with self.database.write() as conn:
            edition_id = builders.edition(conn, [builders.reader(conn) for _ in range(count)])
            ids = builders.ids_of(conn, edition_id)
            row = {"state": state, "provider": "relay", **values}
            conn.execute(sa.update(Delivery).where(Delivery.edition_id == edition_id).values(**row))
        return ids

    def hears(self, *told: FeedbackEvent) -> None:
        """Store events, and draw their consequences."""
        self.feedback.store([(event, "{}") for event in told])
        while self.feedback.settle():
            pass

    def state(self, delivery_id: DeliveryId) -> State:
        found: State = self.row(delivery_id).state
        return found

    def row(self, delivery_id: DeliveryId) -> sa.Row[Any]:
        with self.database.read() as conn:
            return conn.execute(sa.select(Delivery.__table__).where(Delivery.id == delivery_id)).one()

    def recipient(self, delivery_id: DeliveryId) -> str:
        found: str = self.row(delivery_id).recipient
        return found

    def cause(self, address: str) -> str | None:
        """Return why an address is suppressed, None when it is not."""
        with self.database.read() as conn:
            known = suppressions.of_address(conn, builders.address_hash(address))
        return str(known.cause) if known else None

    def outcomes(self) -> list[str]:
        with self.database.read() as conn:
            return list(conn.execute(sa.select(Event.outcome).order_by(Event.id)).scalars())

    def events(self) -> list[sa.Row[Any]]:
        with self.database.read() as conn:
            return list(conn.execute(sa.select(Event.__table__).order_by(Event.id)))

    def edition_status(self, delivery_id: DeliveryId) -> str:
        with self.database.read() as conn:
            query = sa.select(Edition.status).join(Delivery, Delivery.edition_id == Edition.id)
            return str(conn.execute(query.where(Delivery.id == delivery_id)).scalar_one())

    def event(self, kind: EventKind, *, days_ago: float = 0, **values: Any) -> FeedbackEvent:
        """Make an event of its own id."""
        at = builders.time_of(self.database) - timedelta(days=days_ago)
        facts: dict[str, Any] = {"event_id": f"event {next(_numbers)}", "occurred_at": at, **values}
        return FeedbackEvent(provider="postmark", kind=kind, **facts)


def _hash(written: str) -> str | None:
    return builders.address_hash(written.lower()) if "@" in written else None
