"""The statements over sources: what is watched, and when it is polled next.

Never fetches, and never decides when: intake does, and hands the moment in.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from worker.feeds import SourceState
from worker.model import SourceId
from worker.store.database import insert_for, now
from worker.store.schema import Source


def put(conn: Connection, *, kind: str, name: str, url: str | None = None, **values: Any) -> SourceId:  # noqa: ANN401  column values by name
    """Return the source of this feed URL, or of this kind and name where there is no URL; made if need be."""
    at = now(conn)
    row = {"kind": kind, "name": name, "url": url, "outlet": "", "created_at": at, "host": host_of(url or ""), **values}
    if url is not None:
        row.setdefault("next_poll_at", at)
    statement = insert_for(conn, Source).values(**row)
    if url is not None:
        statement = statement.on_conflict_do_nothing(index_elements=["url"])
    else:
        statement = statement.on_conflict_do_nothing(
            index_elements=["kind", "name"], index_where=sa.text("url IS NULL")
        )
    inserted = conn.execute(statement.returning(Source.id)).scalar()
    if inserted is not None:
        return SourceId(inserted)
    same = (
        Source.url == url
        if url is not None
        else sa.and_(Source.kind == kind, Source.name == name, Source.url.is_(None))
    )
    return SourceId(conn.execute(sa.select(Source.id).where(same)).scalar_one())


def by_id(conn: Connection, source_id: SourceId) -> Row[Any] | None:
    """Find a source, with all its columns."""
    return conn.execute(sa.select(Source.__table__).where(Source.id == source_id)).first()


def polled_at(conn: Connection, *, kind: str, name: str) -> datetime | None:
    """Return when something was last read of a source that has no URL; None for never, or where there is none."""
    same = (Source.kind == kind, Source.name == name, Source.url.is_(None))
    return conn.execute(sa.select(Source.last_polled_at).where(*same)).scalar()


def name_at(conn: Connection, url: str, *, other_than: SourceId) -> str:
    """Return the name of another source that is watched at this very address, "" where none is."""
    there = sa.select(Source.name).where(Source.url == url, Source.id != other_than)
    return conn.execute(there).scalar() or ""


def every(conn: Connection) -> Sequence[Row[Any]]:
    """Return all sources but those that were removed, with all their columns, by name."""
    kept = Source.state != SourceState.REMOVED
    return conn.execute(sa.select(Source.__table__).where(kept).order_by(Source.name, Source.id)).all()


def due(conn: Connection) -> list[SourceId]:
    """Return the sources that are to be polled now, the most overdue first."""
    query = sa.select(Source.id).order_by(Source.next_poll_at, Source.id)
    query = query.where(Source.next_poll_at <= now(conn), Source.state == SourceState.ACTIVE, Source.url.is_not(None))
    return [SourceId(source_id) for source_id in conn.execute(query).scalars()]


def is_held(conn: Connection, source_id: SourceId) -> bool:
    """Tell whether a source is held at this moment, and have it stay so until the transaction ends."""
    held = sa.select(Source.held_since).where(Source.id == source_id).with_for_update()
    return conn.execute(held).scalar() is not None


def change(conn: Connection, source_id: SourceId, **values: Any) -> None:  # noqa: ANN401  column values by name
    """Set columns of one source."""
    conn.execute(sa.update(Source).where(Source.id == source_id).values(**values))


def host_of(url: str) -> str:
    """Return whose turn a fetch of this address is: its host in small letters, "" where there is none.

    >>> host_of("https://News.Example:8443/feed.xml")
    'news.example'
    """
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
