"""What keeps the sign-up form from being used against people: who was asked lately, and how often in vain."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped

from worker.store.schema.base import Base, Id, partial_index, reference


class Asking(Base):
    """A sign-up by anybody who knows an address, for a day: was its owner asked, or was it one too many.

    The latter has nothing personal, and stands here so that both cost the same. A yes deletes a reader's rows. A row of
    a mailbox and no reader is of an address that somebody has named as their new one.
    """

    __tablename__ = "asking"

    id: Mapped[Id]
    at: Mapped[datetime]
    subscriber_id: Mapped[int | None] = reference("subscriber.id")
    mailbox_hash: Mapped[str | None]  # keyed hash of the mailbox behind the address; none when nobody was asked
    due_at: Mapped[datetime | None]  # when the question goes; none when nobody was asked

    __table_args__ = (
        partial_index("ix_asking_mailbox_hash", "mailbox_hash", where="mailbox_hash IS NOT NULL"),
        partial_index("ix_asking_subscriber_id", "subscriber_id", where="subscriber_id IS NOT NULL"),
        partial_index("ix_asking_due_at", "due_at", where="due_at IS NOT NULL"),
    )
