"""The installation itself: counters, heartbeats, keys, what providers told us, who did what."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from worker.store.schema.base import Base, Id, Long, partial_index, reference


class Counter(Base):
    """A number given out under a row lock, so that numbers are in commit order (a database sequence's are not)."""

    __tablename__ = "counter"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[Long]


class Installation(Base):
    """A fact of this installation: the topics' generation, the test clock's offset."""

    __tablename__ = "installation"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class Heartbeat(Base):
    """The last time that a queue's worker did a task: what readiness and `tocsin doctor` believe."""

    __tablename__ = "heartbeat"

    name: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]


class Event(Base):
    """What a provider or a reader told us about a delivery, raw and in our words.

    `settled_at` says when its consequences were drawn, `outcome` what they were; both wait while it is only stored.
    """

    __tablename__ = "event"

    id: Mapped[Id]
    provider: Mapped[str]
    provider_event_id: Mapped[str]
    kind: Mapped[str]
    delivery_id: Mapped[int | None] = reference("delivery.id", index=True)
    address_hash: Mapped[str | None]  # whose mail it was; known once it is settled
    occurred_at: Mapped[datetime]
    received_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(default="", server_default="")
    normalised: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    raw: Mapped[str] = mapped_column(default="")

    __table_args__ = (
        UniqueConstraint("provider", "provider_event_id"),
        Index("ix_event_address_hash_occurred_at", "address_hash", "occurred_at"),
        partial_index("ix_event_unsettled", "id", where="settled_at IS NULL"),
    )


class ApiKey(Base):
    """A key of the HTTP API, known by its hash only."""

    __tablename__ = "api_key"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(unique=True)
    key_hash: Mapped[str] = mapped_column(unique=True)
    prefix: Mapped[str] = mapped_column(default="", server_default="")  # how it begins, so that people can tell it
    scopes: Mapped[list[str]] = mapped_column(JSON, default=list)
    rate_per_minute: Mapped[int | None]  # none: as many requests as it likes
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]  # to the minute
    revoked_at: Mapped[datetime | None]


class Request(Base):
    """A request of the API that came with an Idempotency-Key, and what it was answered.

    Holds nothing personal: key and fingerprint are keyed hashes, and the answer is sealed with the key.
    """

    __tablename__ = "request"

    id: Mapped[Id]
    key_hash: Mapped[str] = mapped_column(unique=True)  # of the key and of whose it is
    fingerprint: Mapped[str]  # of the method, the path and the body
    claim: Mapped[str]  # whose it is to answer, until it is
    claimed_at: Mapped[datetime] = mapped_column(index=True)
    status: Mapped[int | None]  # none: not answered yet
    headers: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    body: Mapped[str] = mapped_column(default="", server_default="")


class Audit(Base):
    """Who changed what, by hand. Never holds an address."""

    __tablename__ = "audit"

    id: Mapped[Id]
    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
