"""Topics, and which article and story concerns them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, false
from sqlalchemy.orm import Mapped, mapped_column

from worker.store.schema.base import Base, Id, Long, partial_index, reference


class Topic(Base):
    """A query that articles are held against: a shared topic with a slug, or readers' own query, interned."""

    __tablename__ = "topic"

    id: Mapped[Id]
    slug: Mapped[str | None] = mapped_column(unique=True)  # none for an own query
    name: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)  # by locale
    description: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    query: Mapped[str]
    canonical: Mapped[str]
    must_match: Mapped[list[str]] = mapped_column(JSON, default=list)
    must_not_match: Mapped[list[str]] = mapped_column(JSON, default=list)
    version: Mapped[int] = mapped_column(default=1)
    disabled_reason: Mapped[str] = mapped_column(default="")  # a saved query that is refused later is visibly off
    # Drawn when its query, or whether it is asked at all, last changed: engines ask for what is above theirs.
    generation: Mapped[Long] = mapped_column(default=0, server_default="0", index=True)
    dormant: Mapped[bool] = mapped_column(default=False, server_default=false())  # an own query that nobody follows
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __table_args__ = (partial_index("uq_topic_own_canonical", "canonical", where="slug IS NULL", unique=True),)


class Match(Base):
    """An article concerns a topic, and the words that say so."""

    __tablename__ = "match"

    article_id: Mapped[int] = reference("article.id", primary_key=True)
    topic_id: Mapped[int] = reference("topic.id", primary_key=True, index=True)
    story_id: Mapped[int] = reference("story.id", index=True)
    revision: Mapped[int]  # of the article, when it matched
    strength: Mapped[int]  # 3 title, 2 summary, 1 body
    evidence: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    matched_at: Mapped[datetime]


class TopicStory(Base):
    """A story's first match with a topic, numbered in commit order: what digests' cursors count."""

    __tablename__ = "topic_story"

    topic_id: Mapped[int] = reference("topic.id", primary_key=True)
    story_id: Mapped[int] = reference("story.id", primary_key=True, index=True)
    match_seq: Mapped[Long] = mapped_column(unique=True)
    matched_at: Mapped[datetime]
    alert_due_at: Mapped[datetime | None]  # end of the gathering time; none when nothing is to be alerted
    alerted_at: Mapped[datetime | None]  # when its alert was planned: bursts are counted by it
    rolls: Mapped[bool] = mapped_column(default=False, server_default=false())  # waits for a burst's summary

    __table_args__ = (
        Index("ix_topic_story_topic_id_match_seq", "topic_id", "match_seq"),
        partial_index("ix_topic_story_alert_due_at", "alert_due_at", where="alert_due_at IS NOT NULL"),
    )
