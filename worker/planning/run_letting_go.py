"""Lets go of what planning remembers of long ago, a few rows at a time. Called by a sweep; safe to repeat."""

from __future__ import annotations

from typing import Final

from worker.store import upkeep
from worker.store.database import Database, now

_SLICE: Final = 1_000
_SLICES_A_PASS: Final = 100


def let_go(database: Database) -> int:
    """Delete what is older than anybody asks about, and return how many rows that were."""
    gone = 0
    for _ in range(_SLICES_A_PASS):
        with database.write() as conn:
            some = upkeep.let_go(conn, at=now(conn), limit=_SLICE)
        gone += some
        if not some:
            break
    return gone
