"""Readers, what they follow, newsletters, and the addresses that get nothing any more."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from worker.hearsay import Cause
from worker.model import Approval, BelowFloor, Cadence, LetterKind, SubscriberStatus, Timing
from worker.store.schema.base import Base, BigId, Id, Long, partial_index, reference, words


class Subscriber(Base):
    """A reader. Everything personal is NULL or empty once `status` is "erased"; the row stays for the books."""

    __tablename__ = "subscriber"

    id: Mapped[Id]
    email: Mapped[str | None]  # as the reader writes it
    address_hash: Mapped[str | None] = mapped_column(unique=True)  # keyed hash of the normalised address
    name: Mapped[str] = mapped_column(default="")
    locale: Mapped[str] = mapped_column(default="en")
    timezone: Mapped[str] = mapped_column(default="UTC")
    status: Mapped[SubscriberStatus] = mapped_column(words(SubscriberStatus))
    consent: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # how, when, from where, which wording
    confirmations: Mapped[int] = mapped_column(default=0)  # asked for so far; makes each question's slot unique
    confirmation_due_at: Mapped[datetime | None]  # set by signup, cleared by the planning of the question
    paused_until: Mapped[datetime | None]
    paused_at: Mapped[datetime | None]  # since when; cleared once the reader was told what they missed
    quiet_from: Mapped[str | None]  # local, "22:00"; both or neither
    quiet_to: Mapped[str | None]
    alert_budget: Mapped[int | None]  # alerts a day; none: the house's
    digest_floor: Mapped[int] = mapped_column(default=1, server_default="1")  # fewer stories are no mail
    below_floor: Mapped[BelowFloor] = mapped_column(
        words(BelowFloor), default=BelowFloor.MERGE, server_default=BelowFloor.MERGE
    )
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]

    __table_args__ = (
        partial_index(
            "ix_subscriber_confirmation_due_at", "confirmation_due_at", where="confirmation_due_at IS NOT NULL"
        ),
        partial_index("ix_subscriber_paused", "paused_until", where="paused_at IS NOT NULL"),
        partial_index("ix_subscriber_erased_at", "erased_at", where="erased_at IS NOT NULL"),
    )


class Newsletter(Base):
    """An editorial newsletter: who sends it, when, and what goes in."""

    __tablename__ = "newsletter"

    id: Mapped[Id]
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    sender_name: Mapped[str]
    sender_address: Mapped[str]
    locale: Mapped[str]
    timezone: Mapped[str]
    schedule: Mapped[str]  # an RRULE (RFC 5545)
    selection: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    timing: Mapped[Timing] = mapped_column(words(Timing), default=Timing.NEWSROOM, server_default=Timing.NEWSROOM)
    approval: Mapped[Approval] = mapped_column(
        words(Approval), default=Approval.AUTOMATIC, server_default=Approval.AUTOMATIC
    )
    lead_s: Mapped[int] = mapped_column(default=3600, server_default="3600")  # an issue is drafted so long before
    starts_on: Mapped[date | None]  # the rule's first day, in its zone; none: the day on which it was created
    next_due_at: Mapped[datetime | None]
    disabled_reason: Mapped[str] = mapped_column(default="", server_default="")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __table_args__ = (partial_index("ix_newsletter_next_due_at", "next_due_at", where="next_due_at IS NOT NULL"),)


class Subscription(Base):
    """What a reader follows, and how often they want to hear of it."""

    __tablename__ = "subscription"

    id: Mapped[Id]
    subscriber_id: Mapped[int] = reference("subscriber.id")
    topic_id: Mapped[int | None] = reference("topic.id", index=True)
    newsletter_id: Mapped[int | None] = reference("newsletter.id")
    query: Mapped[str | None]  # an own query, as the reader wrote it; its topic row holds the interned form
    cadence: Mapped[Cadence] = mapped_column(words(Cadence))
    times: Mapped[list[str]] = mapped_column(JSON, default=list)  # local, "07:00", ascending
    weekday: Mapped[int | None]  # ISO, 1 is Monday
    cursor: Mapped[Long] = mapped_column(default=0)  # the last match_seq that it has been shown
    next_due_at: Mapped[datetime | None]
    paused_until: Mapped[datetime | None]
    muted_until: Mapped[datetime | None]  # what came before never comes; kept for some weeks after it is over
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("subscriber_id", "topic_id"),
        UniqueConstraint("subscriber_id", "newsletter_id"),
        CheckConstraint("(topic_id IS NULL) <> (newsletter_id IS NULL)", name="follows_one_thing"),
        partial_index("ix_subscription_newsletter_id", "newsletter_id", where="newsletter_id IS NOT NULL"),
        # An update of next_due_at pays for every index here: a run of a million does.
        partial_index("ix_subscription_next_due_at", "next_due_at", "subscriber_id", where="next_due_at IS NOT NULL"),
        partial_index("ix_subscription_muted_until", "muted_until", where="muted_until IS NOT NULL"),
    )


class StoryMute(Base):
    """A story that a reader wants to hear no more of: no alert, no digest, no update. Kept for some weeks after it."""

    __tablename__ = "story_mute"

    subscriber_id: Mapped[int] = reference("subscriber.id", primary_key=True)
    story_id: Mapped[int] = reference("story.id", primary_key=True, index=True)
    muted_until: Mapped[datetime] = mapped_column(index=True)
    muted_at: Mapped[datetime]


class OwnLetter(Base):
    """A letter about a reader's own business, and what has become of its link. Deleted after a few days.

    `recipient` is an address that is not the reader's, or not any more: one that they have named as theirs, of whose
    owner nothing is known, or one that mail went to before.
    """

    __tablename__ = "own_letter"

    id: Mapped[Id]
    subscriber_id: Mapped[int] = reference("subscriber.id")
    kind: Mapped[LetterKind] = mapped_column(words(LetterKind))
    recipient: Mapped[str | None]  # none: the reader's address
    recipient_hash: Mapped[str | None]
    asked_at: Mapped[datetime]
    due_at: Mapped[datetime | None]  # set by signup, cleared by planning; never set where no mail may go
    edition_id: Mapped[int | None] = mapped_column(BigId)  # set by planning
    used_at: Mapped[datetime | None]
    voided_at: Mapped[datetime | None]  # overtaken: the link does nothing any more, and an unsent mail does not go
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))  # choices, until it is written

    __table_args__ = (
        Index("ix_own_letter_subscriber_id_asked_at", "subscriber_id", "asked_at"),
        partial_index("ix_own_letter_recipient_hash", "recipient_hash", where="recipient_hash IS NOT NULL"),
        partial_index("ix_own_letter_due_at", "due_at", where="due_at IS NOT NULL"),
        partial_index("ix_own_letter_edition_id", "edition_id", where="edition_id IS NOT NULL"),
    )


class Suppression(Base):
    """An address that must get nothing, known by its keyed hash only, so that it outlives the reader's erasure."""

    __tablename__ = "suppression"

    address_hash: Mapped[str] = mapped_column(primary_key=True)
    cause: Mapped[Cause] = mapped_column(words(Cause), default=Cause.OPERATOR, server_default=Cause.OPERATOR)
    reason: Mapped[str]
    event_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("event.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[datetime]


class TokenUse(Base):
    """A link that works once, and has."""

    __tablename__ = "token_use"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    used_at: Mapped[datetime]
