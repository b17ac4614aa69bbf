"""A delivery worker's own loop: takes batches from synchronous tasks, keeps the connections open between them.

Made after the fork, once a process. Called by `tasks` through `wiring`.
"""

from __future__ import annotations

from collections.abc import Mapping

from worker.delivery.loop import LoopThread
from worker.delivery.run import Courier
from worker.delivery.run_doubts import find_out
from worker.model import EditionId, Lane
from worker.ports import Transport
from worker.store.database import Database

_GOODBYE_S = 5.0


class Dispatch:
    """Runs the courier's work on one long-lived event loop thread."""

    def __init__(self, courier: Courier, database: Database, transports: Mapping[Lane, Transport]) -> None:
        self._courier, self._database, self._transports = courier, database, transports
        self._loop = LoopThread()

    def deliver(self, edition_id: EditionId, batch_no: int) -> int:
        """Send what is due of one batch, and return how many rows were tried."""
        return self._loop.run(self._courier.deliver(edition_id, batch_no))

    def find_out(self) -> int:
        """Ask about unknown deliveries, and return how many were settled."""
        return self._loop.run(find_out(self._database, self._transports, self._courier.patience))

    def close(self) -> None:
        """Say goodbye to relays and end the loop."""
        try:
            self._loop.run(self._courier.close(), timeout_s=_GOODBYE_S)
        finally:
            self._loop.stop()
