"""Counts how long articles and mails took, step by step, after they have come to their end: for `/metrics`.

A sweep that nothing waits for: it reads what has ended since it looked last, and writes one row. `tasks` calls it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from worker.intake.ledger import Step
from worker.intake.rhythm import OLD, lag_of
from worker.intake.tally import ARTICLE, Tally
from worker.store import lags
from worker.store.database import Database, now

_SETTLED: Final = timedelta(seconds=2)  # so long after its moment a row is there for all to see
_PATIENCE: Final = timedelta(minutes=10)  # then an article that cannot be matched keeps the others waiting no longer
_BEGIN: Final = timedelta(hours=1)  # so far back the first count goes
_ARTICLES: Final = 2_000


def tally(database: Database) -> bool:
    """Count what has come to its end; False when somebody else has counted it meanwhile."""
    with database.read() as conn:
        at = now(conn)
        before = lags.kept(conn)
        found = Tally.restored(before) if before else _beginning(conn, at)
        _count_articles(conn, found, at)
        _count_copies(conn, found, at)
    after = found.stored()
    if after == before:
        return True
    with database.write() as conn:
        return lags.swap(conn, before, after)


def counted(conn: Connection) -> Tally | None:
    """Return what has been counted, None before the first sweep."""
    stored = lags.kept(conn)
    return Tally.restored(stored) if stored else None


def _beginning(conn: Connection, at: datetime) -> Tally:
    begin = at - _BEGIN
    return Tally(article=lags.last_article(conn, before=begin), ended_at=begin)


def _count_articles(conn: Connection, found: Tally, at: datetime) -> None:
    """Count each article once it has been matched. What had been published when we first looked was not late."""
    for row in lags.articles(conn, after=found.article, until=at - _SETTLED, limit=_ARTICLES):
        if row.matched_at is None and at - row.seen_at < _PATIENCE:
            return
        found.article = row.id
        lag = lag_of(row.published_at, row.seen_at, dated=row.dated)
        if lag is not None and lag <= OLD and row.published_at > row.source_began_at:
            found.count(Step.SEEN, ARTICLE, lag)
        if row.matched_at is not None:
            found.count(Step.MATCHED, ARTICLE, row.matched_at - row.seen_at)


def _count_copies(conn: Connection, found: Tally, at: datetime) -> None:
    until = at - _SETTLED
    if until <= found.ended_at:
        return
    counted_any = False
    for row in lags.copies(conn, after=found.ended_at, until=until):
        counted_any = True
        if row.matched_at is not None:
            found.count(Step.PLANNED, row.kind, row.planned_at - row.matched_at)
        if row.accepted_at is not None:
            found.count(Step.ACCEPTED, row.kind, row.accepted_at - row.planned_at)
    if counted_any:
        found.ended_at = until
