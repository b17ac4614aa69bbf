"""The statements over the newspaper's endpoints and what of the outbox they have been told.

One process at a time tells an endpoint: its lease has a fence, as a batch's has. What is recorded of a message is a
compare-and-set on its number of tries, so that a holder who comes too late changes nothing. Never decides: the
notifying room does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection

from worker.holder import is_gone
from worker.store.database import now
from worker.store.leases import Holder
from worker.store.schema import WebhookEndpoint, WebhookMessage
from worker.tidings import Message, MessageState

LEASE: Final = timedelta(seconds=90)
"""For longer than the slowest round takes: 30 seconds, and 15 more for what was begun in the last of them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """An endpoint as people look after it; its secrets are asked for by themselves."""

    id: int
    url: str
    types: list[str]
    with_addresses: bool
    allow_private: bool
    created_at: datetime
    disabled_at: datetime | None
    disabled_reason: str
    failing_since: datetime | None
    last_ok_at: datetime | None
    last_error: str
    old_secret_until: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What became of one try. `next_attempt_at` is none when the message has ended."""

    message: Message
    state: MessageState
    next_attempt_at: datetime | None
    code: int | None
    error: str


_ENDPOINT: Final = tuple(getattr(WebhookEndpoint, name) for name in Endpoint.__slots__)
_MESSAGE: Final = tuple(getattr(WebhookMessage, name) for name in Message.__slots__)


def add(conn: Connection, *, url: str, types: Sequence[str], secret: str, **flags: bool) -> int:
    """Store an endpoint, which hears of what happens from now on, and return its number."""
    values = {"url": url, "types": list(types), "secret": secret, "created_at": now(conn), **flags}
    return conn.execute(sa.insert(WebhookEndpoint).values(**values).returning(WebhookEndpoint.id)).scalar_one()


def all_of_them(conn: Connection) -> list[Endpoint]:
    """Return every endpoint, the oldest first."""
    rows = conn.execute(sa.select(*_ENDPOINT).order_by(WebhookEndpoint.id))
    return [Endpoint(**row._mapping) for row in rows]  # noqa: SLF001  Row's documented view


def by_id(conn: Connection, endpoint_id: int) -> Endpoint | None:
    """Find an endpoint."""
    row = conn.execute(sa.select(*_ENDPOINT).where(WebhookEndpoint.id == endpoint_id)).first()
    return Endpoint(**row._mapping) if row else None  # noqa: SLF001  Row's documented view


def change(conn: Connection, endpoint_id: int, **values: Any) -> bool:  # noqa: ANN401  column values by name
    """Set columns of an endpoint; False when there is none."""
    done = conn.execute(sa.update(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id).values(**values))
    return done.rowcount == 1


def remove(conn: Connection, endpoint_id: int) -> bool:
    """Forget an endpoint and all that it was to be told; False when there is none."""
    its = WebhookMessage.endpoint_id == endpoint_id
    _hold(conn, its)
    conn.execute(sa.delete(WebhookMessage).where(its))
    return conn.execute(sa.delete(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id)).rowcount == 1


def secrets_of(conn: Connection, endpoint_id: int) -> tuple[str, ...]:
    """Return what signs an endpoint's messages now, the newest first."""
    columns = (WebhookEndpoint.secret, WebhookEndpoint.old_secret, WebhookEndpoint.old_secret_until)
    row = conn.execute(sa.select(*columns).where(WebhookEndpoint.id == endpoint_id)).one()
    is_old_good = row.old_secret and row.old_secret_until and row.old_secret_until > now(conn)
    return (row.secret, row.old_secret) if is_old_good else (row.secret,)


def rotate(conn: Connection, endpoint_id: int, *, secret: str, keeps: timedelta) -> bool:
    """Put a new secret before the old one, which signs too for a while; False when there is no such endpoint."""
    values = {"old_secret": WebhookEndpoint.secret, "old_secret_until": now(conn) + keeps, "secret": secret}
    return change(conn, endpoint_id, **values)


