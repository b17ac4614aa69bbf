"""The statements that read what is new: numbered pairs of topics and stories, how strongly they match, what ranks them.

Texts are not read: there are far more stories than are told anybody in the end. Decides nothing. Called by planning.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection
from sqlalchemy.dialects.postgresql import ARRAY

from worker.model import Severity, StoryId, TopicId
from worker.store.schema import Article, Match, Source, Story, Topic, TopicStory


class NumberedPair(NamedTuple):
    """A story's match with a topic, by its number."""

    topic_id: TopicId
    match_seq: int
    story_id: StoryId
    matched_at: datetime


class Told(NamedTuple):
    """One article that tells a story, without its words."""

    story_id: StoryId
    created_at: datetime  # the story's
    boost: int
    update_no: int
    published_at: datetime
    severity: Severity
    outlet: str
    source: str
    section: str
    lang: str


def shared_topics(conn: Connection, slugs: Collection[str]) -> list[TopicId]:
    """Return the shared topics of these slugs, all of them where there are none."""
    query = sa.select(Topic.id).where(Topic.slug.is_not(None)).order_by(Topic.id)
    if slugs:
        query = query.where(Topic.slug.in_(list(slugs)))
    return [TopicId(topic_id) for topic_id in conn.execute(query).scalars()]


def pairs(
    conn: Connection, *, after: int, head: int, since: datetime, topics: Collection[TopicId] | None = None
) -> list[NumberedPair]:
    """Return the pairs numbered after `after`, up to `head`, matched since `since`, by topic and number.

    Of these topics, or of all.
    """
    query = (
        sa.select(TopicStory.topic_id, TopicStory.match_seq, TopicStory.story_id, TopicStory.matched_at)
        .join(Story, Story.id == TopicStory.story_id)
        .where(TopicStory.match_seq > after, TopicStory.match_seq <= head, TopicStory.matched_at > since)
        .where(Story.killed_at.is_(None))
        .order_by(TopicStory.topic_id, TopicStory.match_seq)
    )
    if topics is not None:
        query = query.where(_among(conn, TopicStory.topic_id, topics))
    return [NumberedPair._make(row) for row in conn.execute(query)]


def outlived(
    conn: Connection, cursors: Mapping[TopicId, int], *, since: datetime, until: datetime, limit: int
) -> list[StoryId]:
    """Return the latest stories that concern these topics by a number after theirs, all of them within a time.

    One that concerns another of the topics after `until` is not among them, nor one that is killed.
    """
    after = [sa.and_(TopicStory.topic_id == topic, TopicStory.match_seq > cursor) for topic, cursor in cursors.items()]
    query = (
        sa.select(TopicStory.story_id)
        .join(Story, Story.id == TopicStory.story_id)
        .where(sa.or_(sa.false(), *after), TopicStory.matched_at >= since, Story.killed_at.is_(None))
        .group_by(TopicStory.story_id)
        .having(sa.func.max(TopicStory.matched_at) <= until)
        .order_by(sa.func.max(TopicStory.match_seq).desc())
        .limit(limit)
    )
    return [StoryId(story) for story in conn.execute(query).scalars()]


def strengths(
    conn: Connection, stories: Collection[StoryId], topics: Collection[TopicId] | None = None
) -> dict[tuple[StoryId, TopicId], int]:
    """Return how strongly stories concern these topics, or all, by (story, topic); what matches no more is left out."""
    query = (
        sa.select(Match.story_id, Match.topic_id, sa.func.max(Match.strength))
        .join(Article, Article.id == Match.article_id)
        .where(_among(conn, Match.story_id, stories), Article.killed_at.is_(None))
        .group_by(Match.story_id, Match.topic_id)
    )
    if topics is not None:
        query = query.where(_among(conn, Match.topic_id, topics))
    return {(StoryId(story), TopicId(topic)): strength for story, topic, strength in conn.execute(query)}


def told(conn: Connection, stories: Collection[StoryId]) -> Iterator[Told]:
    """Yield the articles that tell the stories; see `told_of`."""
    return told_of(conn, _among(conn, Article.story_id, stories))


def told_of(conn: Connection, which: ColumnElement[bool]) -> Iterator[Told]:
    """Yield the articles that tell some stories, by story, each one's in the order of `tellings`; killed ones do not.

    `which` is a condition on `Article` or `Story`.
    """
    query = (
        sa.select(
            Article.story_id,
            Story.created_at,
            Story.boost,
            Story.update_no,
            Article.published_at,
            Article.severity,
            Article.outlet,
            Source.name,
            Article.section,
            Article.lang,
        )
        .join(Source, Source.id == Article.source_id)
        .join(Story, Story.id == Article.story_id)
        .where(which, Article.killed_at.is_(None), Story.killed_at.is_(None))
        .order_by(Article.story_id, Source.house.desc(), Article.copy_of_id.is_not(None), Article.id)
    )
    return map(Told._make, conn.execute(query))


def own_topics(conn: Connection, topics: Collection[TopicId]) -> frozenset[TopicId]:
    """Return which of the topics are readers' own queries."""
    query = sa.select(Topic.id).where(_among(conn, Topic.id, topics), Topic.slug.is_(None))
    return frozenset(TopicId(topic) for topic in conn.execute(query).scalars())


def _among(
    conn: Connection, column: sa.orm.InstrumentedAttribute[int], numbers: Collection[int]
) -> ColumnElement[bool]:
    """Return the condition that a column is one of these, all of which are one parameter: there may be thousands."""
    if conn.dialect.name == "sqlite":
        listed = sa.func.json_each(json.dumps(sorted(numbers))).table_valued("value")
        return column.in_(sa.select(listed.c.value))
    return column == sa.any_(sa.literal(sorted(numbers), ARRAY(sa.BigInteger)))
