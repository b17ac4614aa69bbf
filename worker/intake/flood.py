"""Whether a feed has all at once become another: all its items are new, as after a move to another system.

Pure. `run_holding` asks it at each poll, and holds such a feed: nothing of it alerts until somebody has had a look.
"""

from __future__ import annotations

from typing import Final

LEAST_ITEMS: Final = 10


def is_flood(*, items: int, known: int) -> bool:
    """Tell whether a feed that we have items of looks like another than it was: of its `items` none is `known`.

    >>> is_flood(items=40, known=0), is_flood(items=40, known=1), is_flood(items=3, known=0)
    (True, False, False)
    """
    return items >= LEAST_ITEMS and known == 0
