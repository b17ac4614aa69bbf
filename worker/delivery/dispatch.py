"""A delivery worker's own loop: takes batches from synchronous tasks, keeps the connections open between them.

Made after the fork, once a process. Called by `tasks` through `wiring`.
"""

from __future__ import annotations

from concurrent.futures import Future, wait

from worker.delivery.loop import LoopThread
from worker.delivery.run import Courier
from worker.delivery.run_doubts import Doubts
from worker.model import EditionId, Lane

ASKS_FOR_S = 5.0
_GOODBYE_S = 8.0


class Dispatch:
    """Runs the courier's work on one long-lived event loop thread."""

    def __init__(self, courier: Courier, doubts: Doubts) -> None:
        self._courier, self._doubts = courier, doubts
        self._loop = LoopThread()
        self._asking: Future[int] | None = None

    def deliver(self, lane: Lane, edition_id: EditionId, batch_no: int) -> int:
        """Send what is due of one batch, then of others of the lane, and return how many rows were tried."""
        return self._loop.run(self._courier.deliver(lane, edition_id, batch_no))

    def find_out(self) -> int:
        """Ask about unknown deliveries, and return how many were settled.

        Who answers late is waited for beside whatever else is done; the next call has the answer.
        """
        asking = self._asking or self._loop.start(self._doubts.find_out())
        wait([asking], ASKS_FOR_S)
        self._asking = None if asking.done() else asking
        return asking.result() if asking.done() else 0

    def close(self) -> None:
        """Say goodbye to relays and end the loop."""
        try:
            self._loop.run(self._courier.close(), timeout_s=_GOODBYE_S)
        finally:
            self._loop.stop()
