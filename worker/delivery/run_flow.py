"""Who may send what now, and by which provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from worker.delivery.routing import Hold
from worker.errors import SendError
from worker.model import Lane
from worker.ports import Answer
from worker.store.copies import DueDelivery


class Flow:
    """Sends each lane's mail by one provider."""

    def __init__(self, ways: Mapping[Lane, str]) -> None:
        self._ways = ways

    async def refresh(self) -> None:
        """Read what others know."""

    def route(self, row: DueDelivery) -> str | Hold:
        """Return the lane's provider."""
        return self._ways[row.lane]

    async def admit(self, _provider: str, rows: Sequence[DueDelivery]) -> list[Hold | None]:
        """Let all go."""
        return [None] * len(rows)

    def others(self, _provider: str, _lane: Lane) -> int:
        """Return how many other providers serve a lane."""
        return 0

    def heard(self, _provider: str, _row: DueDelivery, _answer: Answer) -> None:
        """Note what a provider answered."""

    def unreachable(self, _provider: str, _error: SendError) -> None:
        """Note that a connection could not be opened."""

    async def flush(self) -> None:
        """Write what was heard."""
