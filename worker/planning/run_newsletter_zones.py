"""Moves newsletters' issues when the rules of a zone have changed: the wall-clock time stays, the instant does not.

Called by `run_zones` for a zone whose data have changed. Safe to repeat.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from worker.model import Timing
from worker.recurrence import nearest_occurrence
from worker.store import newsletters
from worker.store.database import Database, now


def move_newsletters(database: Database, zone: str, *, at: datetime | None = None) -> int:
    """Put what is due in a zone where its rules now have it, and return how many issues and readers have moved."""
    moved = 0
    with database.write() as conn:
        moment = at or now(conn)
        for one in newsletters.scheduled(conn):
            rule, starts_on, due_at = one.schedule, one.starts_on, one.next_due_at
            if starts_on is None:
                continue
            if one.timing is Timing.READER:
                for old in newsletters.instants_in(conn, one.id, zone, after=moment):
                    new = nearest_occurrence(rule, starts_on=starts_on, zone=ZoneInfo(zone), to=old)
                    if new is not None and new != old:
                        moved += newsletters.move_in(conn, one.id, zone, was=old, to=new)
            elif one.timezone == zone and due_at is not None and due_at > moment:
                new = nearest_occurrence(rule, starts_on=starts_on, zone=ZoneInfo(zone), to=due_at)
                if new is not None and new != due_at:
                    moved += newsletters.reschedule(conn, one, new)
    return moved
