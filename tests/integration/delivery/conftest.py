"""A courier with a transport that tests script, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.builders import HOLDER
from tests.integration.delivery.stand_in import StandIn
from worker.delivery.decide import Patience
from worker.delivery.run import Courier, Terms
from worker.model import EditionId, Lane, OutgoingMessage
from worker.store.database import Database
from worker.store.deliveries import DueDelivery
from worker.store.leases import Holder

PATIENCE = Patience(alerts_s=30, bulk_s=300)


def write(due: DueDelivery) -> OutgoingMessage:
    """Write a message that is only as real as delivery needs it."""
    return OutgoingMessage(
        delivery_id=due.id,
        envelope_from="bounces@courier.example",
        recipient=due.recipient,
        message_id=due.message_id,
        data=b"Subject: news\r\n\r\nNews.\r\n",
    )


@dataclass(frozen=True)
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
        writing: Callable[[DueDelivery], OutgoingMessage] = write,
    ) -> Courier:
        return Courier(
            database=self.database,
            transports=dict.fromkeys(Lane, self.transport),
            write=writing,
            holder=holder,
            terms=Terms(lease_s=lease_s, patience=PATIENCE),
            stopping=stopping,
        )

    def deliver(self, edition_id: EditionId, batch_no: int = 1, **options: Any) -> int:
        """Deliver one batch with a new courier, and return how many rows it tried."""
        return asyncio.run(self.courier(**options).deliver(edition_id, batch_no))


@pytest.fixture
def post(database: Database) -> Post:
    return Post(database, StandIn())
