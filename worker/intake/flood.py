"""Whether a feed has all at once become another: all its items are new, as after a move to another system.

Pure. `run_holding` asks it at each poll, and holds such a feed: nothing of it alerts until somebody has had a look.
"""

from __future__ import annotations

from typing import Final

LEAST_ITEMS: Final = 10


def is_flood(*, items: int, known: int, stored: int) -> bool:
    """Tell whether a feed looks like another than it was: of its `items` none is `known`, of `stored` earlier ones.

    >>> is_flood(items=40, known=0, stored=7), is_flood(items=40, known=1, stored=7)
    (True, False)
    >>> is_flood(items=40, known=0, stored=0), is_flood(items=3, known=0, stored=7)
    (False, False)
    """
    return stored > 0 and items >= LEAST_ITEMS and known == 0
