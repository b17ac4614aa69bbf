"""Feeds as they are after some polls, for tests of how sources are."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from tests import builders
from worker.model import SourceId
from worker.store import sources
from worker.store.database import Database, now
from worker.store.schema import Article


def watched(
    database: Database, name: str = "Wire", *, pauses: int = 30, quiet_h: float = 0.1, **values: object
) -> SourceId:
    """Store a feed that told something each hour until `quiet_h` hours ago, seen 40 s later, polled just now."""
    with database.write() as conn:
        at = now(conn)
        polled = {"last_polled_at": at, "last_ok_at": at, **values}
        source_id = sources.put(conn, kind="feed", name=name, url=f"https://{name.lower()}.example/feed", **polled)
        for hour in range(pauses, -1, -1):
            published_at = at - timedelta(hours=hour + quiet_h, seconds=hour)
            number, _ = builders.article(conn, f"{name} {hour}", source_id=source_id, published_at=published_at)
            seen_at = published_at + timedelta(seconds=40)
            conn.execute(sa.update(Article).where(Article.id == number).values(seen_at=seen_at))
    return source_id


def change(database: Database, source_id: SourceId, **values: object) -> None:
    with database.write() as conn:
        sources.change(conn, source_id, **values)
