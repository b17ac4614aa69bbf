"""Remembers the wordings of articles that others have been compared with: of a feed's items, most with the same few.

Pure. A wording is known by its hash, so that what is remembered is never out of date. `run_taking` asks.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection
from typing import Final

from worker.intake.fingerprint import Wording, compared, wording_of
from worker.model import ParsedArticle

_PIECES: Final = 400_000  # of some 75 bytes each


class Wordings:
    """The wordings that were asked for last, of one process; for any number of threads."""

    def __init__(self, most_pieces: int = _PIECES) -> None:
        self._most, self._pieces = most_pieces, 0
        self._kept: OrderedDict[str, Wording] = OrderedDict()
        self._guard = threading.Lock()

    def find(self, exact: str) -> Wording | None:
        """Return the wording that has this hash, if it is remembered."""
        with self._guard:
            if exact in self._kept:
                self._kept.move_to_end(exact)
            return self._kept.get(exact)

    def unknown(self, hashes: Collection[str]) -> set[str]:
        """Return which of these hashes nothing is remembered of."""
        with self._guard:
            return {one for one in hashes if one not in self._kept}

    def of(self, article: ParsedArticle, exact: str) -> Wording:
        """Return an article's wording; `exact` is the hash under which it is looked for first."""
        found = self.find(exact)
        if found is None:
            found = compared(wording_of(article))
            self.keep(found)
        return found

    def keep(self, wording: Wording) -> None:
        """Remember a wording, and forget those that were not asked for in the longest time."""
        with self._guard:
            if wording.exact in self._kept:
                return
            self._kept[wording.exact] = wording
            self._pieces += _size(wording)
            while self._pieces > self._most:
                _, gone = self._kept.popitem(last=False)
                self._pieces -= _size(gone)


def _size(wording: Wording) -> int:
    return len(wording.pieces) + 10  # of its own, whatever it holds
