"""What an agency withholds: which items may go now, their embargo being over.

Pure. `run_whole` calls it before anything is taken in.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from worker.feeds import ParsedFeed


def lets_go(feed: ParsedFeed, *, now: datetime) -> ParsedFeed:
    """Return the document with those items among its articles whose embargo has ended, first of all: they are news now.

    What is canceled or withheld stays so: only its agency lets it go, by another version.

    >>> from datetime import UTC
    >>> from worker.feeds import Withheld
    >>> from worker.model import ParsedArticle
    >>> end = datetime(2026, 11, 24, tzinfo=UTC)
    >>> held = Withheld(article=ParsedArticle(title="Budget"), why="embargoed", until=end)
    >>> feed = ParsedFeed(articles=(), withheld=(held,))
    >>> [one.title for one in lets_go(feed, now=end).articles]
    ['Budget']
    >>> lets_go(feed, now=datetime(2026, 11, 23, tzinfo=UTC)) == feed
    True
    """
    free = [one for one in feed.withheld if one.until is not None and one.until <= now]
    kept = tuple(one for one in feed.withheld if one not in free)
    return replace(feed, articles=(*(one.article for one in free), *feed.articles), withheld=kept)
