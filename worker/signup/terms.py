"""How a reader's own terms are written: quiet hours, alerts a day, the least that a digest is worth.

Pure. Called by whoever changes them.
"""

from __future__ import annotations

from typing import Final

from worker.errors import InputError
from worker.schedule import parse_time

NONE: Final = "none"
MOST_ALERTS: Final = 1000


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
