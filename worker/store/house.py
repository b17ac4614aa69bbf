"""The statements over the installation itself: numbers in commit order, facts, heartbeats, API keys, one-time links."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.store.database import insert_for, now, upsert
from worker.store.schema import ApiKey, Audit, Counter, Heartbeat, Installation, TokenUse

MATCH_SEQ = "match_seq"
TOPICS_GENERATION = "topics_generation"
NEWS_GENERATION = "news_generation"  # drawn when stories change under planners: killed, corrected, updated
SHOWN_OF_KEY: Final = 12
_USE_IS_NOTED_EVERY: Final = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyHolder:
    """Who asks by API, and what they may. `rate_per_minute` None is as many requests as they like.

    `use_is_noted` tells that the last use that was written down is not long ago.
    """

    name: str
    scopes: frozenset[str]
    rate_per_minute: int | None = None
    use_is_noted: bool = True


def draw(conn: Connection, name: str, count: int = 1) -> range:
    """Take the next `count` numbers of a counter.

    The counter's row stays locked until the transaction ends, so numbers become visible in their own order and a
    reader's cursor can never pass one that is still to come.
    """
    start = insert_for(conn, Counter).values(name=name, value=count)
    last = conn.execute(
        start.on_conflict_do_update(
            index_elements=["name"], set_={"value": Counter.value + start.excluded.value}
        ).returning(Counter.value)
    ).scalar_one()
    return range(last - count + 1, last + 1)


def hold(conn: Connection, name: str) -> None:
    """Make all others that draw from a counter wait until this transaction ends; draw nothing."""
    draw(conn, name, 0)


def reached(conn: Connection, name: str) -> int:
    """Return the last number that a counter has given out, 0 before the first."""
    return conn.execute(sa.select(Counter.value).where(Counter.name == name)).scalar() or 0


def beat(conn: Connection, name: str) -> None:
    """Note that `name` is alive."""
    upsert(conn, Heartbeat, {"name": name, "at": now(conn)}, key=("name",))


def heartbeats(conn: Connection) -> dict[str, datetime]:
    """Return when each part of the house was last alive."""
    return dict(conn.execute(sa.select(Heartbeat.name, Heartbeat.at)).all())


def fact(conn: Connection, name: str) -> str | None:
    """Return a fact of the installation, None before it is known."""
    return conn.execute(sa.select(Installation.value).where(Installation.name == name)).scalar()


def set_fact(conn: Connection, name: str, value: str) -> None:
    """Write a fact of the installation down."""
    upsert(conn, Installation, {"name": name, "value": value}, key=("name",))


def use_once(conn: Connection, token: str) -> bool:
    """Mark a link as used; False when it was before."""
    used = conn.execute(
        insert_for(conn, TokenUse)
        .values(token_hash=hashlib.sha256(token.encode()).hexdigest(), used_at=now(conn))
        .on_conflict_do_nothing(index_elements=["token_hash"])
        .returning(TokenUse.token_hash)  # an INSERT's rowcount is told by SQLite only
    )
    return used.first() is not None


def put_api_key(
    conn: Connection,
    *,
    name: str,
    key: str,
    scopes: list[str],
    rate_per_minute: int | None = None,
    expires_at: datetime | None = None,
) -> None:
    """Store an API key's hash under its name, in place of an earlier one of that name."""
    values: dict[str, Any] = {"name": name, "key_hash": _key_hash(key), "prefix": key[:SHOWN_OF_KEY], "scopes": scopes}
    values |= {"rate_per_minute": rate_per_minute, "created_at": now(conn), "expires_at": expires_at}
    upsert(conn, ApiKey, {**values, "last_used_at": None, "revoked_at": None}, key=("name",))


def holder_of(conn: Connection, key: str) -> KeyHolder | None:
    """Return who holds an API key, None when there is no such key, or it is over.

    Keys are random and long, so a plain hash finds them in constant time without making them guessable.
    """
    query = sa.select(ApiKey.name, ApiKey.scopes, ApiKey.rate_per_minute, ApiKey.last_used_at)
    is_known = (ApiKey.key_hash == _key_hash(key), ApiKey.revoked_at.is_(None))
    at = now(conn)
    row = conn.execute(query.where(*is_known, sa.or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > at))).first()
    if row is None:
        return None
    is_fresh = row.last_used_at is not None and at - row.last_used_at < _USE_IS_NOTED_EVERY
    return KeyHolder(
        name=row.name, scopes=frozenset(row.scopes), rate_per_minute=row.rate_per_minute, use_is_noted=is_fresh
    )


def note_use(conn: Connection, name: str) -> None:
    """Note that an API key is in use."""
    conn.execute(sa.update(ApiKey).where(ApiKey.name == name).values(last_used_at=now(conn)))


def api_keys(conn: Connection) -> list[dict[str, Any]]:
    """Return what is known of all API keys, by name; a key itself nobody knows."""
    query = sa.select(ApiKey.name, ApiKey.prefix, ApiKey.scopes, ApiKey.rate_per_minute, ApiKey.created_at)
    query = query.add_columns(ApiKey.expires_at, ApiKey.last_used_at, ApiKey.revoked_at).order_by(ApiKey.name)
    return [dict(row._mapping) for row in conn.execute(query)]  # noqa: SLF001  Row's documented view


def revoke_api_key(conn: Connection, name: str) -> bool:
    """End an API key for good; False when there is none of that name that could be ended."""
    mine = (ApiKey.name == name, ApiKey.revoked_at.is_(None))
    return conn.execute(sa.update(ApiKey).where(*mine).values(revoked_at=now(conn))).rowcount == 1


def note(conn: Connection, *, actor: str, action: str, subject: str, **detail: Any) -> None:  # noqa: ANN401  plain JSON values
    """Write down who did what by hand: `actor` is a person at a terminal or an API key's name, never an address."""
    conn.execute(sa.insert(Audit).values(at=now(conn), actor=actor, action=action, subject=subject, detail=detail))


def notes(conn: Connection, subject: str) -> list[tuple[datetime, str, str, dict[str, Any]]]:
    """Return what was done by hand to a subject: when, by whom, what, and the particulars, in order."""
    query = sa.select(Audit.at, Audit.actor, Audit.action, Audit.detail).where(Audit.subject == subject)
    return [(at, actor, action, detail) for at, actor, action, detail in conn.execute(query.order_by(Audit.id))]


def _key_hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
