"""Looks at how watched sources are, and tells when one fails, falls silent, or is well again: once, not at each poll.

`healths` answers whoever asks now, and stores nothing; `review` is the sweep that remembers. Polls nothing, and gives
up no source. Called by `tasks`, the pages and the CLI.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row
from sqlalchemy.exc import IntegrityError

from worker.errors import printable
from worker.feeds import SourceCondition
from worker.intake.judge_source import TROUBLES, SourceFacts, Verdict, judge_source, tiding_of
from worker.intake.listing.addresses import without_password
from worker.intake.rhythm import NEWEST, Rhythm, Sighting, measure
from worker.model import SourceId
from worker.store import outbox, source_health
from worker.store.database import Database, now

log = logging.getLogger(__name__)

_MEASURED_EVERY: Final = timedelta(minutes=30)  # a busy source's rhythm is no other after each article
_MEASURED_A_SWEEP: Final = 300  # a few tenths of a second
_KEPT_AT_ONCE: Final = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceHealth:
    """How a source is at the moment. `since` is when that was found out, or as far back as its facts tell."""

    source_id: SourceId
    name: str
    url: str | None
    condition: SourceCondition
    since: datetime
    reason: str
    last_news_at: datetime | None
    rhythm: Rhythm | None

    @property
    def is_trouble(self) -> bool:
        """Tell whether an editor should hear of it."""
        return self.condition in TROUBLES and not self.is_unknown

    @property
    def is_unknown(self) -> bool:
        """Tell whether it was only just added, and not polled yet."""
        return self.condition is SourceCondition.NEVER and not self.reason

    def announced(self) -> dict[str, Any]:
        """Return it as endpoints of the newspaper's are told of it."""
        return {
            "source": self.source_id,
            "name": printable(self.name),
            "url": without_password(self.url) if self.url is not None else None,
            "health": self.condition,
            "since": self.since,
            "reason": printable(self.reason),
            "last_news_at": self.last_news_at,
        }

    def told(self) -> dict[str, Any]:
        """Return it as `tocsin sources list --json` and the API tell it; spans in seconds, None where unknown."""
        rhythm = self.rhythm or Rhythm(articles=0)
        return {
            "health": self.condition,
            "health_since": self.since,
            "health_reason": self.reason,
            "last_news_at": self.last_news_at,
            "lag_p50_s": rhythm.lag_p50_s,
            "lag_p95_s": rhythm.lag_p95_s,
            "gap_s": rhythm.gap_s,
            "longest_gap_s": rhythm.longest_gap_s,
        }


def healths(database: Database, *only: SourceId) -> list[SourceHealth]:
    """Return how every source is now, or some; by id. What was not measured of late is measured, for some hundreds."""
    with database.read() as conn:
        at = now(conn)
        looked_at = [(row, rhythm) for row, rhythm, _ in _rhythms(conn, only, at)]
    return [_health(row, rhythm, at) for row, rhythm in looked_at]


def review(database: Database) -> list[SourceHealth]:
    """Judge every source, remember it, and tell what has become of which; return those whose condition has changed."""
    with database.read() as conn:
        at = now(conn)
        looked_at = [
            (_health(row, rhythm, at), row.condition, is_fresh) for row, rhythm, is_fresh in _rhythms(conn, (), at)
        ]
    # What has not been polled yet is not judged yet: its first failure is then told of.
    news = [one for one in looked_at if (one[0].condition is not one[1] or one[2]) and not one[0].is_unknown]
    changed = []
    for begin in range(0, len(news), _KEPT_AT_ONCE):
        try:
            with database.write() as conn:
                told = [
                    (found, before)
                    for found, before, is_fresh in news[begin : begin + _KEPT_AT_ONCE]
                    if _keep(conn, found, before, at if is_fresh else None) and found.condition is not before
                ]
        except IntegrityError:  # somebody has removed one of them meanwhile: the next sweep goes by what is left
            continue
        for found, before in told:
            _log(found, before)
        changed += [found for found, _ in told]
    return changed


