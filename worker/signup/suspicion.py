"""Decides whether a person or a machine has filled a form in, and what is asked of whoever has.

A table that is total over what a form shows, what the house asks for, and whether a puzzle was solved. Pure. Nothing of
this is evidence against anybody: a person who is mistaken for a machine is asked once more, never refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Guise(StrEnum):
    """What a form looks like."""

    SOUND = "sound"
    TRAPPED = "trapped"  # a field is filled in that nobody sees
    QUICK = "quick"  # sent back sooner than anybody types
    STALE = "stale"  # shown long ago, or marked by nobody of ours
    UNMARKED = "unmarked"  # no form of ours: the newspaper's own, or a machine's


class Demand(StrEnum):
    """Which forms must come with a solved puzzle."""

    OFF = "off"
    SUSPICIOUS = "suspicious"
    ALWAYS = "always"


class Course(StrEnum):
    """What becomes of a form."""

    TAKE = "take"
    TAKE_DEARLY = "take dearly"  # at several times the price, from the sender's budget
    FEIGN = "feign"  # the usual answer, and nothing is stored
    SHOW_AGAIN = "show again"
    PUZZLE = "puzzle"  # shown again, with a puzzle


_G, _D, _C = Guise, Demand, Course

TABLE: Final[Mapping[Guise, Mapping[Demand, Course]]] = MappingProxyType(
    {
        _G.SOUND: {_D.OFF: _C.TAKE, _D.SUSPICIOUS: _C.TAKE, _D.ALWAYS: _C.PUZZLE},
        _G.TRAPPED: {_D.OFF: _C.FEIGN, _D.SUSPICIOUS: _C.FEIGN, _D.ALWAYS: _C.FEIGN},
        _G.QUICK: {_D.OFF: _C.SHOW_AGAIN, _D.SUSPICIOUS: _C.PUZZLE, _D.ALWAYS: _C.PUZZLE},
        _G.STALE: {_D.OFF: _C.SHOW_AGAIN, _D.SUSPICIOUS: _C.PUZZLE, _D.ALWAYS: _C.PUZZLE},
        # A newspaper's own form on its own page has no mark, and must go on working; what it costs keeps it in bounds.
        _G.UNMARKED: {_D.OFF: _C.TAKE_DEARLY, _D.SUSPICIOUS: _C.PUZZLE, _D.ALWAYS: _C.PUZZLE},
    }
)


def guise(
    *,
    trap: str,
    is_marked: bool,
    shown_at: datetime | None,
    now: datetime,
    quickest: timedelta,
    oldest: timedelta,
) -> Guise:
    """Return what a form looks like. `shown_at` is what its mark says, None for a mark that is not ours.

    >>> from datetime import UTC
    >>> at, limits = datetime(2026, 11, 29, tzinfo=UTC), {"quickest": timedelta(seconds=2), "oldest": timedelta(days=1)}
    >>> guise(trap="", is_marked=True, shown_at=at - timedelta(seconds=1), now=at, **limits)
    <Guise.QUICK: 'quick'>
    """
    if trap:
        return Guise.TRAPPED
    if not is_marked:
        return Guise.UNMARKED
    if shown_at is None or now - shown_at > oldest:
        return Guise.STALE
    return Guise.QUICK if now - shown_at < quickest else Guise.SOUND


def course(looks: Guise, demand: Demand, *, is_solved: bool) -> Course:
    """Return what becomes of a form. A solved puzzle makes up for everything but the trap."""
    due = TABLE[looks][demand]
    return Course.TAKE if is_solved and due is Course.PUZZLE else due
