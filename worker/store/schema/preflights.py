"""What the preflight of an edition has found, and who lets it go all the same."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlalchemy.orm import Mapped, mapped_column

from worker.store.schema.base import Base, reference


class Preflight(Base):
    """The newest look at an edition. Nothing personal: it was a preview whose links lead nowhere."""

    __tablename__ = "preflight"

    edition_id: Mapped[int] = reference("edition.id", primary_key=True)
    digest: Mapped[str] = mapped_column(default="", server_default="")  # of the content that was looked at
    asked_at: Mapped[datetime | None]  # since when the issue, being due, waits for a look
    claimed_until: Mapped[datetime | None]  # somebody is at it
    looked_at: Mapped[datetime | None]
    mark: Mapped[str] = mapped_column(default="", server_default="")  # the worst
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    held_by: Mapped[str] = mapped_column(default="", server_default="")  # what would do harm; "" for nothing
    waived_by: Mapped[str] = mapped_column(default="", server_default="")  # who lets it go all the same
    waived_at: Mapped[datetime | None]
