"""Decides whether the first share of a large edition has done well enough for the rest to follow.

A fault that all readers would meet (a refused login, a listed address, a broken template that brings complaints) then
costs one in a hundred. Pure: counts and seconds in, a verdict out. `delivery.run_canary` acts on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_LEAST: Final = 3  # one odd mailbox among fifty proves nothing
_MOST_PUT_OFF: Final = 0.1  # greylisting takes hours; the rest need not wait for the last few


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Shares of what was tried, and seconds. `patience_s` counts from the first try."""

    refused: float
    unknown: float
    bounced: float
    complained: float
    watch_s: float
    patience_s: float = 3600.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """Where the first share's copies stand. `refused` were turned away because of us, `put_off` for the moment."""

    waiting: int = 0
    put_off: int = 0
    taken: int = 0
    refused: int = 0
    unknown: int = 0
    bounced: int = 0
    complained: int = 0

    @property
    def tried(self) -> int:
        """How many have had an answer, or lost it."""
        return self.put_off + self.taken + self.refused + self.unknown + self.bounced + self.complained


class Verdict(StrEnum):
    """What follows for the rest."""

    WAIT = "wait"
    SETTLED = "settled"  # the watch begins
    GO = "go"
    HOLD = "hold"


def judge(tally: Tally, limits: Limits, *, settled_for_s: float | None, waited_s: float) -> tuple[Verdict, str]:
    """Return what follows, and why where it is to be held. `settled_for_s` is None as long as nobody has said so.

    >>> strict = Limits(refused=0.02, unknown=0.02, bounced=0.05, complained=0.002, watch_s=60)
    >>> judge(Tally(taken=96, complained=4), strict, settled_for_s=None, waited_s=9)
    (<Verdict.HOLD: 'hold'>, '4 of the first 100 complained')
    >>> judge(Tally(taken=98, bounced=2), strict, settled_for_s=61.0, waited_s=90)
    (<Verdict.GO: 'go'>, '')
    """
    if trouble := _trouble(tally, limits):
        return Verdict.HOLD, trouble
    if tally.waiting or tally.put_off > _MOST_PUT_OFF * tally.tried:
        if waited_s < limits.patience_s:
            return Verdict.WAIT, ""
        unsent = tally.waiting + tally.put_off
        return Verdict.HOLD, f"{unsent} of the first {tally.waiting + tally.tried} are still not sent"
    if settled_for_s is None:
        return Verdict.SETTLED, ""
    return (Verdict.GO if settled_for_s >= limits.watch_s else Verdict.WAIT), ""


def _trouble(tally: Tally, limits: Limits) -> str:
    kinds = (
        (tally.refused, limits.refused, "were refused because of us"),
        (tally.unknown, limits.unknown, "are unknown"),
        (tally.bounced, limits.bounced, "bounced"),
        (tally.complained, limits.complained, "complained"),
    )
    found = [
        f"{count} of the first {tally.tried} {what}" for count, limit, what in kinds if _jumps(count, tally, limit)
    ]
    return ", ".join(found)


def _jumps(count: int, tally: Tally, limit: float) -> bool:
    return count >= _LEAST and count > limit * tally.tried
