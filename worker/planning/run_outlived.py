"""Finds what a long pause has outlived: stories that came within it, before the weeks that planning looks back over.

Nobody sends them any more; this writes down for whom. Runs inside the caller's transaction, before the pause is over
for planning. Called by the runs that tell a reader of a pause: `run_serving` and `run_away`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from worker.model import Lapse, SubscriberId, TopicId
from worker.store import debtors, owed, seen
from worker.store import news as reading
from worker.store.omissions import Omitted
from worker.store.seen import SEEN_FOR

MOST: Final = 1_000  # stories that are written down for one reader, the latest


def outlived(conn: Connection, back: Mapping[SubscriberId, Mapping[TopicId, int]], *, at: datetime) -> list[Omitted]:
    """Return what readers who are back have missed for good.

    `back` has the cursors from which this run serves each reader, by topic: what they follow beside it is found here.
    """
    terms = debtors.terms(conn, list(back), at=at)
    began = {reader: one.paused_at for reader, one in terms.items() if one.paused_at and one.paused_at < at - SEEN_FOR}
    if not began:
        return []
    follows, found = debtors.follows(conn, list(began)), []
    for reader, paused_at in began.items():
        cursors = {one.topic_id: one.cursor for one in follows.get(reader, ())} | dict(back[reader])
        stories = reading.outlived(conn, cursors, since=paused_at, until=at - SEEN_FOR, limit=MOST)
        if stories:
            # For another topic they may have been shown before the pause, or be owed from then.
            known = seen.of(conn, reader, reader, stories, since=paused_at - SEEN_FOR, at=at).get(reader, {})
            owing = owed.of(conn, reader, reader).get(reader, {})
            found.append(Omitted(reader, Lapse.AWAY, sorted({*stories} - known.keys() - owing.keys())))
    return found