# Telling -------------------------------------------------------------------------------------------------------------


def claim_due(conn: Connection, holder: Holder) -> list[tuple[int, int]]:
    """Take endpoints that have something to be told and that nobody tells; return numbers and fences.

    A lease counts no longer when it has run out, or lies further ahead than any lease can (the clock was set back), or
    when its holder is a dead process of this very boot.
    """
    at = now(conn)
    columns = (WebhookEndpoint.id, WebhookEndpoint.fence, WebhookEndpoint.lease_until)
    query = sa.select(*columns, WebhookEndpoint.holder, WebhookEndpoint.boot)
    query = query.where(WebhookEndpoint.disabled_at.is_(None), sa.exists().where(*_due(WebhookEndpoint.id, at)))
    claimed = []
    for row in conn.execute(query.order_by(WebhookEndpoint.id)).all():
        is_held = row.lease_until is not None and at < row.lease_until <= at + LEASE
        if is_held and not (row.boot == holder.boot and is_gone(row.holder)):
            continue
        lease = {"fence": row.fence + 1, "lease_until": at + LEASE, "holder": holder.name, "boot": holder.boot}
        if _as_holder(conn, row.id, row.fence, **lease):
            claimed.append((row.id, row.fence + 1))
    return claimed


def renew(conn: Connection, endpoint_id: int, fence: int) -> Endpoint | None:
    """Keep a lease, and return the endpoint as it is now; None when it is ours no longer, or is switched off."""
    if not _as_holder(conn, endpoint_id, fence, lease_until=now(conn) + LEASE):
        return None
    found = by_id(conn, endpoint_id)
    return found if found and found.disabled_at is None else None


def release(conn: Connection, endpoint_id: int, fence: int) -> None:
    """Give an endpoint back."""
    _as_holder(conn, endpoint_id, fence, lease_until=None)


def due(conn: Connection, endpoint_id: int, *, limit: int) -> list[Message]:
    """Return what an endpoint is to be told now, what has waited longest first."""
    query = sa.select(*_MESSAGE).where(*_due(endpoint_id, now(conn)))
    rows = conn.execute(query.order_by(WebhookMessage.next_attempt_at, WebhookMessage.id).limit(limit))
    return [Message(**row._mapping) for row in rows]  # noqa: SLF001  Row's documented view


def record(conn: Connection, tries: Iterable[Told]) -> None:
    """Write down what became of tries; in order of id, as erasure goes, so that nobody waits in a circle."""
    at = now(conn)
    for told in sorted(tries, key=lambda one: one.message.id):
        as_read = (WebhookMessage.id == told.message.id, WebhookMessage.attempts == told.message.attempts)
        conn.execute(
            sa.update(WebhookMessage)
            .where(*as_read, WebhookMessage.next_attempt_at.is_not(None))
            .values(
                state=told.state,
                attempts=told.message.attempts + 1,
                next_attempt_at=told.next_attempt_at,
                ended_at=at if told.next_attempt_at is None else None,
                code=told.code,
                error=told.error,
            )
        )


def try_again(conn: Connection, endpoint_id: int, *, since: datetime | None = None) -> int:
    """Have everything that is not delivered tried at once, from the first try on; return how many messages."""
    undelivered = [WebhookMessage.endpoint_id == endpoint_id, WebhookMessage.state != MessageState.DELIVERED]
    if since is not None:
        undelivered.append(WebhookMessage.occurred_at >= since)
    _hold(conn, *undelivered)
    anew = {"state": MessageState.PENDING, "attempts": 0, "next_attempt_at": now(conn), "ended_at": None}
    return conn.execute(sa.update(WebhookMessage).where(*undelivered).values(**anew)).rowcount


