"""Finds out what lies at the address that a source says to have moved to, for `polling` to decide whether it may.

Reads only. Called by `run_polling`, with the document of that address, before its items are taken in.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from worker.intake.identity import item_key
from worker.intake.moving import Arrival
from worker.model import ParsedArticle, SourceId
from worker.store import sightings, sources


def look_at(conn: Connection, source_id: SourceId, *, target: str, found: Iterable[ParsedArticle]) -> Arrival:
    """Compare what was `found` at `target` with what is stored of the source, and look who else is watched there."""
    keys = {item_key(parsed) for parsed in found}
    return Arrival(
        items=len(keys),
        known=len(sightings.by_item_keys(conn, source_id, keys)),
        has_items=sightings.has_items(conn, source_id),
        watched_as=sources.name_at(conn, target, other_than=source_id),
    )
