"""How many stories of each section a mail shows when all of them would be too long for it.

Gmail shows only the first 102 KB of a mail's HTML and hides the rest, the unsubscribe link included. So a digest that
would be longer is cut story by story, always from the section that shows most, and every section says how many more its
page on the web has. Pure; `compile` calls it until the mail fits.
"""

from __future__ import annotations

from collections.abc import Sequence

MAX_HTML_BYTES = 100_000  # a little under Gmail's limit of 102 KB


def share(available: Sequence[int], keep: int) -> tuple[int, ...]:
    """Share `keep` stories out among sections as evenly as they have them; earlier sections get the odd ones.

    >>> share([9, 2, 5], 8)
    (3, 2, 3)
    >>> share([4, 4, 4], 2)
    (1, 1, 0)
    """
    shares = [0] * len(available)
    for _ in range(min(keep, sum(available))):
        hungry = (i for i, has in enumerate(available) if shares[i] < has)
        shares[min(hungry, key=lambda i: shares[i])] += 1
    return tuple(shares)


def fewer(kept: int, size_bytes: int, limit_bytes: int = MAX_HTML_BYTES) -> int:
    """Guess how many stories fit, given that `kept` of them take `size_bytes`: fewer than before, never below none.

    >>> fewer(60, 150_000, 100_000), fewer(10, 100_001, 100_000), fewer(0, 200_000)
    (40, 9, 0)
    """
    return max(0, min(kept - 1, kept * limit_bytes // size_bytes))
