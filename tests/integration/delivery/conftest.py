"""A courier with a transport that tests script, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders import HOLDER
from tests.integration.delivery.stand_in import StandIn
from worker.delivery.decide import Patience
from worker.delivery.routing import Exit
from worker.delivery.run import Courier, Terms
from worker.delivery.run_doubts import Doubts
from worker.delivery.run_flow import Flow
from worker.delivery.run_limits import Door
from worker.delivery.run_pacing import Pace
from worker.model import EditionId, Form, Lane, OutgoingMessage
from worker.store.copies import DueDelivery
from worker.store.database import Database
from worker.store.leases import Holder
from worker.store.schema import Breaker, DeliveryBatch

PATIENCE = Patience(alerts_s=30, bulk_s=300)


def write(due: DueDelivery, _form: Form = Form.MIME) -> OutgoingMessage:
    """Write a message that is only as real as delivery needs it."""
    return OutgoingMessage(
        delivery_id=due.id,
        envelope_from="bounces@courier.example",
        recipient=due.recipient,
        message_id=due.message_id,
        data=b"Subject: news\r\n\r\nNews.\r\n",
    )


@dataclass
class Post:
    """A courier and the stand-in that it hands messages to."""

    database: Database
    transport: StandIn

    def courier(
        self,
        *,
        holder: Holder = HOLDER,
        lease_s: float = 60.0,
        stopping: Callable[[], bool] = lambda: False,
        writing: Callable[[DueDelivery, Form], OutgoingMessage] = write,
        signs_long: bool = False,
    ) -> Courier:
        door = Door(exit=Exit.of(self.transport.name, weight=1, lanes=frozenset(Lane)))
        return Courier(
            database=self.database,
            transports={self.transport.name: self.transport},
            flow=Flow([door], database=self.database, pace=Pace(None, me=holder.name)),
            write=writing,
            holder=holder,
            terms=Terms(lease_s=lease_s, patience=PATIENCE),
            stopping=stopping,
            signs_long=signs_long,
        )

    def deliver(self, edition_id: EditionId, batch_no: int = 1, **options: Any) -> int:
        """Deliver one batch with a new courier, and return how many rows it tried."""
        with self.database.read() as conn:
            lane = conn.execute(
                sa.select(DeliveryBatch.lane).where(DeliveryBatch.edition_id == edition_id).distinct()
            ).scalar_one()
        with self.database.write() as conn:
            conn.execute(sa.delete(Breaker))  # each round begins on a good day
        return asyncio.run(self.courier(**options).deliver(lane, edition_id, batch_no))

    def doubts(self) -> Doubts:
        return Doubts(
            database=self.database,
            transports={self.transport.name: self.transport},
            patience=PATIENCE,
            write=write,
        )

    def find_out(self) -> int:
        """Ask about whatever is unknown, and return how many could be settled."""
        return asyncio.run(self.doubts().find_out())


@pytest.fixture
def post(database: Database) -> Post:
    return Post(database, StandIn())
