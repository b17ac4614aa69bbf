"""Who asks each expression: the numbers that the engine's user gave to queries, beside the index, not in it.

Decides nothing. A million readers of five thousand queries are five thousand expressions; nearly all of them have one
owner, whose number stands in one array. Those with several have a group of numbers each.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from worker.matching.compiled.layout import FIRST_GROUP, LOWEST_OWNER, NO_OWNER
from worker.matching.features import Table, grown

_MASK: Final = (1 << 64) - 1


class Owners:
    """Which owners each expression has, and which expression each owner."""

    def __init__(self) -> None:
        self.of = np.full(64, NO_OWNER, np.int64)  # by expression: its owner, or its group from FIRST_GROUP on
        self.expression_of = Table(is_mixed=False)
        self.count = 0
        self.groups = 0
        self.group_start = np.zeros(16, np.int64)
        self.group_size = np.zeros(16, np.int64)
        self.group_room = np.zeros(16, np.int64)
        self.members = np.zeros(64, np.int64)
        self.members_used = 0

    def find(self, owner: int) -> int:
        """Return an owner's expression, -1 if it has none."""
        return self.expression_of.get(_key(owner))

    def has_any(self, expression: int) -> bool:
        """Tell whether anybody asks an expression."""
        return bool(self.of[expression] != NO_OWNER)

    def add(self, expression: int, owner: int) -> None:
        """Give an expression one more owner, who had no expression before. Raises `ValueError` for a number too low."""
        if owner < LOWEST_OWNER:
            raise ValueError(f"{owner} is lower than {LOWEST_OWNER}, the lowest number that a query may have")
        if expression >= len(self.of):
            before = len(self.of)
            self.of = grown(self.of, expression + 1)
            self.of[before:] = NO_OWNER
        known = int(self.of[expression])
        if known == NO_OWNER:
            self.of[expression] = owner
        elif known >= LOWEST_OWNER:
            group = self._new_group(known, owner)
            self.of[expression] = FIRST_GROUP + group
        else:
            self._join(known - FIRST_GROUP, owner)
        self.expression_of.put(_key(owner), expression)
        self.count += 1

    def remove(self, owner: int) -> int:
        """Take an owner's expression away and return it. Raises `KeyError` if there is none."""
        expression = self.find(owner)
        if expression < 0:
            raise KeyError(owner)
        self.expression_of.put(_key(owner), -1)
        self.count -= 1
        known = int(self.of[expression])
        if known >= LOWEST_OWNER:
            self.of[expression] = NO_OWNER
            return expression
        group = known - FIRST_GROUP
        start, size = int(self.group_start[group]), int(self.group_size[group])
        members = self.members[start : start + size]
        members[int(np.flatnonzero(members == owner)[0])] = members[-1]
        self.group_size[group] = size - 1
        if size == 2:
            self.of[expression] = members[0]  # its place in the arena is lost until the index is built anew
        return expression

    def of_one(self, expression: int) -> list[int]:
        """Return the owners of one expression; none of one that nobody asks any more."""
        known = int(self.of[expression])
        if known >= LOWEST_OWNER or known == NO_OWNER:
            return [known] if known != NO_OWNER else []
        start, size = (int(part[known - FIRST_GROUP]) for part in (self.group_start, self.group_size))
        return [int(owner) for owner in self.members[start : start + size]]

    def _new_group(self, first: int, second: int) -> int:
        group = self.groups
        self.groups += 1
        for name in ("group_start", "group_size", "group_room"):
            setattr(self, name, grown(getattr(self, name), self.groups))
        self._allot(group, 2)
        self.members[self.group_start[group] : self.group_start[group] + 2] = first, second
        self.group_size[group] = 2
        return group

    def _join(self, group: int, owner: int) -> None:
        size = int(self.group_size[group])
        if size == self.group_room[group]:
            before = self.members[self.group_start[group] : self.group_start[group] + size]
            self._allot(group, size * 2)
            self.members[self.group_start[group] : self.group_start[group] + size] = before
        self.members[self.group_start[group] + size] = owner
        self.group_size[group] = size + 1

    def _allot(self, group: int, room: int) -> None:
        self.members = grown(self.members, self.members_used + room)
        self.group_start[group], self.group_room[group] = self.members_used, room
        self.members_used += room


def _key(owner: int) -> int:
    return (owner << 1 | 1) & _MASK
