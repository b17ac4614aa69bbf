"""Decides by which provider a copy goes: by weight, always the same one for a reader, as long as that one may be used.

Weighted rendezvous hashing: every provider draws a number for a reader, and the best draw wins. When a provider goes,
only its own readers move, to where their next best draw is; when it comes back, exactly they return. A reader's mail
so keeps coming from one address, which is what filters and greylists learn. Pure; `run_flow` calls it.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from worker.model import Lane

_64_BITS: Final = (1 << 64) - 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """A copy that may not go now: when to ask again, and why, for people.

    `of_all` tells that whatever else went by the same provider would have to wait as well.
    """

    wait_s: float
    reason: str
    of_all: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Exit:
    """A provider as routing knows it. One of weight 0 stands by: it is used when no other may be."""

    name: str
    weight: int
    lanes: frozenset[Lane]
    seed: int

    @classmethod
    def of(cls, name: str, *, weight: int, lanes: frozenset[Lane]) -> Exit:
        """Make one; its draws depend on its name alone."""
        seed = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest())
        return cls(name=name, weight=weight, lanes=lanes, seed=seed)


def choose(exits: Sequence[Exit], key: int, *, avoid: str = "") -> str:
    """Return the name of the exit that `key` goes by; `exits` has at least one.

    `avoid` names the one that failed us last: it is taken when there is no other.

    >>> both = [Exit.of(name, weight=1, lanes=frozenset(Lane)) for name in ("relay", "other")]
    >>> choose(both, 1), choose(both, 1, avoid="other"), choose(both[1:], 1, avoid="other")
    ('relay', 'relay', 'other')
    """
    if len(exits) == 1:
        return exits[0].name
    best, least, stands_by = "", math.inf, True
    for one in exits:
        if one.name == avoid:
            continue
        # -log of an even draw, over the weight: the least of several falls on each in proportion to its weight.
        drawn = -math.log((_mixed(key ^ one.seed) + 1) / (_64_BITS + 2)) / (one.weight or 1)
        if not best or (stands_by and one.weight) or (drawn < least and (stands_by or one.weight)):
            best, least, stands_by = one.name, drawn, not one.weight
    return best


def _mixed(number: int) -> int:
    """Spread neighbouring numbers evenly over 64 bits: the finaliser of splitmix64 (Steele and others, 2014)."""
    number = (number + 0x9E3779B97F4A7C15) & _64_BITS
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & _64_BITS
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & _64_BITS
    return number ^ (number >> 31)