def _keep(conn: Connection, found: SourceHealth, before: SourceCondition | None, measured_at: datetime | None) -> bool:
    """Write down how a source is; False when somebody else has done so since we looked."""
    values: dict[str, Any] = {"condition": found.condition, "since": found.since, "reason": found.reason}
    if measured_at is not None and found.rhythm is not None:
        values |= {"rhythm": found.rhythm.stored(), "measured_at": measured_at}
    is_ours = source_health.keep(conn, found.source_id, before=before, **values)
    tiding = tiding_of(before, found.condition) if is_ours else None
    if tiding is not None:
        outbox.tell_of_source(conn, tiding, **found.announced())
    return is_ours


def _rhythms(
    conn: Connection, only: Collection[SourceId], at: datetime
) -> Iterator[tuple[Row[Any], Rhythm | None, bool]]:
    """Yield sources' facts with their rhythms, and whether these were measured just now."""
    left = _MEASURED_A_SWEEP
    for row in source_health.facts(conn, only):
        known = Rhythm.restored(row.rhythm)
        if left and row.newest_seen_at is not None and _is_out_of_date(row, known, at):
            left -= 1
            yield row, _measured(conn, SourceId(row.id)), True
        else:
            yield row, known, False


def _is_out_of_date(row: Row[Any], known: Rhythm | None, at: datetime) -> bool:
    if known is None or row.measured_at is None:
        return True
    return bool(row.newest_seen_at > row.measured_at) and not timedelta() <= at - row.measured_at < _MEASURED_EVERY


def _measured(conn: Connection, source_id: SourceId) -> Rhythm:
    first = source_health.first_seen_at(conn, source_id)
    rows = source_health.sightings(conn, source_id, limit=NEWEST)
    newest = [Sighting(published_at=row.published_at, seen_at=row.seen_at, dated=row.dated) for row in rows]
    return measure(newest, first_seen_at=first) if first else Rhythm(articles=0)


def _health(row: Row[Any], rhythm: Rhythm | None, at: datetime) -> SourceHealth:
    """Judge a source; what is as it was, is so since then."""
    last_news_at = max(filter(None, (row.last_news_at, row.newest_seen_at)), default=None)
    verdict = judge_source(_facts(row, last_news_at), rhythm, now=at)
    return SourceHealth(
        source_id=SourceId(row.id),
        name=row.name,
        url=row.url,
        condition=verdict.condition,
        since=_since(row, verdict, at),
        reason=verdict.reason,
        last_news_at=last_news_at,
        rhythm=rhythm,
    )


def _since(row: Row[Any], verdict: Verdict, at: datetime) -> datetime:
    if row.condition is verdict.condition:
        return row.since  # type: ignore[no-any-return]  # a row's columns have no types
    is_well_again = row.condition is not None and verdict.condition is SourceCondition.OK
    return at if is_well_again else verdict.since


def _facts(row: Row[Any], last_news_at: datetime | None) -> SourceFacts:
    values = {name: getattr(row, name) for name in SourceFacts.__slots__ if name not in {"is_polled", "last_news_at"}}
    return SourceFacts(is_polled=row.url is not None, last_news_at=last_news_at, **values)


def _log(found: SourceHealth, before: SourceCondition | None) -> None:
    reason = printable(found.reason)
    if found.is_trouble:
        is_never = found.condition is SourceCondition.NEVER
        what = "has not answered yet" if is_never else f"is {found.condition}"
        log.warning("source %d, %s, %s: %s", found.source_id, printable(found.name), what, reason)
    elif before in TROUBLES:
        was = "had never answered" if before is SourceCondition.NEVER else f"was {before}"
        log.info("source %d, %s, %s and is %s", found.source_id, printable(found.name), was, found.condition)
