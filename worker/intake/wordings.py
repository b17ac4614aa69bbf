"""Remembers the wordings of articles that others have been compared with: of a feed's items, most with the same few.

Pure. A wording is known by its hash, so that what is remembered is never out of date. `run_taking` and `run_together`
ask.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection
from typing import Final, Protocol

from worker import wording
from worker.intake.fingerprint import Wording, compared

_PIECES: Final = 400_000  # of some 75 bytes each
_LONGEST: Final = 10_000  # pieces of one that is kept: one novel would cost all others their place


class Worded(Protocol):
    """What has a wording."""

    @property
    def title(self) -> str: ...  # noqa: D102  as named
    @property
    def summary(self) -> str: ...  # noqa: D102  as named
    @property
    def body(self) -> str: ...  # noqa: D102  as named


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

    def of(self, text: Worded, exact: str) -> Wording:
        """Return a text's wording; `exact` is the hash under which it is looked for first."""
        return self.find(exact) or self.learn(text)

    def learn(self, text: Worded) -> Wording:
        """Return a text's wording, and remember it."""
        return self.keep(wording.wording(title=text.title, summary=text.summary, body=text.body))

    def keep(self, found: tuple[str, ...]) -> Wording:
        """Return what the words of a text are compared by, and remember it."""
        one = compared(found)
        if one.words <= _LONGEST:
            self._remember(one)
        return one

    def _remember(self, one: Wording) -> None:
        with self._guard:
            if one.exact in self._kept:
                return
            self._kept[one.exact] = one
            self._pieces += _size(one)
            while self._pieces > self._most:
                _, gone = self._kept.popitem(last=False)
                self._pieces -= _size(gone)


def _size(one: Wording) -> int:
    return len(one.pieces) + 10  # of its own, whatever it holds
