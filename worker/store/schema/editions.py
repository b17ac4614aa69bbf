"""Editions, their frozen contents, and one row for every copy that anybody is due."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import JSON, BigInteger, ForeignKeyConstraint, Index, UniqueConstraint, false
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Mapped, mapped_column

from worker.lifecycle import Happening, State
from worker.model import Canary, EditionKind, EditionStatus, Lane, Severity
from worker.store.schema.base import Base, BigId, Id, partial_index, reference, words

# As the index of what is not settled says it, word by word: SQLite recognises it only so. See `quick.among`.
UNSETTLED: Final = (State.PLANNED, State.LEASED, State.DEFERRED, State.COMMITTING, State.UNKNOWN)
UNRETURNED: Final = (State.EXPIRED, State.CANCELLED, State.REFUSED)
_NUMBERS = JSON(none_as_null=True).with_variant(postgresql.ARRAY(BigInteger), "postgresql")


def _any_of(states: tuple[State, ...]) -> str:
    """Return the condition of an index in words that SQLite checks in a third of the time that IN takes it.

    Every statement that changes a delivery pays for it, several times a mail.
    """
    return " OR ".join(f"state = '{state}'" for state in states)


class Edition(Base):
    """One run: an alert, a digest's due minute, a confirmation. `audience` is fixed when it leaves "planning"."""

    __tablename__ = "edition"

    id: Mapped[Id]
    kind: Mapped[EditionKind] = mapped_column(words(EditionKind))
    slot: Mapped[str]  # what it is the one run of: "story 12 from 40", "2026-11-23T07:00Z"
    locale: Mapped[str]
    lane: Mapped[Lane] = mapped_column(words(Lane))
    severity: Mapped[Severity] = mapped_column(words(Severity), default=Severity.NORMAL)
    newsletter_id: Mapped[int | None] = reference("newsletter.id")
    # Numbers, no foreign keys: SQLite would have to make this table anew, and a finished run goes after a while.
    parent_id: Mapped[int | None] = mapped_column(BigId)  # the newsletter's issue that this is one local time's part of
    story_id: Mapped[int | None] = mapped_column(BigId)  # an alert's
    run_id: Mapped[int | None] = mapped_column(BigId)
    status: Mapped[EditionStatus] = mapped_column(words(EditionStatus), index=True)
    planned_as: Mapped[EditionStatus | None] = mapped_column(words(EditionStatus))  # asked for while it was planned
    reason: Mapped[str] = mapped_column(default="", server_default="")  # why held, paused or cancelled
    audience: Mapped[int | None]
    canary: Mapped[Canary | None] = mapped_column(words(Canary))
    canary_settled_at: Mapped[datetime | None]
    due_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime]
    planned_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("kind", "slot", "locale"),
        partial_index("ix_edition_parent_id", "parent_id", where="parent_id IS NOT NULL"),
        partial_index("ix_edition_story_id", "story_id", where="story_id IS NOT NULL"),
        partial_index("ix_edition_finished_at", "finished_at", where="finished_at IS NOT NULL"),
        partial_index("ix_edition_breaking", "status", where="severity = 'breaking'"),
    )


class EditionContent(Base):
    """A frozen content, interned by its hash: readers whose content is equal share one."""

    __tablename__ = "edition_content"

    id: Mapped[Id]
    hash: Mapped[str] = mapped_column(unique=True)
    body: Mapped[str]  # worker.content as JSON
    template_hash: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]


class ArchivedIssue(Base):
    """An issue of a newsletter in public: under which opaque id, and what somebody got who had seen none of it before.

    Nothing in it is anybody's own.
    """

    __tablename__ = "archived_issue"

    edition_id: Mapped[int] = reference("edition.id", primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True)
    newsletter_id: Mapped[int] = reference("newsletter.id")
    content_id: Mapped[int] = reference("edition_content.id")
    due_at: Mapped[datetime]

    __table_args__ = (Index("ix_archived_issue_newsletter_id_due_at", "newsletter_id", "due_at"),)


class ContentStory(Base):
    """A story that a content shows: joined with deliveries, it tells what a reader has seen.

    Without foreign keys: millions of rows a day, each of which would cost more to check than to write.
    """

    __tablename__ = "content_story"

    content_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    story_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False, index=True)
    card_id: Mapped[int | None] = mapped_column(BigId)  # none: its card stands in the content itself
    update_no: Mapped[int] = mapped_column(default=0, server_default="0")  # the story's, when it was shown


