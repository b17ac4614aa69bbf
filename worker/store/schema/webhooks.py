"""The newspaper's own endpoints, and the outbox of what they are to be told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from worker.store.schema.base import Base, BigId, Id, partial_index, words
from worker.tidings import MessageState


class WebhookEndpoint(Base):
    """An address of the newspaper's that is told of readers. One process at a time tells it: `fence` and the lease."""

    __tablename__ = "webhook_endpoint"

    id: Mapped[Id]
    url: Mapped[str]
    types: Mapped[list[str]] = mapped_column(JSON)  # of `worker.tidings`
    secret: Mapped[str]  # whsec_..., of Standard Webhooks
    old_secret: Mapped[str | None]  # signs too until `old_secret_until`
    old_secret_until: Mapped[datetime | None]
    with_addresses: Mapped[bool]  # whether it is told addresses and names
    allow_private: Mapped[bool]  # whether it may be on the newspaper's own network
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    disabled_reason: Mapped[str] = mapped_column(default="", server_default="")
    failing_since: Mapped[datetime | None]  # cleared by any success
    last_ok_at: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(default="", server_default="")
    fence: Mapped[int] = mapped_column(default=0, server_default="0")
    holder: Mapped[str] = mapped_column(default="", server_default="")
    boot: Mapped[str] = mapped_column(default="", server_default="")
    lease_until: Mapped[datetime | None]


class WebhookMessage(Base):
    """One thing that one endpoint is to be told, written in the transaction in which it happened.

    `data` is personal: erasure empties it. No foreign key to the reader, whose row feedback must not lock.
    """

    __tablename__ = "webhook_message"

    id: Mapped[Id]
    message_id: Mapped[str] = mapped_column(unique=True)
    endpoint_id: Mapped[int] = mapped_column(BigId, ForeignKey("webhook_endpoint.id", ondelete="CASCADE"))
    type: Mapped[str]
    subscriber_id: Mapped[int] = mapped_column(BigInteger, index=True)
    occasion: Mapped[str | None]  # what can happen once only, and may be told to us twice
    occurred_at: Mapped[datetime]
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[MessageState] = mapped_column(words(MessageState), default=MessageState.PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None]  # none: it has ended
    ended_at: Mapped[datetime | None]
    code: Mapped[int | None]
    error: Mapped[str] = mapped_column(default="")

    __table_args__ = (
        UniqueConstraint("endpoint_id", "occasion"),
        partial_index("ix_webhook_message_failed", "endpoint_id", where="state = 'failed'"),
        partial_index("ix_webhook_message_due", "endpoint_id", "next_attempt_at", where="next_attempt_at IS NOT NULL"),
    )
