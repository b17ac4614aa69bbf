"""Tries a reader's query on the last days' stories before it is saved: which ones it would have found.

Reads only, and little: a page waits for the answer. Does the same as `run_backtest`, whose parts it uses, for a person
who wants to see stories rather than figures. Called by the readers' pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from worker.matching.backtest import BROAD, Sample
from worker.matching.mails import Found, Period
from worker.matching.run_backtest import Effort, TextReader, give_up_after, understood
from worker.matching.run_survey import survey
from worker.store.database import Database, now

DAYS: Final = 7
SHOWN: Final = 10
_EFFORT: Final = Effort(stories=400, reading_s=0.8, total_s=3.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """What a query would have found. `samples` are the newest stories, `SHOWN` at most.

    Where `is_estimated`, not every text was read, and `stories` is about right. `all_stories` is how many there were.
    """

    found: Found
    period: Period
    stories: int
    is_estimated: bool
    all_stories: int
    samples: tuple[Sample, ...]

    @property
    def is_broad(self) -> bool:
        """Tell whether the query finds so much that it says little."""
        return self.stories >= BROAD * self.all_stories and self.stories > SHOWN


def try_query(database: Database, query: str, *, timezone: str, effort: Effort = _EFFORT) -> Trial:
    """Try a query, which may name topics. Raises `QueryError`, and `TooLongError` where it takes too long."""
    with database.read() as conn:
        node = understood(conn, query)
        until = now(conn)
        period = Period(since=until - timedelta(days=DAYS), until=until, timezone=timezone)
        seen = survey(conn, [node], since=period.since, give_up=give_up_after(effort.total_s))
        reader = TextReader(conn, seen)
        count, first_at_s = reader.count(0, node, effort)
        samples = tuple(reader.samples(0, node, first_at_s, most=SHOWN))
    return Trial(
        found=count.found,
        period=period,
        stories=count.stories,
        is_estimated=count.unread > 0,
        all_stories=len(seen.stories),
        samples=samples,
    )
