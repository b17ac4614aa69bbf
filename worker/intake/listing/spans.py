"""Spans of time as people write them: `15m`, `2h`, `1d`.

Pure. Lists, the command line and the API say with it how often a source is polled.
"""

from __future__ import annotations

import re
from typing import Final

from worker.errors import InputError
from worker.intake.polling import LEAST_S, MOST_S

_UNITS: Final = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_SPAN: Final = re.compile(r"(?:[0-9]{1,6}[dhms])+")
_HINT: Final = "write for example 15m, 2h or 1d"


def read_span(written: str, *, where: str) -> float:
    """Return how many seconds a span has. Raises `InputError` for what is none, too short or too long to poll by.

    >>> read_span("15m", where=""), read_span("1h30m", where="")
    (900.0, 5400.0)
    """
    text = "".join(written.split()).lower()
    if not _SPAN.fullmatch(text):
        raise InputError(f"{written[:40]!r} is no span of time", where=where, hint=_HINT)
    seconds = float(sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"([0-9]+)([dhms])", text)))
    return checked_span(seconds, where=where)


def checked_span(seconds: float, *, where: str) -> float:
    """Return a span that a source can be polled by. Raises `InputError`."""
    if not LEAST_S <= seconds <= MOST_S:
        shortest, longest = write_span(LEAST_S), write_span(MOST_S)
        raise InputError(f"a source is polled every {shortest} to {longest}", where=where, hint=_HINT)
    return seconds


def write_span(seconds: float) -> str:
    """Return a span as people write it, to the second.

    >>> write_span(900), write_span(5400), write_span(86400)
    ('15m', '1h30m', '1d')
    """
    rest, written = max(1, round(seconds)), ""
    for unit, worth in _UNITS.items():
        count, rest = divmod(rest, worth)
        written += f"{count}{unit}" if count else ""
    return written
