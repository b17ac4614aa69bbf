"""Decides whether an issue whose time has come may go, by what its preflight has found. Pure.

An issue that nobody has looked at yet waits for a look, and not for ever: when nobody comes, it goes. Called by the run
of newsletters.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum


class Clearance(StrEnum):
    """What a preflight means for an issue that is due."""

    GO = "go"
    WAIT = "wait"  # for somebody to look at it
    HOLD = "hold"


def decide_clearance(
    *,
    digest: str,
    looked_at_digest: str,
    held_by: str,
    is_waived: bool,
    asked_at: datetime | None,
    patience: timedelta,
    at: datetime,
) -> Clearance:
    """Decide. `digest` is that of the content that would go, the other that of the content that was looked at.

    >>> from functools import partial
    >>> noon = datetime(2026, 11, 23, 12)
    >>> asked = partial(decide_clearance, digest="a", is_waived=False, patience=timedelta(minutes=5), at=noon)
    >>> str(asked(looked_at_digest="a", held_by="", asked_at=None))
    'go'
    >>> str(asked(looked_at_digest="b", held_by="", asked_at=noon))
    'wait'
    >>> str(asked(looked_at_digest="a", held_by="subject: it is empty", asked_at=noon))
    'hold'
    """
    if is_waived:
        return Clearance.GO
    if digest == looked_at_digest:
        return Clearance.HOLD if held_by else Clearance.GO
    has_waited = asked_at is not None and at >= asked_at + patience
    return Clearance.GO if has_waited else Clearance.WAIT
