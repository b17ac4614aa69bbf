"""The statements over shared topics, matches, and the numbering of (topic, story) pairs.

Never compiles a query: matching does. `standing` has the statements by which compiled engines follow the topics.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.model import ArticleId, StoryId, TopicId
from worker.store.database import insert_for, now
from worker.store.house import MATCH_SEQ, TOPICS_GENERATION, draw
from worker.store.schema import Article, Match, Subscription, Topic, TopicStory
from worker.store.schema.base import UtcDateTime


@dataclass(frozen=True, kw_only=True, slots=True)
class TopicRow:
    """A stored topic. `slug` is None for readers' own queries."""

    id: TopicId
    slug: str | None
    name: dict[str, str]
    description: dict[str, str]
    query: str
    canonical: str
    must_match: list[str]
    must_not_match: list[str]
    version: int
    disabled_reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class NewTopic:
    """A shared topic to be stored, already checked."""

    slug: str
    name: dict[str, str]
    query: str
    canonical: str
    description: dict[str, str] = field(default_factory=dict)
    must_match: list[str] = field(default_factory=list)
    must_not_match: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class TopicMatch:
    """That an article concerns a topic. `evidence` is a list of spans as JSON objects."""

    topic_id: TopicId
    strength: int
    evidence: list[dict[str, Any]]


_COLUMNS = tuple(getattr(Topic, name) for name in TopicRow.__slots__)


def topics(conn: Connection, *, shared_only: bool = False) -> list[TopicRow]:
    """Return all topics in order of id."""
    query = sa.select(*_COLUMNS).order_by(Topic.id)
    if shared_only:
        query = query.where(Topic.slug.is_not(None)).order_by(None).order_by(Topic.slug)
    return [TopicRow(**row._mapping) for row in conn.execute(query)]  # noqa: SLF001  Row's documented view


def topic_by_slug(conn: Connection, slug: str) -> TopicRow | None:
    """Find a shared topic."""
    row = conn.execute(sa.select(*_COLUMNS).where(Topic.slug == slug)).first()
    return TopicRow(**row._mapping) if row else None  # noqa: SLF001  Row's documented view


def put_topic(conn: Connection, topic: NewTopic) -> tuple[TopicId, bool]:
    """Store a shared topic under its slug, in place of an earlier version; True when it is new.

    An edited topic applies forward: stories matched before keep their place, older articles are not searched again.
    """
    generation = draw(conn, TOPICS_GENERATION)[0]  # before any row is written: `standing` says why
    at = now(conn)
    values = {name: getattr(topic, name) for name in NewTopic.__slots__} | {"updated_at": at, "disabled_reason": ""}
    columns = (Topic.id, Topic.query, Topic.canonical, Topic.disabled_reason)
    known = conn.execute(sa.select(*columns).where(Topic.slug == topic.slug)).first()
    if known is None:
        statement = sa.insert(Topic).values(**values, created_at=at, generation=generation)
        return TopicId(conn.execute(statement.returning(Topic.id)).scalar_one()), True
    if known.canonical != topic.canonical:
        values["version"] = Topic.version + 1
    if known.query != topic.query or known.disabled_reason:
        values["generation"] = generation
    conn.execute(sa.update(Topic).where(Topic.id == known.id).values(**values))
    return TopicId(known.id), False


def count_followers(conn: Connection, topic_id: TopicId) -> int:
    """Return how many readers follow a topic."""
    running = sa.select(sa.func.count(Subscription.id)).where(
        Subscription.topic_id == topic_id, Subscription.ended_at.is_(None)
    )
    return conn.execute(running).scalar_one()


def take_away(conn: Connection, topic_id: TopicId) -> None:
    """Have a shared topic asked no longer, and found under no slug; what it has matched stays in the books.

    Its canonical form is one that no query has, so that no reader's query ever meets it.
    """
    generation = draw(conn, TOPICS_GENERATION)[0]  # before any row is written: `standing` says why
    gone = {"slug": None, "canonical": f"(taken away {topic_id}", "dormant": True, "generation": generation}
    conn.execute(sa.update(Topic).where(Topic.id == topic_id).values(**gone, disabled_reason="", updated_at=now(conn)))


def listed(conn: Connection, *, after: int, limit: int) -> list[TopicRow]:
    """Return shared topics in order of id."""
    query = sa.select(*_COLUMNS).where(Topic.slug.is_not(None), Topic.id > after).order_by(Topic.id).limit(limit)
    return [TopicRow(**row._mapping) for row in conn.execute(query)]  # noqa: SLF001  Row's documented view


