"""The statements over the public archive: issues of newsletters under their opaque ids, and what has become of them.

Decides nothing, and reads nothing of any reader's. Called by planning, which publishes and reads.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.facts import Mending
from worker.model import ContentId, EditionId, EditionStatus
from worker.store.database import insert_for
from worker.store.schema import ArchivedIssue, ContentStory, Correction, Edition, Newsletter, StoryCard

_ID_BYTES: Final = 12
# What an editor has stopped, for good or for now, is nobody's to read.
_STOPPED: Final = (EditionStatus.CANCELLED, EditionStatus.PAUSED, EditionStatus.HELD)


class Archived(NamedTuple):
    """One issue in public."""

    public_id: str
    newsletter_id: int
    content_id: ContentId
    due_at: datetime
    updated_at: datetime


def is_published(conn: Connection, edition_id: EditionId) -> bool:
    """Tell whether an issue is in the archive."""
    query = sa.select(ArchivedIssue.edition_id).where(ArchivedIssue.edition_id == edition_id)
    return conn.execute(query).first() is not None


def publish(
    conn: Connection, edition_id: EditionId, content_id: ContentId, *, newsletter_id: int, due_at: datetime
) -> None:
    """Put an issue into the archive; one that is there already stays as it is."""
    conn.execute(
        insert_for(conn, ArchivedIssue)
        .values(
            edition_id=edition_id,
            public_id=secrets.token_hex(_ID_BYTES),
            newsletter_id=newsletter_id,
            content_id=content_id,
            due_at=due_at,
        )
        .on_conflict_do_nothing(index_elements=["edition_id"])
    )


def issue(conn: Connection, public_id: str) -> Archived | None:
    """Find an issue; None where there is none, or an editor has stopped it."""
    row = conn.execute(_issues().where(ArchivedIssue.public_id == public_id)).first()
    return Archived._make(row) if row else None


def issues_of(conn: Connection, newsletter_id: int, *, limit: int, before: datetime | None = None) -> list[Archived]:
    """Return a newsletter's issues, the latest first."""
    query = _issues().where(ArchivedIssue.newsletter_id == newsletter_id)
    if before is not None:
        query = query.where(ArchivedIssue.due_at < before)
    rows = conn.execute(query.order_by(ArchivedIssue.due_at.desc(), ArchivedIssue.edition_id.desc()).limit(limit))
    return [Archived._make(row) for row in rows]


def neighbours(conn: Connection, one: Archived) -> tuple[str | None, str | None]:
    """Return the ids of the issues before and after one."""
    at = ArchivedIssue.due_at
    same = _issues().where(ArchivedIssue.newsletter_id == one.newsletter_id)
    before = conn.execute(same.where(at < one.due_at).order_by(at.desc()).limit(1)).first()
    after = conn.execute(same.where(at > one.due_at).order_by(at).limit(1)).first()
    return before[0] if before else None, after[0] if after else None


def mendings(conn: Connection, contents: Collection[ContentId]) -> dict[ContentId, list[Mending]]:
    """Return the corrections of what contents show, by content, in the order in which they were made."""
    query = (
        sa.select(
            ContentStory.content_id,
            Correction.story_id,
            Correction.article_id,
            Correction.faulty_upto,
            Correction.note,
            Correction.retracts,
            Correction.created_at.label("at"),
        )
        .join(StoryCard, StoryCard.id == ContentStory.card_id)
        .join(Correction, Correction.article_id == StoryCard.article_id)
        .where(ContentStory.content_id.in_(list(contents)), StoryCard.revision <= Correction.faulty_upto)
        .order_by(Correction.id)
    )
    found: dict[ContentId, list[Mending]] = {}
    for content_id, *values in conn.execute(query):
        found.setdefault(ContentId(content_id), []).append(Mending._make(values))
    return found


def _issues() -> sa.Select[*tuple[Any, ...]]:
    """Return the issues that are public, as `Archived`: not one that was skipped, or that nobody got.

    One changes when a story in it is corrected.
    """
    corrected = (
        sa.select(sa.func.max(Correction.created_at))
        .join(StoryCard, StoryCard.article_id == Correction.article_id)
        .join(ContentStory, ContentStory.card_id == StoryCard.id)
        .where(ContentStory.content_id == ArchivedIssue.content_id, StoryCard.revision <= Correction.faulty_upto)
        .correlate(ArchivedIssue)
        .scalar_subquery()
    )
    columns = (ArchivedIssue.public_id, ArchivedIssue.newsletter_id, ArchivedIssue.content_id, ArchivedIssue.due_at)
    return (
        sa.select(*columns, sa.func.coalesce(corrected, ArchivedIssue.due_at).label("updated_at"))
        .join(Edition, Edition.id == ArchivedIssue.edition_id)
        .join(Newsletter, Newsletter.id == ArchivedIssue.newsletter_id)
        .where(Edition.status.not_in(_STOPPED), sa.or_(Edition.audience.is_(None), Edition.audience > 0))
    )
