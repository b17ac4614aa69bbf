"""The ways out of the house, as all workers must see them alike: what is shut, slowed down, or used up for today."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.orm import Mapped, mapped_column

from worker.circuits import Condition, Trouble
from worker.store.schema.base import Base, words


class Breaker(Base):
    """A circuit of `worker.circuits`; "" stands for any stream, any domain. Never holds an address."""

    __tablename__ = "breaker"

    provider: Mapped[str] = mapped_column(primary_key=True)
    stream: Mapped[str] = mapped_column(primary_key=True)
    domain: Mapped[str] = mapped_column(primary_key=True)
    condition: Mapped[Condition] = mapped_column(words(Condition))
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    pause_s: Mapped[float]
    trouble: Mapped[Trouble | None] = mapped_column(words(Trouble))
    reason: Mapped[str]
    turn: Mapped[int]


class Throttle(Base):
    """A rate that was halved because a provider, or a recipient domain, asked for less; it grows back by itself."""

    __tablename__ = "throttle"

    provider: Mapped[str] = mapped_column(primary_key=True)  # "" for a domain by whichever provider
    domain: Mapped[str] = mapped_column(primary_key=True)
    full_per_s: Mapped[float]  # what the rate was before
    share: Mapped[float]  # what was left of it at `since`
    since: Mapped[datetime]


class Allowance(Base):
    """How much of a warming-up provider's day is taken. Taken before it is sent: a crash costs some, never doubles."""

    __tablename__ = "allowance"

    provider: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    taken: Mapped[int]
