"""Processes that read feeds for all tests of a session: each takes a quarter of a second to start. Asserts nothing."""

from __future__ import annotations

from worker.adapters.sources.reader_pool import ReaderPool


class KeptReaders(ReaderPool):
    """A pool that stays open when a poller closes it: the next one reads with the same process."""

    def close(self) -> None:
        """Do nothing."""

    def end(self) -> None:
        """End the process."""
        super().close()
