"""What a source may ask of its pollers, and how far it is obeyed: its ttl, its caches' freshness, its hours of rest.

Pure. A source's wish is a lower bound and counts up to our ceiling, so that a misset cache does not silence a paper;
its hours of rest count for a day at most. Also the jitter that keeps ten thousand sources out of step. `polling` calls
it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from worker.feeds import Manners
from worker.intake.pace import Pace
from worker.model import SourceId

DAY: Final = timedelta(days=1)
SPREAD: Final = 0.1
"""By how much at most a wait is stretched, as a share of it."""


def asked_s(manners: Manners, *, fresh_s: float | None, gap: float, pace: Pace) -> float:
    """Return the seconds that a source wants to be left alone after an answer, as far as we obey; 0 for no wish.

    `fresh_s` is for how long its caches would repeat this very answer (RFC 9111, section 4.2): to ask earlier is in
    vain. A document's own word (RSS `ttl`, `sy:updatePeriod`) is a template's as often as a person's, WordPress writes
    "hourly" into every feed: where the source is seen to publish more often than it says, its word counts up to the
    usual pace only.

    >>> hourly = Manners(every_s=3600)
    >>> asked_s(hourly, fresh_s=None, gap=7200, pace=Pace()), asked_s(hourly, fresh_s=120, gap=600, pace=Pace())
    (3600, 300.0)
    >>> asked_s(Manners(every_s=7 * 86_400), fresh_s=None, gap=86_400 * 9, pace=Pace(ceiling_s=1800))
    1800
    """
    said = manners.every_s or 0.0
    if gap < said:
        said = min(said, pace.usual_s)
    return min(max(said, fresh_s or 0.0, 0.0), pace.most_s)


def awake(manners: Manners, at: datetime, *, now: datetime) -> datetime:
    """Return `at`, or when the source's skipHours and skipDays that it falls into end: a day from `now` at the latest.

    Hours and days are UTC, as RSS 2.0 has them (skipHours, skipDays). A feed that excludes every hour or every day is
    not taken at its word.

    >>> night = Manners(skip_hours=frozenset({22, 23, 0, 1, 2, 3, 4}))
    >>> at = datetime(2026, 11, 23, 22, 10, tzinfo=UTC)
    >>> awake(night, at, now=at).isoformat()
    '2026-11-24T05:00:00+00:00'
    >>> awake(Manners(skip_hours=frozenset(range(24))), at, now=at) == at
    True
    """
    hours = manners.skip_hours if len(manners.skip_hours) < 24 else frozenset()
    days = manners.skip_days if len(manners.skip_days) < 7 else frozenset()
    latest = max(now + DAY, at)
    moment = at.astimezone(UTC)
    while (moment.hour in hours or moment.weekday() in days) and moment < latest:
        moment = moment.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return min(moment, latest)


def jitter(source_id: SourceId, at: datetime) -> float:
    """Return a number from 0 up to 1 that is the same for the same source and moment, and like chance for others.

    >>> noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    >>> jitter(SourceId(1), noon) == jitter(SourceId(1), noon), jitter(SourceId(1), noon) == jitter(SourceId(2), noon)
    (True, False)
    """
    drawn = hashlib.blake2b(f"{source_id} {at.timestamp()}".encode(), digest_size=4).digest()
    return int.from_bytes(drawn) / 2**32


def stretched(wait_s: float, drawn: float) -> float:
    """Return a wait that is up to a tenth longer, by what `jitter` has drawn.

    >>> stretched(100, 0.5)
    105.0
    """
    return wait_s * (1 + SPREAD * drawn)


def written(manners: Manners) -> dict[str, Any]:
    """Return manners as the database keeps them.

    >>> written(Manners(every_s=60, skip_days=frozenset({6, 5})))
    {'every_s': 60, 'skip_hours': [], 'skip_days': [5, 6]}
    """
    return {
        "every_s": manners.every_s,
        "skip_hours": sorted(manners.skip_hours),
        "skip_days": sorted(manners.skip_days),
    }


def read(kept: Mapping[str, Any] | None) -> Manners:
    """Read what `written` wrote; none asks for nothing.

    >>> read(written(Manners(every_s=60))) == Manners(every_s=60), read(None) == Manners()
    (True, True)
    """
    kept = kept or {}
    return Manners(
        every_s=kept.get("every_s"),
        skip_hours=frozenset(kept.get("skip_hours", ())),
        skip_days=frozenset(kept.get("skip_days", ())),
    )
