"""Whether a feed has all at once become another: nearly all its items are new, as after a move to another system.

Pure. `run_holding` asks it at each poll, and holds such a feed: nothing of it alerts until somebody has had a look. A
feed whose items merely bear new keys is none: `rekeying` has known them again before.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from worker.facts import Had

A_DAY: Final = 10_000
"""New articles of one source that are stored within a day: several times what the busiest wires publish."""

LEAST_ITEMS: Final = 10
_SHARE: Final = 0.9
_AT_ONCE: Final = timedelta(minutes=2)
_KNOWN_PACE: Final = timedelta(days=1)  # of a source's history, without which nobody knows its pace
_PACED_ARTICLES: Final = 3


def is_suspicious(*, items: int, unknown: int) -> bool:
    """Tell whether so many of a document's items are unknown that it is worth a closer look.

    >>> is_suspicious(items=20, unknown=18), is_suspicious(items=20, unknown=17), is_suspicious(items=9, unknown=9)
    (True, False, False)
    """
    return unknown >= LEAST_ITEMS and unknown >= items * _SHARE


def is_flood(*, items: int, unknown: Sequence[datetime | None], had: Had, now: datetime) -> bool:
    """Tell whether a feed looks like another than it was. `unknown` are the dates of its unknown items, aware.

    Two things explain new items: they were published after all that we have of the source, and not all at once; or,
    undated or dated at once, there are no more of them than the source would have made, at its pace, since its latest.

    >>> from datetime import UTC
    >>> noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    >>> had = Had(articles=40, first_at=noon - timedelta(days=60), newest_at=noon - timedelta(days=20))
    >>> since = [noon - timedelta(days=2 * n) for n in range(10)]
    >>> before = [noon - timedelta(days=30 + n) for n in range(10)]
    >>> [is_flood(items=10, unknown=dates, had=had, now=noon) for dates in (since, before, [None] * 10, [None] * 30)]
    [False, True, False, True]
    """
    if not had.articles or had.newest_at is None or not is_suspicious(items=items, unknown=len(unknown)):
        return False
    later = [one for one in unknown if one is not None and one > had.newest_at]
    earlier = sum(one is not None and one <= had.newest_at for one in unknown)
    explained = len(later) if later and max(later) - min(later) > _AT_ONCE else 0
    unexplained = len(unknown) - explained
    if unexplained > earlier and _would_have_made(had, now) >= unexplained - earlier:
        unexplained = earlier
    return unexplained >= max(items * _SHARE, LEAST_ITEMS)


def _would_have_made(had: Had, now: datetime) -> float:
    """Return how many articles a source would have made since its latest one, at its pace."""
    if had.first_at is None or had.newest_at is None or had.articles < _PACED_ARTICLES:
        return 0.0
    span = had.newest_at - had.first_at
    return (now - had.newest_at) / (span / (had.articles - 1)) if span >= _KNOWN_PACE else 0.0
