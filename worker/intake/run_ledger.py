"""Looks an article's ledger up: its own moments, and those of the mails that it led to. Reads only.

The CLI and the API call it.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from worker.intake.ledger import Copies, Ledger
from worker.model import ArticleId, EditionKind, StoryId
from worker.store import article_ledger
from worker.store.database import Database


def ledger_of(database: Database, article_id: ArticleId) -> Ledger | None:
    """Return an article's ledger; None where there is no such article."""
    with database.read() as conn:
        row = article_ledger.article(conn, article_id)
        if row is None:
            return None
        copies = {one.kind: one for one in _copies(conn, StoryId(row.story_id), row.seen_at)}
    alerts = copies.pop(EditionKind.ALERT, None)
    met = filter(None, (row.matched_at, row.met_at, alerts.matched_at if alerts else None))
    return Ledger(
        published_at=row.published_at,
        dated=row.dated,
        seen_at=row.seen_at,
        matched_at=min((at for at in met if at >= row.seen_at), default=None),
        alerts=alerts,
        others=tuple(copies.values()),
        story=row.story_id,
        articles=row.articles,
        first_article=row.first_article,
    )


def _copies(conn: Connection, story_id: StoryId, since: datetime) -> list[Copies]:
    return [
        Copies(
            **row,
            median_accepted_at=article_ledger.median_accepted_at(
                conn, story_id, kind=row["kind"], since=since, accepted=row["accepted"]
            )
            if row["accepted"]
            else None,
        )
        for row in article_ledger.copies(conn, story_id, since=since)
    ]
