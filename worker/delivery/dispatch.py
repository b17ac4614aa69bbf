"""A delivery worker's own loop: takes batches from synchronous tasks, keeps the connections open between them.

Made after the fork, once a process. Called by `tasks` through `wiring`.
"""

from __future__ import annotations

from worker.delivery.loop import LoopThread
from worker.delivery.run import Courier
from worker.delivery.run_doubts import Doubts
from worker.model import EditionId, Lane

_GOODBYE_S = 5.0


class Dispatch:
    """Runs the courier's work on one long-lived event loop thread."""

    def __init__(self, courier: Courier, doubts: Doubts) -> None:
        self._courier, self._doubts = courier, doubts
        self._loop = LoopThread()

    def deliver(self, lane: Lane, edition_id: EditionId, batch_no: int) -> int:
        """Send what is due of one batch, then of others of the lane, and return how many rows were tried."""
        return self._loop.run(self._courier.deliver(lane, edition_id, batch_no))

    def find_out(self) -> int:
        """Ask about unknown deliveries, and return how many were settled."""
        return self._loop.run(self._doubts.find_out())

    def close(self) -> None:
        """Say goodbye to relays and end the loop."""
        try:
            self._loop.run(self._courier.close(), timeout_s=_GOODBYE_S)
        finally:
            self._loop.stop()
