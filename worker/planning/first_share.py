"""Decides how many of an edition's copies go first, to be watched before all others follow.

Pure. Called when an edition's audience is fixed.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Final

from worker.model import EditionKind, Severity

_LEAST: Final = 50  # fewer say nothing
_WATCHED: Final = frozenset({EditionKind.DIGEST, EditionKind.NEWSLETTER, EditionKind.ALERT, EditionKind.ROLLING})


@dataclass(frozen=True, kw_only=True, slots=True)
class FirstShare:
    """What an operator may set: the share that goes first, and from which audience on. A share of 0 switches it off."""

    share: float = 0.0
    least_audience: int = 5_000

    def of(self, audience: int, *, kind: EditionKind, severity: Severity) -> int:
        """Return how many copies go first, 0 when all go at once. What is breaking never waits.

        >>> FirstShare(share=0.01).of(200_000, kind=EditionKind.DIGEST, severity=Severity.NORMAL)
        2000
        >>> FirstShare(share=0.01).of(200_000, kind=EditionKind.ALERT, severity=Severity.BREAKING)
        0
        """
        if not self.share or audience < self.least_audience:
            return 0
        if kind not in _WATCHED or severity is Severity.BREAKING:
            return 0
        count = max(_LEAST, ceil(audience * self.share))
        return count if count < audience else 0
