"""Decides nothing: counts how many mails readers get within a day, so that an editor sees who would have too many.

Pure. Called by `tocsin simulate --fatigue`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from worker.planning.world import Simulated

DAY: Final = timedelta(hours=24)


@dataclass(frozen=True, kw_only=True, slots=True)
class Fatigue:
    """How many readers get how many mails in their worst 24 hours, by number of mails, ascending."""

    readers: tuple[tuple[int, int], ...]

    def at_least(self, mails: int) -> int:
        """Return how many readers get so many mails or more within 24 hours."""
        return sum(readers for count, readers in self.readers if count >= mails)

    @property
    def total(self) -> int:
        """All readers."""
        return sum(readers for _, readers in self.readers)


def fatigue(simulated: Iterable[Sequence[Simulated]]) -> Fatigue:
    """Count readers by the most mails that they get within any 24 hours; each item is one reader's runs, in order."""
    counted = Counter(most_within(sorted(one.at for one in runs if one.send)) for runs in simulated)
    return Fatigue(readers=tuple(sorted(counted.items())))


def most_within(times: Sequence[datetime]) -> int:
    """Return the most that any 24 hours hold; the first and the last instant of a day do not both count.

    >>> most_within([datetime(2026, 11, day, hour) for day, hour in [(1, 7), (1, 18), (2, 7), (2, 8)]])
    3
    """
    most = first = 0
    for index, at in enumerate(times):
        while at - times[first] >= DAY:
            first += 1
        most = max(most, index - first + 1)
    return most
