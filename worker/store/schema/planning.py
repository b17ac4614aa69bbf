"""What planners remember: their runs, the cards of stories, what readers are still owed and what they will not get."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from worker.model import Lapse, Owing, RunKind
from worker.store.schema.base import Base, BigId, Id, Long, partial_index, reference, words


class PlanningRun(Base):
    """One run of the planners, claimed once by its slot. Its head is fixed, and all who work on it read that one.

    It goes some weeks after it was finished.
    """

    __tablename__ = "planning_run"

    id: Mapped[Id]
    kind: Mapped[RunKind] = mapped_column(words(RunKind))
    slot: Mapped[str]  # as of its editions
    due_at: Mapped[datetime]
    head_seq: Mapped[Long]  # the last match_seq that it may show
    reached: Mapped[Long] = mapped_column(default=0)  # readers up to this id have been served
    data: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # what its kind has to know; nothing personal
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("kind", "slot"),
        partial_index("ix_planning_run_unfinished", "due_at", where="finished_at IS NULL"),
    )


class StoryCard(Base):
    """A story as mails show it, interned by its hash: contents name it by its number, which never changes meaning."""

    __tablename__ = "story_card"

    id: Mapped[Id]
    hash: Mapped[str] = mapped_column(unique=True)
    story_id: Mapped[int] = reference("story.id")
    article_id: Mapped[int] = reference("article.id")
    revision: Mapped[int]  # of the article
    update_no: Mapped[int] = mapped_column(default=0)  # of the story
    locale: Mapped[str]
    body: Mapped[str]  # worker.content.StoryCard as JSON
    personal_to: Mapped[int | None] = mapped_column(BigId)  # the reader whose own query it quotes
    created_at: Mapped[datetime]

    __table_args__ = (
        Index("ix_story_card_article_id_revision", "article_id", "revision"),
        partial_index("ix_story_card_personal_to", "personal_to", where="personal_to IS NOT NULL"),
    )


class OwedStory(Base):
    """A story that comes to a reader later: with their next digest, or in a mail of its own once it is due."""

    __tablename__ = "owed_story"

    subscriber_id: Mapped[int] = reference("subscriber.id", primary_key=True)
    story_id: Mapped[int] = reference("story.id", primary_key=True, index=True)
    why: Mapped[Owing] = mapped_column(words(Owing))
    due_at: Mapped[datetime]
    owed_at: Mapped[datetime]
    run_id: Mapped[int | None] = mapped_column(BigId)  # that has taken it on

    __table_args__ = (Index("ix_owed_story_due_at_subscriber_id", "due_at", "subscriber_id"),)


class Omission(Base):
    """Stories that a reader will not get, and why: `tocsin deliveries trace` reads it. Kept for 35 days."""

    __tablename__ = "omission"

    id: Mapped[Id]
    subscriber_id: Mapped[int] = reference("subscriber.id")
    at: Mapped[datetime]
    why: Mapped[Lapse] = mapped_column(words(Lapse))
    edition_id: Mapped[int | None] = mapped_column(BigId)
    stories: Mapped[list[int]] = mapped_column(JSON)

    __table_args__ = (
        Index("ix_omission_subscriber_id_at", "subscriber_id", "at"),
        Index("ix_omission_at", "at"),
    )


class Burst(Base):
    """A topic that has more news than alerts are good for: a summary comes at `summary_due_at` in their place."""

    __tablename__ = "burst"

    topic_id: Mapped[int] = reference("topic.id", primary_key=True)
    opened_at: Mapped[datetime]
    summary_due_at: Mapped[datetime] = mapped_column(index=True)
    from_seq: Mapped[Long]  # the next summary begins after this match_seq


class Correction(Base):
    """An editor's correction of an article that may have been sent, until all who were sent it have been told."""

    __tablename__ = "correction"

    id: Mapped[Id]
    article_id: Mapped[int] = reference("article.id", index=True)
    story_id: Mapped[int] = reference("story.id", index=True)
    faulty_upto: Mapped[int]  # the last faulty revision
    note: Mapped[str]
    retracts: Mapped[bool] = mapped_column(default=False, server_default=false())
    mails: Mapped[bool]  # are those told who were sent it
    actor: Mapped[str]
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]

    __table_args__ = (partial_index("ix_correction_unsettled", "id", where="settled_at IS NULL"),)


class EditionDraft(Base):
    """An editor's part of a newsletter's issue, and its ranking once that is frozen."""

    __tablename__ = "edition_draft"

    edition_id: Mapped[int] = reference("edition.id", primary_key=True)
    choices: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    ranking: Mapped[list[int]] = mapped_column(JSON, default=list)
    approved_by: Mapped[str] = mapped_column(default="", server_default="")
    approved_at: Mapped[datetime | None]
