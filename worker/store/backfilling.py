"""The statements of a backfill: one topic's matches among articles that were matched before it asked for them.

Never holds a query against an article, and never lets anything alert. `matching.run_backfill` calls it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.model import ArticleId, StoryId, TopicId
from worker.store.database import insert_for, now
from worker.store.house import MATCH_SEQ, draw
from worker.store.schema import Article, Audit, Match, Story, Topic, TopicStory
from worker.store.topics import TopicMatch


class Met(NamedTuple):
    """That a revision of an article concerns the topic."""

    article_id: ArticleId
    revision: int
    match: TopicMatch


class Kept(NamedTuple):
    """What became of some articles: how many matches are stored, which stories got a number, and who was held.

    `held` are articles that somebody else changes at this moment: to be tried again.
    """

    articles: int
    stories: tuple[StoryId, ...]
    held: frozenset[ArticleId]


def met_articles(conn: Connection, topic_id: TopicId) -> set[int]:
    """Return the articles that a topic has met."""
    return set(conn.execute(sa.select(Match.article_id).where(Match.topic_id == topic_id)).scalars())


def numbered_stories(conn: Connection, topic_id: TopicId) -> set[int]:
    """Return the stories that have a number with a topic."""
    return set(conn.execute(sa.select(TopicStory.story_id).where(TopicStory.topic_id == topic_id)).scalars())


def hold_topic(conn: Connection, topic_id: TopicId, *, query: str) -> bool:
    """Keep a topic as it is until this transaction ends; False when it asks for something else by now, or is off.

    Backfills of one topic take turns by this; matching goes on.
    """
    same = (Topic.id == topic_id, Topic.query == query, Topic.disabled_reason == "")
    return conn.execute(sa.select(Topic.id).where(*same).with_for_update(key_share=True)).first() is not None


def keep(conn: Connection, topic_id: TopicId, found: Sequence[Met], *, wait: bool = False) -> Kept:
    """Store matches of a held topic, and number its pairs with the stories that have none, in the order given.

    Left out is what was killed, and what has another revision by now or is about to be matched: workers see to that.
    `wait` for articles that somebody else changes, one at a time only: whoever waits for several may wait in a circle.
    No pair has an alert due, so nobody is alerted.
    """
    asked = [one.article_id for one in found]
    rows = {row.id: row for row in conn.execute(_locked(asked, wait=wait))}
    held = frozenset[ArticleId]() if wait else frozenset(asked) - rows.keys()
    known = set(conn.execute(_known(topic_id, asked)).scalars())
    alive = [one for one in found if one.article_id not in known and _stands(rows.get(one.article_id), one)]
    if not alive:
        return Kept(0, (), held)
    at = now(conn)
    conn.execute(
        sa.insert(Match),
        [
            {
                "article_id": one.article_id,
                "topic_id": topic_id,
                "story_id": rows[one.article_id].story_id,
                "revision": one.revision,
                "strength": one.match.strength,
                "evidence": one.match.evidence,
                "matched_at": at,
            }
            for one in alive
        ],
    )
    stories = dict.fromkeys(StoryId(rows[one.article_id].story_id) for one in alive)
    return Kept(len(alive), _number(conn, topic_id, stories), held)


def _locked(asked: Collection[ArticleId], *, wait: bool) -> sa.Select[*tuple[Any, ...]]:
    """Read articles so that nobody changes them meanwhile; those that somebody does change are left out."""
    columns = (Article.id, Article.story_id, Article.revision, Article.matched_at, Article.killed_at)
    return (
        sa.select(*columns, Story.killed_at.label("story_killed_at"))
        .join(Story, Story.id == Article.story_id)
        .where(Article.id.in_(asked))
        .with_for_update(read=True, of=Article, skip_locked=not wait)
    )


def _known(topic_id: TopicId, asked: Collection[ArticleId]) -> sa.Select[int]:
    return sa.select(Match.article_id).where(Match.topic_id == topic_id, Match.article_id.in_(asked))


def _stands(row: sa.Row[Any] | None, one: Met) -> bool:
    if row is None or row.killed_at is not None or row.story_killed_at is not None:
        return False
    return row.revision == one.revision and row.matched_at is not None


def _number(conn: Connection, topic_id: TopicId, stories: Iterable[StoryId]) -> tuple[StoryId, ...]:
    """Number the stories that have no number with the topic yet; return them."""
    asked = list(stories)
    numbered = sa.select(TopicStory.story_id).where(TopicStory.topic_id == topic_id, TopicStory.story_id.in_(asked))
    known = set(conn.execute(numbered).scalars())
    fresh = [story for story in asked if story not in known]
    if not fresh:
        return ()
    numbers = draw(conn, MATCH_SEQ, len(fresh))
    at = now(conn)
    rows = [
        {"topic_id": topic_id, "story_id": story, "match_seq": seq, "matched_at": at}
        for story, seq in zip(fresh, numbers, strict=True)
    ]
    statement = insert_for(conn, TopicStory).values(rows).on_conflict_do_nothing()
    added = set(conn.execute(statement.returning(TopicStory.story_id)).scalars())
    return tuple(story for story in fresh if story in added)


def open_note(conn: Connection, *, actor: str, slug: str, **detail: Any) -> int:  # noqa: ANN401  plain JSON values
    """Write down that somebody asks for a backfill; `set_note` says how far it came."""
    row = {"at": now(conn), "actor": actor, "action": "topic backfill", "subject": f"topic {slug}", "detail": detail}
    return conn.execute(sa.insert(Audit).values(row).returning(Audit.id)).scalar_one()


def set_note(conn: Connection, note: int, **detail: Any) -> None:  # noqa: ANN401  plain JSON values
    """Say how far a backfill has come, with what it stores: the audit is right whenever it is interrupted."""
    conn.execute(sa.update(Audit).where(Audit.id == note).values(detail=detail))
