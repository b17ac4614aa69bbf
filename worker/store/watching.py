"""The statements by which people steer what is watched: find a source by its address, list some, add many, start anew.

Never fetches, and never decides what may be changed: `intake.run_sources` and `run_lists` do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Row

from worker.feeds import SourceState
from worker.model import SourceId
from worker.store.database import now
from worker.store.schema import Article, Source, SourceHealth
from worker.store.sources import host_of

# What is known of an address, and says nothing of another one.
_OF_AN_ADDRESS: Final[Mapping[str, Any]] = {
    "etag": "",
    "last_modified": "",
    "body_hash": "",
    "refreshed_at": None,
    "moved_to": "",
    "moved_count": 0,
    "moved_since": None,
    "bears_s": None,
    "last_status": None,
    "manners": None,
    "poll_every_s": None,
    "format": "",
}


def with_addresses(conn: Connection) -> Sequence[Row[Any]]:
    """Return all sources that have an address, also those that were removed, with all their columns, by number."""
    return conn.execute(sa.select(Source.__table__).where(Source.url.is_not(None)).order_by(Source.id)).all()


def at_host(conn: Connection, url: str) -> Sequence[Row[Any]]:
    """Return the sources at an address' host, also those that were removed, with all their columns, by number."""
    named = (Source.host == host_of(url), Source.url.is_not(None))
    return conn.execute(sa.select(Source.__table__).where(*named).order_by(Source.id)).all()


def listed(
    conn: Connection,
    *,
    after: int,
    limit: int,
    state: SourceState | None = None,
    failing: bool | None = None,
    held: bool | None = None,
) -> Sequence[Row[Any]]:
    """Return some of the sources that are watched, with all their columns, by number, from behind `after` on."""
    wanted: list[ColumnElement[bool]] = [Source.id > after, Source.state != SourceState.REMOVED]
    if state is not None:
        wanted.append(Source.state == state)
    if failing is not None:
        wanted.append((Source.failures > 0) == failing)
    if held is not None:
        wanted.append(Source.held_since.is_not(None) if held else Source.held_since.is_(None))
    return conn.execute(sa.select(Source.__table__).where(*wanted).order_by(Source.id).limit(limit)).all()


def add_many(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add polled sources, each with its `name` and `url`, all due now unless their `state` says otherwise."""
    at = now(conn)
    made = {"kind": "feed", "outlet": "", "created_at": at, "next_poll_at": at}
    complete = [{**made, "host": host_of(row["url"]), **row} for row in rows]
    names = sorted({name for row in complete for name in row})
    defaults = {name: Source.__table__.c[name].default for name in names}
    filled = [{name: row.get(name, _value(defaults[name])) for name in names} for row in complete]
    if filled:
        conn.execute(sa.insert(Source), filled)


def _value(default: Any) -> Any:  # noqa: ANN401  a column's, of any type
    return default.arg if default is not None else None


def pause(conn: Connection, source_id: SourceId, *, reason: str) -> None:
    """Poll a source no more until it is begun again."""
    _end(conn, source_id, SourceState.PAUSED, reason)


def remove(conn: Connection, source_id: SourceId, *, reason: str) -> None:
    """Poll a source never again. Its row stays, for its articles' sake."""
    _end(conn, source_id, SourceState.REMOVED, reason)
    conn.execute(sa.delete(SourceHealth).where(SourceHealth.source_id == source_id))


def _end(conn: Connection, source_id: SourceId, state: SourceState, reason: str) -> None:
    ended = {"state": state, "state_since": now(conn), "state_reason": reason}
    _change(conn, source_id, **ended, next_poll_at=None, claimed_until=None)


def begin_again(conn: Connection, source_id: SourceId) -> None:
    """Poll a source again, at once and as if it had never failed."""
    at = now(conn)
    active = {"state": SourceState.ACTIVE, "state_since": at, "state_reason": "", "next_poll_at": at}
    _change(conn, source_id, **active, claimed_until=None, failures=0, last_error="")


def move(conn: Connection, source_id: SourceId, url: str) -> None:
    """Give a source another address, of which nothing is known yet; it is due now if it is polled at all."""
    moved = {"url": url, "host": host_of(url), **_OF_AN_ADDRESS, "failures": 0, "last_error": "", "claimed_until": None}
    _change(conn, source_id, **moved)
    make_due(conn, [source_id])


def make_due(conn: Connection, source_ids: Sequence[SourceId]) -> None:
    """Let sources be polled at once, unless they are not polled at all."""
    polled = (Source.id.in_(source_ids), Source.state == SourceState.ACTIVE, Source.url.is_not(None))
    conn.execute(sa.update(Source).where(*polled).values(next_poll_at=now(conn), claimed_until=None))


def article_count(conn: Connection, source_id: SourceId) -> int:
    """Return how many articles of a source are stored."""
    count = sa.select(sa.func.count()).select_from(Article).where(Article.source_id == source_id)
    return conn.execute(count).scalar_one()


def _change(conn: Connection, source_id: SourceId, **values: Any) -> None:  # noqa: ANN401  column values by name
    conn.execute(sa.update(Source).where(Source.id == source_id).values(**values))
