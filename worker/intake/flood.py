"""Whether a feed has all at once become another: all its items are new, as after a move to another system.

Pure. `run_holding` asks it at each poll, and holds such a feed: nothing of it alerts until somebody has had a look.
"""

from __future__ import annotations

from typing import Final

LEAST_ITEMS: Final = 10


def is_flood(*, items: int, known: int, polled_before: bool) -> bool:
    """Tell whether a feed of so many items, of which so many are known, looks like another feed than it was.

    >>> is_flood(items=40, known=0, polled_before=True), is_flood(items=40, known=1, polled_before=True)
    (True, False)
    >>> is_flood(items=40, known=0, polled_before=False), is_flood(items=3, known=0, polled_before=True)
    (False, False)
    """
    return polled_before and items >= LEAST_ITEMS and known == 0
