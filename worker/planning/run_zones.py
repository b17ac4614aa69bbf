"""Moves readers' next runs when the rules of their zone have changed: the wall-clock time stays, the instant does not.

A zone's data are known by their print, which the installation keeps. Called by an hourly sweep; safe to repeat.
"""

from __future__ import annotations

import hashlib
import zoneinfo
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Final

from worker.model import Cadence, SubscriptionId
from worker.planning.run_newsletter_zones import move_newsletters
from worker.schedule import next_due
from worker.store import house, newsletters, upkeep
from worker.store.database import Database, now
from worker.store.upkeep import Scheduled

_SLICE: Final = 1_000
_REACH: Final = timedelta(hours=36)  # no change of rules moves a wall-clock time by more than a day


def review_zones(database: Database, *, at: datetime | None = None) -> int:
    """Look for zones whose rules have changed since the last time, and return how many runs have moved."""
    with database.read() as conn:
        zones = sorted({*upkeep.zones(conn), *(one.timezone for one in newsletters.scheduled(conn))})
        known = {zone: house.fact(conn, _fact(zone)) for zone in zones}
    moved = 0
    for zone in zones:
        found = print_of(zone)
        if found is None or found == known[zone]:
            continue
        zoneinfo.ZoneInfo.clear_cache(only_keys=[zone])
        if known[zone] is not None:
            moved += _move(database, zone, at=at) + move_newsletters(database, zone, at=at)
        with database.write() as conn:  # last: whoever dies before begins anew, and moves nothing twice
            house.set_fact(conn, _fact(zone), found)
    return moved


def print_of(zone: str) -> str | None:
    """Return what tells one version of a zone's rules from another; None when there are no data of it."""
    for root in zoneinfo.TZPATH:
        file = Path(root) / zone
        if file.is_file():
            return hashlib.sha256(file.read_bytes()).hexdigest()
    packaged = resources.files("tzdata") / "zoneinfo" / zone
    return hashlib.sha256(packaged.read_bytes()).hexdigest() if packaged.is_file() else None


def nearest(one: Scheduled, zone: str) -> datetime:
    """Return the occurrence by the rules as they are that is nearest to when a run was due by those that were."""
    old = one.next_due_at
    found: list[datetime] = []
    after = old - _REACH
    while not found or found[-1] <= old:
        due = next_due(Cadence(one.cadence), times=one.times, weekday=one.weekday, timezone=zone, after=after)
        if due is None:  # pragma: no cover  immediate subscriptions are never due
            return old
        found.append(due)
        after = due
    return min(found, key=lambda due: abs(due - old))


def _move(database: Database, zone: str, *, at: datetime | None) -> int:
    moved, after = 0, SubscriptionId(0)
    while True:
        with database.write() as conn:
            some = upkeep.scheduled(conn, zone, at=at or now(conn), after=after, limit=_SLICE)
            if not some:
                return moved
            for one in some:
                due = nearest(one, zone)
                moved += due != one.next_due_at and upkeep.reschedule(conn, one, due)
        after = some[-1].subscription_id


def _fact(zone: str) -> str:
    return f"zone {zone}"
