"""The statements over how sources are: what a judgement needs to know, and what was last judged and told.

One statement for all sources, however many: the newest article of each is one look into an index, its words are never
read. Decides nothing: `intake.run_watching` calls it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from worker.feeds import SourceCondition, SourceState
from worker.model import SourceId
from worker.store.database import insert_for
from worker.store.schema import Article, Source, SourceHealth

_FACTS = (
    Source.id,
    Source.name,
    Source.url,
    Source.state,
    Source.state_since,
    Source.state_reason,
    Source.created_at,
    Source.last_ok_at,
    Source.last_news_at,
    Source.failures,
    Source.last_error,
    Source.held_since,
    Source.held_reason,
    Source.moved_to,
    Source.poll_every_s,
    SourceHealth.condition,
    SourceHealth.since,
    SourceHealth.reason,
    SourceHealth.rhythm,
    SourceHealth.measured_at,
)


def facts(conn: Connection, only: Collection[SourceId] = ()) -> Sequence[Row[Any]]:
    """Return the facts of every source, or of some, by id; with `newest_seen_at`, and what was last judged, if ever.

    Not of those that were removed.
    """
    newest = (
        sa.select(sa.func.max(Article.seen_at))
        .where(Article.source_id == Source.id)
        .correlate(Source)
        .scalar_subquery()
    )
    query = (
        sa.select(*_FACTS, newest.label("newest_seen_at"))
        .outerjoin(SourceHealth, SourceHealth.source_id == Source.id)
        .where(Source.state != SourceState.REMOVED)
        .order_by(Source.id)
    )
    return conn.execute(query.where(Source.id.in_(only)) if only else query).all()


def sightings(conn: Connection, source_id: SourceId, *, limit: int) -> Sequence[Row[datetime, datetime, bool]]:
    """Return when a source's newest articles were published and seen, newest first, and whether that is its word."""
    query = sa.select(Article.published_at, Article.seen_at, Article.dated).where(Article.source_id == source_id)
    return conn.execute(query.order_by(Article.seen_at.desc()).limit(limit)).all()


def first_seen_at(conn: Connection, source_id: SourceId) -> datetime | None:
    """Return when a source's very first article came in."""
    return conn.execute(sa.select(sa.func.min(Article.seen_at)).where(Article.source_id == source_id)).scalar()


def keep(conn: Connection, source_id: SourceId, *, before: SourceCondition | None, **values: Any) -> bool:  # noqa: ANN401  column values by name
    """Write down how a source is, unless somebody else has judged it since we read that it was `before`.

    None: it had not been judged yet. Whoever gets True is the one to tell of the change.
    """
    if before is None:
        statement = insert_for(conn, SourceHealth).values(source_id=source_id, **values)
        statement = statement.on_conflict_do_nothing(index_elements=["source_id"])
    else:
        same = (SourceHealth.source_id == source_id, SourceHealth.condition == before)
        statement = sa.update(SourceHealth).where(*same).values(**values)
    return conn.execute(statement.returning(SourceHealth.source_id)).first() is not None


def by_condition(conn: Connection) -> dict[SourceCondition, int]:
    """Count the sources by how they were when last judged; what was not judged yet has never answered."""
    query = (
        sa.select(SourceHealth.condition, sa.func.count())
        .select_from(Source)
        .outerjoin(SourceHealth, SourceHealth.source_id == Source.id)
        .where(Source.state != SourceState.REMOVED)
        .group_by(SourceHealth.condition)
    )
    counted: Counter[SourceCondition] = Counter()
    for condition, count in conn.execute(query):
        counted[condition or SourceCondition.NEVER] += count
    return counted
