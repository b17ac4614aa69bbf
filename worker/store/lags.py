"""The statements that count how long articles and mails took: each is read once, after it has come to its end.

The counts are one fact of the installation, changed by whoever read it last. Decides nothing: `intake.run_tallying`
does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final, TypeAlias

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from worker.model import EditionKind
from worker.store import house
from worker.store.database import insert_for
from worker.store.schema import Article, Delivery, Edition, Installation

ArticleMoments: TypeAlias = "Row[int, datetime, bool, datetime, datetime | None, datetime]"
CopyMoments: TypeAlias = "Row[EditionKind, datetime | None, datetime, datetime | None]"

_FACT: Final = "lags"
_AT_ONCE: Final = 1_000


def kept(conn: Connection) -> str | None:
    """Return what has been counted, None before anything was."""
    return house.fact(conn, _FACT)


def swap(conn: Connection, before: str | None, after: str) -> bool:
    """Keep new counts in place of those that they were made of; False when somebody else has counted meanwhile."""
    if before is None:
        fresh = insert_for(conn, Installation).values(name=_FACT, value=after)
        statement = fresh.on_conflict_do_nothing(index_elements=["name"])
    else:
        same = (Installation.name == _FACT, Installation.value == before)
        statement = sa.update(Installation).where(*same).values(value=after)
    return conn.execute(statement.returning(Installation.name)).first() is not None


def last_article(conn: Connection, *, before: datetime) -> int:
    """Return the number of the last article that was seen before a moment, 0 where there is none."""
    return conn.execute(sa.select(sa.func.max(Article.id)).where(Article.seen_at < before)).scalar() or 0


def articles(conn: Connection, *, after: int, until: datetime, limit: int) -> Sequence[ArticleMoments]:
    """Return the moments of articles that came after one, in their order, and when their sources' first one came in."""
    other = sa.orm.aliased(Article)
    first = (
        sa.select(sa.func.min(other.seen_at))
        .where(other.source_id == Article.source_id)
        .correlate(Article)
        .scalar_subquery()
    )
    columns = (Article.id, Article.published_at, Article.dated, Article.seen_at, Article.matched_at)
    query = sa.select(*columns, first.label("source_began_at")).where(Article.id > after, Article.seen_at <= until)
    return conn.execute(query.order_by(Article.id).limit(limit)).all()


def copies(conn: Connection, *, after: datetime, until: datetime) -> Iterator[CopyMoments]:
    """Yield the moments of the copies of runs that ended between two moments, with memory flat in their number."""
    query = (
        sa.select(Edition.kind, Delivery.matched_at, Delivery.planned_at, Delivery.accepted_at)
        .join(Delivery, Delivery.edition_id == Edition.id)
        .where(Edition.finished_at > after, Edition.finished_at <= until)
    )
    yield from conn.execution_options(yield_per=_AT_ONCE).execute(query)
