"""How much each WebSub hub may push to us in a while. Decides by its clock, stores nothing. The callback asks it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

BURST: Final = 12
A_MINUTE: Final = 30


class PushBudgets:
    """How much each hub may push, by subscription: a bucket that fills again. For one process, used in its event loop.

    It holds no more entries than there are subscriptions: only tokens of our own making come here.

    >>> at = [0.0]
    >>> budgets = PushBudgets(lambda: at[0])
    >>> sum(budgets.take(1) for _ in range(100)), budgets.take(2)
    (12, True)
    >>> at[0] = 2.0
    >>> budgets.take(1), budgets.take(1)
    (True, False)
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left: dict[int, tuple[float, float]] = {}

    def take(self, number: int) -> bool:
        """Take one push from a subscription's budget; False when there is none left."""
        at = self._clock()
        left, since = self._left.get(number, (float(BURST), at))
        left = min(left + (at - since) * A_MINUTE / 60, float(BURST))
        self._left[number] = (left - 1, at) if left >= 1 else (left, at)
        return left >= 1
