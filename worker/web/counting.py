"""Counts what vetoes would cost, for pages that anybody's mail scanner opens: little, and never the most of a core.

A scanner opens every link of every mail. So one page counts at a time, counting rests three times as long as it took,
and what was counted is kept for some minutes; whoever comes in between gets the page without numbers. Stores nothing.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from worker.errors import TooLongError
from worker.store.database import Database

if TYPE_CHECKING:
    from worker.matching.run_vetoes import Vetoes

_KEPT_S: Final = 600.0
_MOST_KEPT: Final = 500
_RESTS: Final = 3  # times as long as it took
_WAIT_S: Final = 0.5


class Counts:
    """The counts of one installation in this process."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._turn = clock, threading.Lock()
        self._kept: OrderedDict[tuple[str, str], tuple[float, Vetoes]] = OrderedDict()
        self._rests_until_s = 0.0

    def of(self, database: Database, query: str, title: str) -> Vetoes | None:
        """Return what a query may leave out, with numbers; None where there is no time. Raises `QueryError`."""
        if not self._turn.acquire(timeout=_WAIT_S):
            return None
        try:
            return self._recall(query, title) or self._count(database, query, title)
        finally:
            self._turn.release()

    def _recall(self, query: str, title: str) -> Vetoes | None:
        until_s, found = self._kept.get((query, title), (0.0, None))
        return found if until_s > self._clock() else None

    def _count(self, database: Database, query: str, title: str) -> Vetoes | None:
        from worker.matching.run_vetoes import vetoes  # noqa: PLC0415  other pages need no arrays

        began_s = self._clock()
        if began_s < self._rests_until_s:
            return None
        try:
            found = vetoes(database, query, title)
        except TooLongError:
            return None
        finally:
            ended_s = self._clock()
            self._rests_until_s = ended_s + _RESTS * (ended_s - began_s)
        self._kept[query, title] = (ended_s + _KEPT_S, found)
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return found
