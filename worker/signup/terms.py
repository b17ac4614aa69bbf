"""A reader's own terms, and how they are written: quiet hours, alerts a day, the least that a digest is worth.

Pure. Called by whoever changes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from worker.errors import InputError
from worker.model import BelowFloor
from worker.schedule import parse_time

NONE: Final = "none"
MOST_ALERTS: Final = 1000
MOST_FLOOR: Final = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What a reader has said for all their mail. Without `budget` the house's holds, 0 is no limit."""

    quiet: tuple[str, str] | None = None
    budget: int | None = None
    floor: int = 1
    below: BelowFloor = BelowFloor.MERGE

    @property
    def columns(self) -> dict[str, Any]:
        """Return the values of the reader's row."""
        quiet_from, quiet_to = self.quiet or (None, None)
        return {
            "quiet_from": quiet_from,
            "quiet_to": quiet_to,
            "alert_budget": self.budget,
            "digest_floor": self.floor,
            "below_floor": self.below,
        }


def read_quiet(text: str) -> tuple[str, str] | None:
    """Read quiet hours by the reader's clock, None for none. Raises `InputError`.

    >>> read_quiet("22:00-07:00"), read_quiet("none")
    (('22:00', '07:00'), None)
    """
    if text.strip().lower() == NONE:
        return None
    start, _, end = (part.strip() for part in text.partition("-"))
    try:
        quiet = (f"{parse_time(start):%H:%M}", f"{parse_time(end):%H:%M}")
    except InputError as error:
        raise InputError(f"{text!r} are no quiet hours", where="quiet", hint="write 22:00-07:00, or none") from error
    if quiet[0] == quiet[1]:
        raise InputError("quiet hours that end when they begin", where="quiet", hint="write 22:00-07:00, or none")
    return quiet


def read_budget(text: str) -> int | None:
    """Read how many alerts a reader gets in a day: 0 for no limit, None for the house's. Raises `InputError`.

    >>> read_budget("3"), read_budget("none")
    (3, None)
    """
    if text.strip().lower() == NONE:
        return None
    if not text.strip().isdecimal() or int(text) > MOST_ALERTS:
        hint = f"write 0 (no limit) to {MOST_ALERTS}, or none for the house's"
        raise InputError(f"{text!r} is no number of alerts a day", where="budget", hint=hint)
    return int(text)


def read_floor(text: str) -> int:
    """Read the least number of stories that a digest is worth. Raises `InputError`.

    >>> read_floor(" 3 ")
    3
    """
    if not text.strip().isdecimal() or not 1 <= int(text) <= MOST_FLOOR:
        raise InputError(f"{text!r} is no number of stories", where="floor", hint=f"write 1 to {MOST_FLOOR}")
    return int(text)