def store_matches(
    conn: Connection,
    *,
    article_id: ArticleId,
    story_id: StoryId,
    revision: int,
    found: Sequence[TopicMatch],
    alert_due_at: datetime | None,
) -> int:
    """Put an article's matches in place of its earlier ones; number the pairs (topic, story) that are new.

    `alert_due_at` is when the new pairs' gathering time ends, None when they must not alert. Returns how many pairs are
    new. Safe to repeat: a pair is numbered once.
    """
    at = now(conn)
    conn.execute(sa.delete(Match).where(Match.article_id == article_id))
    if not found:
        return 0
    rows = [
        {
            "article_id": article_id,
            "topic_id": match.topic_id,
            "story_id": story_id,
            "revision": revision,
            "strength": match.strength,
            "evidence": match.evidence,
            "matched_at": at,
        }
        for match in found
    ]
    conn.execute(sa.insert(Match), rows)
    if alert_due_at is not None:
        _wake(conn, article_id, story_id, alert_due_at=alert_due_at)
    return _number_pairs(conn, article_id, story_id, at=at, alert_due_at=alert_due_at)


def _number_pairs(
    conn: Connection, article_id: ArticleId, story_id: StoryId, *, at: datetime, alert_due_at: datetime | None
) -> int:
    """Number the pairs (topic, story) of an article's matches that have no number, in one statement; return how many.

    A hundred thousand readers' queries make hundreds of pairs of one article: rows sent one by one would take longer
    than all the rest.
    """
    known = sa.exists().where(TopicStory.topic_id == Match.topic_id, TopicStory.story_id == story_id)
    fresh = (Match.article_id == article_id, ~known)
    count = conn.execute(sa.select(sa.func.count()).select_from(Match).where(*fresh)).scalar_one()
    if not count:
        return 0
    first = draw(conn, MATCH_SEQ, count).start
    number = first - 1 + sa.func.row_number().over(order_by=Match.topic_id)
    columns = {
        "topic_id": Match.topic_id,
        "story_id": Match.story_id,
        "match_seq": number,
        "matched_at": sa.literal(at, UtcDateTime()),
        "alert_due_at": sa.literal(alert_due_at, UtcDateTime()),
    }
    pairs = sa.select(*columns.values()).where(*fresh)
    numbered = insert_for(conn, TopicStory).from_select(list(columns), pairs).on_conflict_do_nothing()
    return len(conn.execute(numbered.returning(TopicStory.topic_id)).all())


def _wake(conn: Connection, article_id: ArticleId, story_id: StoryId, *, alert_due_at: datetime) -> None:
    """Let pairs be alerted that only had articles too old for it, now that one comes that may."""
    concerned = sa.select(Match.topic_id).where(Match.article_id == article_id)
    may_have_alerted = (
        sa.select(Match.topic_id)
        .join(Article, Article.id == Match.article_id)
        .where(Match.story_id == story_id, Match.article_id != article_id, Article.may_alert)
    )
    conn.execute(
        sa.update(TopicStory)
        .where(TopicStory.story_id == story_id, TopicStory.alert_due_at.is_(None))
        .where(TopicStory.topic_id.in_(concerned), TopicStory.topic_id.not_in(may_have_alerted))
        .values(alert_due_at=alert_due_at)
    )


def slugs_of(conn: Connection, article_id: ArticleId) -> list[str]:
    """Return the slugs of the shared topics that an article concerns, sorted."""
    query = (
        sa.select(Topic.slug)
        .join(Match, Match.topic_id == Topic.id)
        .where(Match.article_id == article_id, Topic.slug.is_not(None))
        .order_by(Topic.slug)
    )
    return [slug for slug in conn.execute(query).scalars() if slug]


def latest_stories(conn: Connection, topic_id: TopicId, *, limit: int) -> list[StoryId]:
    """Return the stories that concern a topic still, the latest match first."""
    concerns = sa.exists().where(Match.topic_id == TopicStory.topic_id, Match.story_id == TopicStory.story_id)
    query = sa.select(TopicStory.story_id).where(TopicStory.topic_id == topic_id, concerns)
    rows = conn.execute(query.order_by(TopicStory.match_seq.desc()).limit(limit))
    return [StoryId(story_id) for story_id in rows.scalars()]
