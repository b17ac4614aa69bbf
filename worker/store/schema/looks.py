"""Looks: what all messages of a process were made with, so that any of them can be made again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from worker.store.schema.base import Base, Id


class Look(Base):
    """Templates, catalogues, and what the settings say about mails, interned by their hash; no secrets."""

    __tablename__ = "look"

    id: Mapped[Id]
    hash: Mapped[str] = mapped_column(unique=True)
    version: Mapped[str]  # of Tocsin
    body: Mapped[bytes] = mapped_column(LargeBinary)  # worker.rendering.look.Look, packed
    created_at: Mapped[datetime]
