"""Subscriptions at WebSub hubs, and what hubs have pushed that nobody has read yet.

Nothing here is secret: callback and HMAC key are made of a row's number by the house's own key, so that whoever reads
the database can still push nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import JSON, ForeignKey, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from worker.hubs import HubState
from worker.store.schema.base import Base, BigId, Id, partial_index, words

_LIVE: Final = "state IN ('wanted', 'asked', 'active')"


class HubSubscription(Base):
    """One source's subscription at one hub. Another hub, topic or callback is another row."""

    __tablename__ = "websub"

    id: Mapped[Id]
    source_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("source.id", ondelete="SET NULL"), index=True)
    hub: Mapped[str]
    topic: Mapped[str]
    base_url: Mapped[str]  # our own, as the hub was told
    signing_key: Mapped[str]  # the name of the key that the secret is made with
    state: Mapped[HubState] = mapped_column(words(HubState), default=HubState.WANTED)
    created_at: Mapped[datetime]
    asked_at: Mapped[datetime | None]  # none: the hub knows nothing of it
    verified_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    next_try_at: Mapped[datetime | None] = mapped_column(index=True)  # when the hub is to be asked; none: never
    failures: Mapped[int] = mapped_column(default=0, server_default="0")  # asked in vain, in a row
    last_error: Mapped[str] = mapped_column(default="", server_default="")
    absences: Mapped[int] = mapped_column(default=0, server_default="0")  # documents in a row that named no such hub
    # what came of it
    pushes: Mapped[int] = mapped_column(default=0, server_default="0")
    forged: Mapped[int] = mapped_column(default=0, server_default="0")  # pushes without a signature that holds
    last_push_at: Mapped[datetime | None]
    last_thin_at: Mapped[datetime | None]  # the last push that only said: come and look
    # items that polling has found, and that a push may still tell; then they are misses
    suspects: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    suspects_until: Mapped[datetime | None] = mapped_column(index=True)
    misses: Mapped[int] = mapped_column(default=0, server_default="0")  # items, in all
    missed_in_a_row: Mapped[int] = mapped_column(default=0, server_default="0")  # polls, since a push told news

    __table_args__ = (partial_index("uq_websub_live", "source_id", where=_LIVE, unique=True),)


class HubPush(Base):
    """A pushed document that is not read yet. Read, it is deleted; the same once more is one row while it waits."""

    __tablename__ = "websub_push"

    id: Mapped[Id]
    websub_id: Mapped[int] = mapped_column(BigId, ForeignKey("websub.id", ondelete="CASCADE"))
    received_at: Mapped[datetime]
    content_type: Mapped[str]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    body_hash: Mapped[str]
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    claimed_until: Mapped[datetime | None]

    __table_args__ = (UniqueConstraint("websub_id", "body_hash"),)
