"""Whose turn it is: planners share the house by ranges of readers, and an editor who stops or corrects has it alone.

PostgreSQL: advisory locks until the transaction ends. SQLite has one writer at a time anyway, so there is nothing to
ask for. Always the first statements of a transaction, so that all that others have committed is then seen; the order is
the house, then ranges upwards, then rows. Called by planning, withdrawals and erasure.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.model import SubscriberId

_PLANNING: Final = 0x70C52
_READERS: Final = 0x70C53
_RANGE_BITS: Final = 12  # 4,096 readers


def share(conn: Connection, readers: Iterable[SubscriberId]) -> None:
    """Wait until nobody has the house alone, and no other planner any range that these readers are in."""
    if conn.dialect.name == "sqlite":
        return
    _share_the_house(conn)
    ranges = sorted({_range_of(reader) for reader in readers})
    in_order = sa.text(
        "SELECT pg_advisory_xact_lock(:readers, k)"
        " FROM (SELECT unnest(CAST(:ranges AS int[])) AS k ORDER BY 1) AS wanted"
    )
    conn.execute(in_order, {"readers": _READERS, "ranges": ranges})


def try_share(conn: Connection, first: SubscriberId) -> bool:
    """Take the range of a window's first reader, False at once when another planner has it: walk on to another window.

    The rest of the window is asked for by `share` afterwards: its ranges are higher ones.
    """
    if conn.dialect.name == "sqlite":
        return True
    _share_the_house(conn)
    free = sa.select(sa.func.pg_try_advisory_xact_lock(_READERS, _range_of(first)))
    return bool(conn.execute(free).scalar_one())


def alone(conn: Connection) -> None:
    """Wait until no planner has a transaction open, and keep all from opening one until this one ends.

    Two that planned at once could give a reader the same story in two editions, or close each other's.
    """
    if conn.dialect.name != "sqlite":
        conn.execute(sa.select(sa.func.pg_advisory_xact_lock(_PLANNING)))


def whole_ranges(readers: Sequence[SubscriberId]) -> Sequence[SubscriberId]:
    """Leave out those of the last range of ascending readers, unless there is no other: it goes on after them.

    >>> [len(whole_ranges([SubscriberId(n) for n in range(1, last)])) for last in (4000, 4500)]
    [3999, 4095]
    """
    last = _range_of(readers[-1])
    return readers[: bisect_left(readers, last, key=_range_of)] or readers


def _share_the_house(conn: Connection) -> None:
    conn.execute(sa.select(sa.func.pg_advisory_xact_lock_shared(_PLANNING)))


def _range_of(reader: SubscriberId) -> int:
    """Return the number of a reader's range.

    >>> [_range_of(SubscriberId(reader)) for reader in (1, 4095, 4096)]
    [0, 0, 1]
    """
    return reader >> _RANGE_BITS
