"""The statements over the marks by which a database knows the snapshots that were made from it. They are facts of it.

Never touches a file: matching does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.store.house import set_fact
from worker.store.schema import Installation

_PREFIX: Final = "snapshot "


@dataclass(frozen=True, kw_only=True, slots=True)
class Noted:
    """What a snapshot holds: all topics as they were at a generation or later, and which code has compiled them."""

    generation: int
    code: str


def note(conn: Connection, mark: str, snapshot: Noted) -> None:
    """Write down that a snapshot was made of this database."""
    set_fact(conn, f"{_PREFIX}{mark}", f"{snapshot.generation} {snapshot.code}")


def noted(conn: Connection) -> dict[str, Noted]:
    """Return every snapshot that was made of this database and not forgotten, by its mark, wherever its file may be."""
    query = sa.select(Installation.name, Installation.value).where(Installation.name.startswith(_PREFIX))
    found = {}
    for name, value in conn.execute(query):
        generation, _, code = value.partition(" ")
        found[name.removeprefix(_PREFIX)] = Noted(generation=int(generation), code=code)
    return found


def forget(conn: Connection, mark: str) -> None:
    """Forget a snapshot whose file has been removed."""
    conn.execute(sa.delete(Installation).where(Installation.name == f"{_PREFIX}{mark}"))
