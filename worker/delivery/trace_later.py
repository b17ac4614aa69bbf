"""Decides how it is told that a story comes to a reader later, or that they will not get it, and why.

Pure. `trace` makes it part of the whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from worker.model import Lapse, Owing

_OWED: Final[Mapping[Owing, str]] = MappingProxyType(
    {
        Owing.LATE: "we were too late for the alert",
        Owing.EXPIRED: "its mail could not be delivered in time",
        Owing.REFUSED: "its mail got lost through us",
        Owing.CANCELLED: "its mail was called off",
        Owing.BUDGET: "the reader has had as many alerts that day as they want",
        Owing.QUIET: "it came in the reader's quiet hours",
        Owing.AWAY: "it came while the reader rested",
        Owing.FLOOR: "there were fewer stories than the reader wants in one mail",
    }
)
_LAPSED: Final[Mapping[Lapse, str]] = MappingProxyType(
    {
        Lapse.FLOOR: "there were fewer stories than the reader wants in one mail, who lets them go then",
        Lapse.AWAY: "it came while the reader rested, and was not among the best or too old when they were back",
        Lapse.ENDED: "the reader had stopped following what it concerns when it would have come",
        Lapse.NEWSLETTER: "its newsletter had too few stories left that the reader had not seen",
        Lapse.MUTED: "the reader had muted it, or what it is about, before it would have come",
        Lapse.ROOM: "the mail in which it was to come had no room for its topic",
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Owed:
    """That a story comes to the reader later: with their next digest, or in a mail of its own from `due_at`."""

    why: Owing
    owed_at: datetime
    due_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Passed:
    """That a story was passed over: `why`, or, where there was no room for it in a mail, which mail and topic."""

    at: datetime
    why: Lapse | None = None
    kind: str = ""
    edition_id: int | None = None
    topic: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Muted:
    """That the reader wants to hear no more of a story."""

    muted_at: datetime
    muted_until: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Later:
    """What is known of a story beside its mails."""

    owed: Owed | None = None
    passed: Sequence[Passed] = ()
    muted: Muted | None = None

    def says(self, timezone: str) -> str:
        """Return the last word on it, "" when there is none."""
        if self.muted is not None:
            return f"The reader has muted the story until {on(self.muted.muted_until, timezone)}."
        if self.owed is not None:
            told = f"The story comes with the reader's next digest, or in a mail of its own: {_OWED[self.owed.why]}."
            return f"{told} It is looked at again on {on(self.owed.due_at, timezone)}."
        if self.passed:
            last = max(self.passed, key=lambda one: one.at)
            return f"The reader does not get the story: {_passed(last, timezone)}."
        return ""

    def entries(self, timezone: str) -> Iterator[tuple[datetime, str, str]]:
        """Yield when what happened, and what is said of it."""
        if self.owed is not None:
            yield self.owed.owed_at, "comes later", _OWED[self.owed.why]
        if self.muted is not None:
            until = on(self.muted.muted_until, timezone)
            yield self.muted.muted_at, "muted", f"the reader wants no more of the story until {until}"
        for one in self.passed:
            yield one.at, "passed over" if one.why else "no room", _passed(one, timezone)


def _passed(one: Passed, timezone: str) -> str:
    if one.why is not None:
        return _LAPSED[one.why]
    under = f" under {one.topic}" if one.topic else ""
    return f"the {one.kind} of {on(one.at, timezone)} had no room for it{under}, and named the topic's page instead"


def on(at: datetime, timezone: str) -> str:
    """Write a time as the reader's own clock shows it.

    >>> from datetime import UTC
    >>> on(datetime(2026, 11, 23, 22, tzinfo=UTC), "Asia/Seoul")
    '24 November 2026, 07:00'
    """
    local = at.astimezone(ZoneInfo(timezone))
    return f"{local.day} {local:%B %Y, %H:%M}"
