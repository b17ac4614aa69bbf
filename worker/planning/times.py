"""Decides which run a due instant belongs to, whether it is still worth making, and when the next one is.

Pure. Called by the planning of digests, the deciders and the simulator.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from worker.facts import EditionPlan, Followed
from worker.model import EditionKind, Lane
from worker.schedule import next_due


def digest_plan(
    due_at: datetime, locale: str, *, expires: timedelta = timedelta(0), again_at: datetime | None = None
) -> EditionPlan:
    """Name the run of everybody due at one instant; `again_at` names a second one for those who came too late for it.

    >>> digest_plan(datetime(2026, 11, 23, 7, tzinfo=UTC), "en").slot
    '2026-11-23T07:00:00Z'
    """
    slot = stamp(due_at) if again_at is None else f"{stamp(due_at)} again at {stamp(again_at)}"
    return EditionPlan(
        kind=EditionKind.DIGEST, slot=slot, locale=locale, lane=Lane.BULK, due_at=due_at, expires_at=due_at + expires
    )


def is_stale(due_at: datetime, at: datetime, expires: timedelta) -> bool:
    """Tell whether a missed run is too old to be made up: its stories then wait for the next one.

    >>> is_stale(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC), timedelta(hours=12))
    True
    """
    return at >= due_at + expires


def resumes_after(due_at: datetime, at: datetime, expires: timedelta) -> datetime:
    """Return the instant after which a subscription is due next, when its run of `due_at` is settled at `at`.

    After a long silence the latest run that is still worthwhile is made up, and the earlier ones are not.

    >>> due_at = datetime(2026, 1, 1, 7, tzinfo=UTC)
    >>> [resumes_after(due_at, due_at + timedelta(hours=late), timedelta(hours=12)).isoformat() for late in (1, 30)]
    ['2026-01-01T08:00:00+00:00', '2026-01-02T01:00:00+00:00']
    """
    return at - expires if is_stale(due_at, at, expires) else max(at, due_at)


def following_run(one: Followed, *, after: datetime) -> datetime | None:
    """Return when a subscription is due after the run that has just been made."""
    return next_due(one.cadence, times=one.times, weekday=one.weekday, timezone=one.timezone, after=after)


def local_day(at: datetime, timezone: str) -> date:
    """Return the calendar day that a reader's clock shows.

    >>> local_day(datetime(2026, 11, 23, 22, tzinfo=UTC), "Asia/Seoul")
    datetime.date(2026, 11, 24)
    """
    return at.astimezone(ZoneInfo(timezone)).date()


def stamp(at: datetime) -> str:
    """Write an instant as all our names and reasons do: UTC, to the second where nothing is lost.

    >>> stamp(datetime(2026, 11, 23, 7, tzinfo=UTC))
    '2026-11-23T07:00:00Z'
    """
    return at.astimezone(UTC).isoformat(timespec="microseconds" if at.microsecond else "seconds").replace("+00:00", "Z")
