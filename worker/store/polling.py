"""The statements that give a host's turn to one poller at a time, and take it back from a dead one.

A turn is a claim on some sources of one host; a host of which anybody holds a source is left alone by all others, in
this process or on another machine. A claim counts until `claimed_until`, which is also its token: it grows with every
claim, so that whoever has lost one changes nothing any more. Never fetches. Called by the intake room.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import BindParameter, ColumnElement, Connection, Row
from sqlalchemy.orm import aliased

from worker.feeds import SourceState
from worker.model import SourceId
from worker.store.database import now
from worker.store.schema import Source

CLAIM_S: Final = 60.0
"""How long a claim counts that nobody renews: a killed poller's hosts are free again by then."""

_LOCKED_FOR: Final = 0x70C51  # says that an advisory lock of PostgreSQL's is about a host's turn
_NOT_SEEN: Final = 8  # due sources that are looked at for each host that is wanted: some hosts have many


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """A host in one poller's hands: `sources` in the order in which they are due, with all their columns, never none.

    `until` is the claim's token, `taken_at` when it was taken.
    """

    host: str
    taken_at: datetime
    until: datetime
    sources: Sequence[Row[Any]]


def take(
    conn: Connection, *, hosts: int, each: int, failing: bool | None = None, ids: Collection[SourceId] | None = None
) -> list[Turn]:
    """Take the turns of hosts that are free, the most overdue first: of each at most `each` of its due sources.

    `failing` chooses those whose last poll has failed or that have never answered yet, or the others. With `ids` these
    sources are taken, whether they are due or not, and whatever their state.
    """
    at = now(conn)
    wanted = [_is_free(at), *_chosen(at, failing, ids)]
    found = _free_hosts(conn, wanted, hosts)
    if not found:
        return []
    until = at + timedelta(seconds=CLAIM_S)
    rank = sa.func.row_number().over(partition_by=Source.host, order_by=(Source.next_poll_at, Source.id))
    # In a statement of its own: PostgreSQL then sees what those have claimed who held a host's lock before us.
    ranked = sa.select(Source.id, rank.label("rank")).where(Source.host.in_(found), *wanted).subquery()
    claimed = (
        sa.update(Source)
        .where(Source.id.in_(sa.select(ranked.c.id).where(ranked.c.rank <= each)))
        .values(claimed_until=until)
        .returning(*Source.__table__.c)
    )
    by_host: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in conn.execute(claimed):
        by_host[row.host].append(row)
    turns = (
        Turn(host=host, taken_at=at, until=until, sources=sorted(by_host[host], key=_order))
        for host in found
        if by_host[host]
    )
    return list(turns)


def is_any_due(conn: Connection) -> bool:
    """Tell whether there may be a turn to take; cheap, and changes nothing."""
    at = now(conn)
    return conn.execute(sa.select(sa.exists().where(_is_free(at), *_chosen(at, None, None)))).scalar_one()


def renew(conn: Connection, held: Mapping[SourceId, datetime]) -> dict[SourceId, datetime]:
    """Keep claims, by their tokens, and return the new tokens of those that still are ours."""
    until = now(conn) + timedelta(seconds=CLAIM_S)
    by_token: dict[datetime, list[SourceId]] = defaultdict(list)
    for source_id, token in held.items():
        by_token[token].append(source_id)
    kept: dict[SourceId, datetime] = {}
    for token, ids in by_token.items():
        renewed = sa.update(Source).where(Source.id.in_(ids), Source.claimed_until == token)
        renewed = renewed.values(claimed_until=max(until, token + timedelta(microseconds=1))).returning(
            Source.id, Source.claimed_until
        )
        kept |= {SourceId(row.id): row.claimed_until for row in conn.execute(renewed)}
    return kept


def give_back(conn: Connection, held: Mapping[SourceId, datetime]) -> None:
    """End claims, by their tokens, as if nothing had been polled."""
    for source_id, token in held.items():
        mine = sa.update(Source).where(Source.id == source_id, Source.claimed_until == token)
        conn.execute(mine.values(claimed_until=None))


def settle(conn: Connection, polled: Iterable[tuple[Row[Any], datetime, Mapping[str, Any]]]) -> None:
    """Write down what became of sources, and give them back.

    Each is the source as it was claimed, its claim's token, and columns by name. A source that was deleted, claimed by
    somebody else or given another address meanwhile stays as it is; one that was wished for meanwhile stays due then.
    """
    by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for source, token, values in polled:
        row = {"the_id": source.id, "the_token": token, "the_url": source.url, "the_turn": source.next_poll_at}
        row |= {f"new_{name}": value for name, value in values.items()}
        by_columns[tuple(sorted(values))].append(row)
    for names, rows in by_columns.items():
        statement = (
            sa.update(Source)
            .where(
                Source.id == sa.bindparam("the_id"),
                Source.claimed_until == sa.bindparam("the_token"),
                Source.url == sa.bindparam("the_url"),
            )
            .values({**{name: sa.bindparam(f"new_{name}") for name in names}, "claimed_until": None})
        )
        if "next_poll_at" in names:
            statement = statement.values(next_poll_at=_unless_wished_for(sa.bindparam("new_next_poll_at")))
        conn.execute(statement, rows)


def _unless_wished_for(chosen: BindParameter[datetime | None]) -> ColumnElement[datetime | None]:
    """Return when a source is polled next: as chosen, or sooner where that was wished for after it was claimed."""
    turn = Source.next_poll_at
    wished = sa.and_(turn.is_distinct_from(sa.bindparam("the_turn")), turn < chosen)
    return sa.case((wished, turn), else_=chosen)


def _chosen(at: datetime, failing: bool | None, ids: Collection[SourceId] | None) -> list[ColumnElement[bool]]:
    if ids is not None:
        return [Source.id.in_(list(ids)), Source.url.is_not(None)]
    is_failing = sa.or_(Source.failures > 0, Source.last_ok_at.is_(None))
    which = [] if failing is None else [is_failing if failing else sa.not_(is_failing)]
    return [Source.next_poll_at <= at, Source.state == SourceState.ACTIVE, Source.url.is_not(None), *which]


def _is_free(at: datetime) -> ColumnElement[bool]:
    """Return the condition that nobody holds a source of this one's host.

    A claim further ahead than any can be was made before the clock was set back, and counts no longer.
    """
    other = aliased(Source)
    ends = other.claimed_until
    held = sa.and_(ends.is_not(None), ends > at, ends <= at + timedelta(seconds=2 * CLAIM_S))
    return Source.host.not_in(sa.select(other.host).where(held))


def _free_hosts(conn: Connection, wanted: Sequence[ColumnElement[bool]], limit: int) -> list[str]:
    """Return hosts that have something to poll and that nobody is about to claim, the most overdue first."""
    overdue = sa.select(Source.host).where(*wanted).order_by(Source.next_poll_at).limit(limit * _NOT_SEEN)
    found = list(dict.fromkeys(conn.execute(overdue).scalars()))[:limit]
    if conn.dialect.name == "sqlite" or not found:  # BEGIN IMMEDIATE: nobody else claims at this moment
        return found
    host = sa.func.unnest(sa.cast(found, sa.ARRAY(sa.Text))).column_valued("host")
    locked = sa.func.pg_try_advisory_xact_lock(_LOCKED_FOR, sa.func.hashtext(host))
    free = set(conn.execute(sa.select(host).where(locked)).scalars())
    return [host for host in found if host in free]


def _order(row: Row[Any]) -> tuple[bool, datetime | None, int]:
    return (row.next_poll_at is None, row.next_poll_at, row.id)
