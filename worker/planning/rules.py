"""What an operator and a reader may set about planning, as all deciders of planning take it.

Decides nothing. Wiring makes the policy, the store reads the readers' terms.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from worker.model import BelowFloor, SubscriberId
from worker.planning.first_share import FirstShare
from worker.schedule import parse_time


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """What an operator may set that decides who gets what, and when."""

    alert_expires: timedelta
    digest_expires: timedelta
    gather: timedelta = timedelta(seconds=60)
    age_limit: timedelta = timedelta(days=1)
    budget: int = 0  # alerts a reader gets in a day; 0: no limit
    burst_count: int = 10  # more alerts than this on a topic within `burst_window` become a rolling summary
    burst_window: timedelta = timedelta(hours=1)
    rolling: timedelta = timedelta(minutes=30)
    section_cap: int = 6
    mail_cap: int = 40
    away_cap: int = 10
    morning: time = time(7)  # when readers without a digest get what they are owed, by their clock


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy(Rules):
    """The rules, and what only those who write rows have to know. `domain` is the right half of every Message-ID."""

    domain: str
    confirmation_expires: timedelta = timedelta(days=1)
    first_share: FirstShare = field(default_factory=FirstShare)
    preflight_patience: timedelta | None = None  # how long an issue that is due waits for a look; None: it does not


@dataclass(frozen=True, kw_only=True, slots=True)
class Quiet:
    """A reader's quiet hours by their own clock: across midnight when `end` is before `start`, none when equal."""

    start: time
    end: time

    @classmethod
    def between(cls, start: str | None, end: str | None) -> Quiet | None:
        """Read quiet hours as they are stored; None where either is missing."""
        return cls(start=parse_time(start), end=parse_time(end)) if start and end else None


@dataclass(frozen=True, kw_only=True, slots=True)
class ReaderTerms:
    """What decides about a reader. `awake`: active, with an address, and not paused."""

    subscriber_id: SubscriberId
    locale: str
    timezone: str
    awake: bool
    quiet: Quiet | None = None
    budget: int | None = None  # None: the house's; 0: no limit
    floor: int = 1
    below_floor: BelowFloor = BelowFloor.MERGE
    paused_at: datetime | None = None