def messages(
    conn: Connection, endpoint_id: int, *, state: MessageState | None = None, before: int | None = None, limit: int
) -> list[dict[str, Any]]:
    """Return what became of an endpoint's messages, the newest first, without what they say."""
    columns = [column for column in WebhookMessage.__table__.columns if column.name not in {"data", "occasion"}]
    query = sa.select(*columns).where(WebhookMessage.endpoint_id == endpoint_id)
    if state is not None:
        query = query.where(WebhookMessage.state == state)
    if before is not None:
        query = query.where(WebhookMessage.id < before)
    rows = conn.execute(query.order_by(WebhookMessage.id.desc()).limit(limit))
    return [dict(row._mapping) for row in rows]  # noqa: SLF001  Row's documented view


def figures(conn: Connection) -> dict[int, dict[MessageState, int]]:
    """Return how many messages of each state every endpoint has."""
    query = sa.select(WebhookMessage.endpoint_id, WebhookMessage.state, sa.func.count())
    counted: dict[int, dict[MessageState, int]] = {}
    for endpoint_id, state, count in conn.execute(query.group_by(WebhookMessage.endpoint_id, WebhookMessage.state)):
        counted.setdefault(endpoint_id, {})[state] = count
    return counted


def open_ones(conn: Connection) -> dict[int, dict[MessageState, int]]:
    """Return how many messages of every endpoint wait, and how many are given up: by small indexes, however many went.

    The condition is spelt out, so that both databases see which index will do.
    """
    counted: dict[int, dict[MessageState, int]] = {}
    spelt = {
        MessageState.PENDING: WebhookMessage.next_attempt_at.is_not(None),
        MessageState.FAILED: sa.literal_column("webhook_message.state = 'failed'"),
    }
    for state, condition in spelt.items():
        query = sa.select(WebhookMessage.endpoint_id, sa.func.count()).where(condition)
        for endpoint_id, count in conn.execute(query.group_by(WebhookMessage.endpoint_id)):
            counted.setdefault(endpoint_id, {})[state] = count
    return counted


def waiting_s(conn: Connection) -> dict[int, float]:
    """Return for how long each endpoint's most overdue message has been due; only for endpoints that are told."""
    at = now(conn)
    query = (
        sa.select(WebhookMessage.endpoint_id, sa.func.min(WebhookMessage.next_attempt_at))
        .join(WebhookEndpoint, WebhookEndpoint.id == WebhookMessage.endpoint_id)
        .where(WebhookEndpoint.disabled_at.is_(None), WebhookMessage.next_attempt_at <= at)
        .group_by(WebhookMessage.endpoint_id)
    )
    return {number: (at - eldest).total_seconds() for number, eldest in conn.execute(query) if eldest is not None}


def let_go(conn: Connection, *, before: datetime, limit: int) -> int:
    """Delete messages from before a moment that have ended, or whose endpoint is off; return how many."""
    off = sa.select(WebhookEndpoint.id).where(WebhookEndpoint.disabled_at.is_not(None))
    ended = sa.or_(WebhookMessage.next_attempt_at.is_(None), WebhookMessage.endpoint_id.in_(off))
    eldest = sa.select(WebhookMessage.id).where(WebhookMessage.occurred_at < before, ended).limit(limit)
    return conn.execute(sa.delete(WebhookMessage).where(WebhookMessage.id.in_(eldest))).rowcount


def _hold(conn: Connection, *which: ColumnElement[bool]) -> None:
    """Lock messages in order of id, as `record` and erasure do, so that nobody waits in a circle."""
    conn.execute(sa.select(WebhookMessage.id).where(*which).order_by(WebhookMessage.id).with_for_update()).all()


def _due(endpoint_id: Any, at: datetime) -> tuple[ColumnElement[bool], ...]:  # noqa: ANN401  a number, or a column
    return (WebhookMessage.endpoint_id == endpoint_id, WebhookMessage.next_attempt_at <= at)


def _as_holder(conn: Connection, endpoint_id: int, as_read: int, **values: Any) -> bool:  # noqa: ANN401  as above
    """Change an endpoint if the fence is still this one."""
    ours = (WebhookEndpoint.id == endpoint_id, WebhookEndpoint.fence == as_read)
    return conn.execute(sa.update(WebhookEndpoint).where(*ours).values(**values)).rowcount == 1
