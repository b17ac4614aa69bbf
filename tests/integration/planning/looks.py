"""What tests of alerts and summaries look at: who was told what, and what is owed to whom."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from worker.content import AlertContent, AnyContent
from worker.model import EditionKind, Owing
from worker.store import contents
from worker.store.database import Database
from worker.store.schema import Delivery, Edition, OwedStory


def told(database: Database, kind: EditionKind) -> list[tuple[int, AnyContent]]:
    """Return (reader, what they are told) for every copy of a kind, in order of planning."""
    query = sa.select(Delivery.subscriber_id, Delivery.content_id).join(Edition, Edition.id == Delivery.edition_id)
    with database.read() as conn:
        rows = conn.execute(query.where(Edition.kind == kind).order_by(Delivery.id)).all()
        bodies = contents.thawed(conn, {row.content_id for row in rows})
    return [(row.subscriber_id, bodies[row.content_id]) for row in rows]


def alerts(database: Database) -> list[tuple[int, AlertContent]]:
    """Return (reader, what they are told) for every alert, in order of planning."""
    return [(one, content) for one, content in told(database, EditionKind.ALERT) if isinstance(content, AlertContent)]


def owing(database: Database) -> Mapping[tuple[int, int], Owing]:
    """Return why each (reader, story) is owed."""
    with database.read() as conn:
        rows = conn.execute(sa.select(OwedStory.subscriber_id, OwedStory.story_id, OwedStory.why))
        return {(reader, story): why for reader, story, why in rows}
