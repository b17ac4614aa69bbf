"""The statements over subscriptions at WebSub hubs. Never speaks with a hub, and never decides when to: intake does."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row

from worker.feeds import SourceState
from worker.hubs import LIVE, HubState
from worker.model import ArticleId, SourceId
from worker.store.database import insert_for, now
from worker.store.schema import Article, HubSubscription, Source

_UNENDED = (*LIVE, HubState.REFUSED)


def of_source(conn: Connection, source_id: SourceId) -> Sequence[Row[Any]]:
    """Return a source's subscriptions that are live or refused, the live one first; there is one such at most."""
    live_first = sa.case((HubSubscription.state.in_(LIVE), 0), else_=1)
    return conn.execute(
        sa.select(HubSubscription.__table__)
        .where(HubSubscription.source_id == source_id, HubSubscription.state.in_(_UNENDED))
        .order_by(live_first, HubSubscription.id.desc())
    ).all()


def active_of(conn: Connection, ids: Collection[SourceId]) -> Sequence[Row[Any]]:
    """Return the active subscriptions of several sources."""
    query = sa.select(HubSubscription.__table__)
    query = query.where(HubSubscription.source_id.in_(list(ids)), HubSubscription.state == HubState.ACTIVE)
    return conn.execute(query).all()


def newest(conn: Connection) -> Mapping[SourceId, Row[Any]]:
    """Return what is to be told of each source's subscription: its live one, or else the last that was refused."""
    rows = conn.execute(
        sa.select(HubSubscription.__table__)
        .where(HubSubscription.source_id.is_not(None), HubSubscription.state.in_(_UNENDED))
        .order_by(HubSubscription.state.in_(LIVE), HubSubscription.id)
    ).all()
    return {SourceId(row.source_id): row for row in rows}  # the last one wins: a live one


def by_id(conn: Connection, number: int) -> Row[Any] | None:
    """Find a subscription, whatever has become of it."""
    return conn.execute(sa.select(HubSubscription.__table__).where(HubSubscription.id == number)).first()


def want(conn: Connection, source_id: SourceId, *, hub: str, topic: str, base_url: str, signing_key: str) -> int | None:
    """Note that a source's subscription at a hub is wanted; None when it has a live one by now."""
    at = now(conn)
    statement = insert_for(conn, HubSubscription).values(
        source_id=source_id,
        hub=hub,
        topic=topic,
        base_url=base_url,
        signing_key=signing_key,
        state=HubState.WANTED,
        created_at=at,
        next_try_at=at,
    )
    live = sa.text("state IN ('wanted', 'asked', 'active')")
    kept = statement.on_conflict_do_nothing(index_elements=["source_id"], index_where=live)
    return conn.execute(kept.returning(HubSubscription.id)).scalar()


def leave(conn: Connection, number: int) -> None:
    """Have a hub told that we want no more; where it has never been asked, or has refused, there is nothing to tell."""
    knows = sa.and_(HubSubscription.asked_at.is_not(None), HubSubscription.state != HubState.REFUSED)
    conn.execute(
        sa.update(HubSubscription)
        .where(HubSubscription.id == number, HubSubscription.state.in_(_UNENDED))
        .values(
            state=sa.case((knows, sa.literal(HubState.LEAVING.value)), else_=sa.literal(HubState.ENDED.value)),
            next_try_at=sa.case((knows, now(conn))),
            failures=0,
            suspects=None,
            suspects_until=None,
        )
    )


def leave_strays(conn: Connection, *, base_url: str | None) -> int:
    """Leave the subscriptions of sources that are not polled any more, and under other base URLs; return how many.

    With None for a base URL, leave all.
    """
    strays = list(conn.execute(_strays(base_url).limit(500)).scalars())
    for number in strays:
        leave(conn, number)
    return len(strays)


def has_strays(conn: Connection, *, base_url: str | None) -> bool:
    """Return whether `leave_strays` would find any."""
    return conn.execute(_strays(base_url).limit(1)).first() is not None


def _strays(base_url: str | None) -> sa.Select[int]:
    no_source = sa.or_(HubSubscription.source_id.is_(None), Source.state != SourceState.ACTIVE, Source.url.is_(None))
    ends = sa.true() if base_url is None else sa.or_(no_source, HubSubscription.base_url != base_url)
    return (
        sa.select(HubSubscription.id)
        .outerjoin(Source, Source.id == HubSubscription.source_id)
        .where(HubSubscription.state.in_(_UNENDED), ends)
    )


