"""Holds a feed that suddenly has nothing but new items, and lets it go again at an editor's word.

Articles of a held feed are stored and matched; digests tell them, alerts do not. Called by `run` and the command line.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Row

from worker.intake.age_gate import too_old_to_alert
from worker.intake.flood import A_DAY, is_flood, is_suspicious
from worker.model import SourceId
from worker.store import holding, sightings, sources
from worker.store.database import Database, now

log = logging.getLogger(__name__)

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Released:
    """That a feed is watched as before. `alerted`: of how many of its articles readers are alerted after all."""

    source_id: SourceId
    changed: bool
    alerted: int

    @property
    def says(self) -> str:
        """The answer in a line."""
        if not self.changed:
            return f"source {self.source_id} was not held"
        return f"source {self.source_id} is held no longer; {self.alerted} of its articles alert after all"

    def told(self) -> dict[str, object]:
        """Return the answer for programs."""
        return {"source": self.source_id, "changed": self.changed, "alerted": self.alerted, "says": self.says}


def hold_if_flooded(
    database: Database, source: Row[*tuple[object, ...]], *, items: int, unknown: Sequence[datetime | None]
) -> bool:
    """Tell whether a feed is held, and begin to hold it when nearly all that it tells is new at once, and unexplained.

    `unknown` are the publication dates of the items that we have not.
    """
    if source.held_since is not None:
        return True
    if source.last_ok_at is None or not is_suspicious(items=items, unknown=len(unknown)):
        return False  # what we have of a source whose first poll was cut off is of this very document
    source_id = SourceId(source.id)
    with database.write() as conn:
        at = now(conn)
        if not is_flood(items=items, unknown=unknown, had=sightings.had_of(conn, source_id), now=at):
            return False
        how_many = f"all its {items} items" if len(unknown) == items else f"{len(unknown)} of its {items} items"
        reason = f"{how_many} were new at once"
        sources.change(conn, source_id, held_since=at, held_reason=reason)
    log.warning("source %d, %s, is held: %s", source.id, source.name, reason)
    return True


def room_for(database: Database, source: Row[*tuple[object, ...]], *, unknown: int) -> int:
    """Return how many of a feed's new items may be stored now, and hold a feed that tells more than that.

    A feed that makes up thousands of items at each poll would else fill the disk, whatever it dates them.
    """
    if not unknown:
        return 0
    source_id = SourceId(source.id)
    with database.read() as conn:
        at = now(conn)
        room = max(A_DAY - sightings.seen_since(conn, source_id, at - _DAY), 0)
    if room >= unknown:
        return unknown
    log.warning(
        "source %d, %s, has told %d new articles within a day: further ones are left out", source.id, source.name, A_DAY
    )
    if source.held_since is None:
        with database.write() as conn:
            reason = f"it tells more than {A_DAY:,} new articles a day; further ones are left out"
            sources.change(conn, source_id, held_since=at, held_reason=reason)
    return room


def release(database: Database, source_id: SourceId, *, alert: bool, age_limit: timedelta) -> Released | None:
    """Hold a feed no longer; None when there is no such source.

    With `alert`, readers are alerted of what came meanwhile, unless it has become too old.
    """
    with database.write() as conn:
        source = sources.by_id(conn, source_id)
        if source is None:
            return None
        if source.held_since is None:
            return Released(source_id=source_id, changed=False, alerted=0)
        at = now(conn)
        sources.change(conn, source_id, held_since=None, held_reason="")
        kept = holding.kept_back(conn, source_id, since=source.held_since) if alert else []
        fresh = [
            one.article_id
            for one in kept
            if not too_old_to_alert(published_at=one.published_at, first_seen_at=one.seen_at, now=at, limit=age_limit)
        ]
        holding.let_alert(conn, fresh)
    return Released(source_id=source_id, changed=True, alerted=len(fresh))
