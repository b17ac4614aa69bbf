"""Stores topics, all or none, once they have been checked against each other and those already stored."""

from __future__ import annotations

from collections.abc import Sequence

from worker.matching.library import TopicDraft, check_topics
from worker.store import topics
from worker.store.database import Database
from worker.store.topics import NewTopic, TopicRow


def import_topics(database: Database, drafts: Sequence[TopicDraft]) -> tuple[int, int]:
    """Store the drafts and return how many topics are new and how many were replaced. Raises `InputError`."""
    with database.write() as conn:
        stored = {row.slug: row.query for row in topics.topics(conn, shared_only=True) if row.slug}
        checked = check_topics(drafts, stored)
        made = [topics.put_topic(conn, _new(draft))[1] for draft in checked]
    return made.count(True), made.count(False)


def check_stored(rows: Sequence[TopicRow]) -> None:
    """Check stored topics again, with their examples. Raises `InputError` for the first one at fault."""
    drafts = [
        TopicDraft(
            where=f"topic {row.slug}",
            slug=row.slug,
            name=row.name,
            description=row.description,
            query=row.query,
            must_match=tuple(row.must_match),
            must_not_match=tuple(row.must_not_match),
        )
        for row in rows
        if row.slug is not None
    ]
    check_topics(drafts, {})


def _new(draft: TopicDraft) -> NewTopic:
    return NewTopic(
        slug=draft.slug,
        name=draft.name,
        description=draft.description,
        query=draft.query,
        canonical=draft.canonical,
        must_match=list(draft.must_match),
        must_not_match=list(draft.must_not_match),
    )