def due(conn: Connection, *, limit: int) -> Sequence[Row[Any]]:
    """Return the subscriptions whose hub is to be asked, the longest due first."""
    return conn.execute(
        sa.select(HubSubscription.__table__)
        .where(HubSubscription.next_try_at <= now(conn))
        .order_by(HubSubscription.next_try_at)
        .limit(limit)
    ).all()


def claim(conn: Connection, row: Row[Any], **values: Any) -> bool:  # noqa: ANN401  column values by name
    """Take a due subscription on, by changing when it is next due; False when somebody else was first."""
    unchanged = (HubSubscription.next_try_at == row.next_try_at) & (HubSubscription.state == row.state)
    return _changed(conn, row.id, unchanged, values)


def change_asked(
    conn: Connection,
    number: int,
    *,
    asked_at: datetime,
    states: Collection[HubState],
    **values: Any,  # noqa: ANN401  as above
) -> bool:
    """Note what became of a request, unless the hub has said more meanwhile, or it has been asked again."""
    same = (HubSubscription.asked_at == asked_at) & HubSubscription.state.in_(states)
    unsettled = HubSubscription.failures > 0  # the hub's question puts it to 0
    return _changed(conn, number, same & unsettled, values)


def change(conn: Connection, number: int, *, states: Collection[HubState], **values: Any) -> bool:  # noqa: ANN401  as above
    """Set columns of a subscription that is in one of these states; False when it is not."""
    return _changed(conn, number, HubSubscription.state.in_(states), values)


def count_push(conn: Connection, number: int, *, is_thin: bool = False) -> None:
    """Note that a hub has pushed."""
    at = now(conn)
    thin = {"last_thin_at": at} if is_thin else {}
    _changed(conn, number, sa.true(), {"pushes": HubSubscription.pushes + 1, "last_push_at": at, **thin})


def count_forged(conn: Connection, number: int) -> None:
    """Note that somebody has pushed without a signature that holds."""
    _changed(conn, number, sa.true(), {"forged": HubSubscription.forged + 1})


def overdue_suspects(conn: Connection) -> Sequence[Row[Any]]:
    """Return the subscriptions whose suspects no push has told within the grace."""
    return conn.execute(
        sa.select(HubSubscription.__table__).where(HubSubscription.suspects_until <= now(conn)).limit(500)
    ).all()


def new_items(conn: Connection, article_ids: Collection[ArticleId]) -> list[str]:
    """Return the item keys of those articles that are no updates of known ones."""
    return list(
        conn.execute(
            sa.select(Article.item_key).where(Article.id.in_(list(article_ids)), Article.revision == 1)
        ).scalars()
    )


def poll_soon(conn: Connection, source_id: SourceId, *, at: datetime) -> None:
    """Have a source polled at a moment, unless it would be sooner anyway; one that is being polled, once more."""
    later = sa.or_(Source.next_poll_at > at, Source.claimed_until > now(conn))  # a poll under way came too early
    conn.execute(
        sa.update(Source)
        .where(Source.id == source_id, Source.state == SourceState.ACTIVE, later)
        .values(next_poll_at=at)
    )


def forget(conn: Connection, *, before: datetime) -> int:
    """Delete subscriptions that have ended, and were last asked about long ago; return how many."""
    old = sa.func.coalesce(HubSubscription.asked_at, HubSubscription.created_at) < before
    ended = (HubSubscription.state == HubState.ENDED) & old
    return conn.execute(sa.delete(HubSubscription).where(ended)).rowcount


def counts(conn: Connection) -> Mapping[str, int]:
    """Return how many subscriptions are in each state, and the sums of what came of all of them."""
    told = {
        str(state): count
        for state, count in conn.execute(
            sa.select(HubSubscription.state, sa.func.count()).group_by(HubSubscription.state)
        ).all()
    }
    sums = (HubSubscription.pushes, HubSubscription.forged, HubSubscription.misses)
    found = conn.execute(sa.select(*(sa.func.coalesce(sa.func.sum(column), 0) for column in sums))).one()
    return told | dict(zip(("pushes", "forged", "misses"), map(int, found), strict=True))


def _changed(conn: Connection, number: int, condition: sa.ColumnElement[bool], values: Mapping[str, Any]) -> bool:
    statement = sa.update(HubSubscription).where(HubSubscription.id == number, condition).values(**values)
    return conn.execute(statement).rowcount == 1