class DeliveryBatch(Base):
    """About 500 rows of an edition that one Celery task sends under one lease."""

    __tablename__ = "delivery_batch"

    edition_id: Mapped[int] = reference("edition.id", primary_key=True)
    batch_no: Mapped[int] = mapped_column(primary_key=True)
    lane: Mapped[Lane] = mapped_column(words(Lane))
    next_attempt_at: Mapped[datetime | None]  # the earliest of its rows; none when no row is open, or it is held
    held: Mapped[bool] = mapped_column(default=False, server_default=false())  # until the edition's canary is well
    # The lease. On PostgreSQL the database's clock decides; on SQLite, where all holders share one machine, boot id and
    # monotonic deadline do, so that a step of the wall clock frees or holds nothing.
    fence: Mapped[int] = mapped_column(default=0)
    lease_holder: Mapped[str] = mapped_column(default="")
    lease_until: Mapped[datetime | None]
    lease_boot: Mapped[str] = mapped_column(default="")
    lease_monotonic_s: Mapped[float] = mapped_column(default=0.0)

    __table_args__ = (
        partial_index("ix_delivery_batch_due", "lane", "next_attempt_at", where="next_attempt_at IS NOT NULL"),
    )


class Delivery(Base):
    """One reader's copy of one edition."""

    __tablename__ = "delivery"

    id: Mapped[Id]
    edition_id: Mapped[int] = reference("edition.id")
    subscriber_id: Mapped[int] = reference("subscriber.id")
    batch_no: Mapped[int]
    content_id: Mapped[int] = reference("edition_content.id", index=True)
    recipient: Mapped[str | None]  # the address at planning; NULL after erasure
    addressee: Mapped[str | None]  # the name in To, as it was when the message was made; NULL where it has none
    look_id: Mapped[int | None] = mapped_column(BigId)  # what it was made with; no foreign key, as in `Edition`
    domain: Mapped[str]
    lane: Mapped[Lane] = mapped_column(words(Lane))
    state: Mapped[State] = mapped_column(words(State))
    reason: Mapped[str] = mapped_column(default="")  # why suppressed, cancelled, expired, refused
    fence: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None]
    provider: Mapped[str] = mapped_column(default="")
    avoid: Mapped[str] = mapped_column(default="")  # the provider that failed us last: the next try goes by another
    provider_message_id: Mapped[str] = mapped_column(default="")
    request_key: Mapped[str] = mapped_column(default="")  # of the provider's request that it last went out in
    message_id: Mapped[str] = mapped_column(unique=True)
    code: Mapped[int | None]
    published_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]
    matched_at: Mapped[datetime | None]
    planned_at: Mapped[datetime]
    committed_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]  # when it was suppressed or cancelled, or expired: it was not sent
    # The subscriptions that it is for: when all of them have ended, it is not sent. None or empty: it is for none.
    serves: Mapped[list[int] | None] = mapped_column(_NUMBERS)
    in_reply_to: Mapped[str] = mapped_column(default="", server_default="")  # Message-ID of what it is an update of
    # The reader's next quiet hours: nothing goes in between. None: they have none, or it is breaking.
    quiet_at: Mapped[datetime | None]
    quiet_until: Mapped[datetime | None]
    returned_at: Mapped[datetime | None]  # when the stories of a copy that never went were given back

    __table_args__ = (
        UniqueConstraint("edition_id", "subscriber_id"),
        ForeignKeyConstraint(["edition_id", "batch_no"], ["delivery_batch.edition_id", "delivery_batch.batch_no"]),
        Index("ix_delivery_edition_id_batch_no", "edition_id", "batch_no"),
        partial_index("ix_delivery_request_key", "request_key", where="request_key <> ''"),
        Index("ix_delivery_subscriber_id_planned_at", "subscriber_id", "planned_at"),
        partial_index("ix_delivery_provider_message_id", "provider_message_id", where="provider_message_id <> ''"),
        partial_index(
            "ix_delivery_unreturned",
            "id",
            where=f"({_any_of(UNRETURNED)}) AND returned_at IS NULL",
        ),
        partial_index(
            "ix_delivery_unsettled",
            "state",
            "edition_id",
            where=_any_of(UNSETTLED),
        ),
    )


class Attempt(Base):
    """The outcome of one try to hand a message over."""

    __tablename__ = "attempt"

    id: Mapped[Id]
    delivery_id: Mapped[int] = reference("delivery.id", index=True)
    number: Mapped[int]
    fence: Mapped[int]
    outcome: Mapped[Happening] = mapped_column(words(Happening))
    provider: Mapped[str]
    code: Mapped[int | None]
    enhanced: Mapped[str] = mapped_column(default="")
    text: Mapped[str] = mapped_column(default="")
    provider_message_id: Mapped[str] = mapped_column(default="")
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime]
