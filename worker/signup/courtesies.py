"""Which letters go to a reader unasked, and when: a welcome, what was changed, a farewell.

Decides only. The rule behind it: a reader learns what anybody with a link from their mail has done, and nobody with
such a link can fill their mailbox by doing it again and again. `run_courtesies` has the letters written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from worker.model import LetterKind

MOST_CHANGED_A_DAY: Final = 3
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Courtesies:
    """Which of these letters the house writes, and for how long changes are gathered into one letter."""

    kinds: frozenset[LetterKind] = frozenset({LetterKind.WELCOME, LetterKind.CHANGED, LetterKind.GOODBYE})
    changed_after: timedelta = timedelta(minutes=10)


NO_COURTESIES: Final = Courtesies(kinds=frozenset())
"""What programs and lists do to a reader is told by whoever runs them."""


def changed_due_at(written: Sequence[datetime], now: datetime, *, gather: timedelta) -> datetime:
    """Return when a letter about a change that happens now is due.

    `written` are the times at which the last day's letters began to gather, oldest first. When they are as many as go
    in a day, the next one gathers until the first of them is a day old: nothing is left untold, it comes later.

    >>> from datetime import UTC
    >>> at, ten = datetime(2026, 11, 29, 12, tzinfo=UTC), timedelta(minutes=10)
    >>> changed_due_at([at - ten], at, gather=ten) == at + ten
    True
    >>> changed_due_at([at - 3 * ten, at - 2 * ten, at - ten], at, gather=ten) == at - 3 * ten + timedelta(days=1)
    True
    """
    if len(written) < MOST_CHANGED_A_DAY:
        return now + gather
    return max(now + gather, written[-MOST_CHANGED_A_DAY] + _DAY)
