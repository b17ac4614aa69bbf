"""The statements over requests of the API that may be repeated: claimed by one of those who send them, answered once.

Never decides what a request is, or what it is answered: the door does, and gives keyed hashes only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.store.database import insert_for, now
from worker.store.schema import Request

ANSWERS_KEPT: Final = timedelta(hours=24)
CLAIM_LASTS: Final = timedelta(minutes=2)
"""Who has not answered by then has died: no request of the API may take so long."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What is known of a request by its key. `status` is None as long as it is not answered."""

    fingerprint: str
    status: int | None
    headers: dict[str, str]
    body: str


def begin(conn: Connection, key_hash: str, *, fingerprint: str, claim: str) -> Told | None:
    """Make a request ours to answer, None; or return what is known of it, where it is, or was, somebody else's.

    One whose answer is too old, or that somebody has left unanswered for too long, begins anew.
    """
    at = now(conn)
    row = {"fingerprint": fingerprint, "claim": claim, "claimed_at": at, "status": None, "headers": {}, "body": ""}
    is_over = sa.or_(
        Request.claimed_at < at - ANSWERS_KEPT,
        sa.and_(Request.status.is_(None), Request.claimed_at < at - CLAIM_LASTS),
    )
    statement = insert_for(conn, Request).values(key_hash=key_hash, **row)
    taken = statement.on_conflict_do_update(index_elements=["key_hash"], set_=row, where=is_over)
    if conn.execute(taken.returning(Request.id)).first() is not None:
        return None
    columns = (Request.fingerprint, Request.status, Request.headers, Request.body)
    found = conn.execute(sa.select(*columns).where(Request.key_hash == key_hash)).first()
    if found is None:  # pragma: no cover  let go between the two statements, on PostgreSQL only
        return begin(conn, key_hash, fingerprint=fingerprint, claim=claim)
    return Told(**found._mapping)  # noqa: SLF001  Row's documented view


def answer(conn: Connection, key_hash: str, *, claim: str, status: int, headers: dict[str, str], body: str) -> None:
    """Keep what a request of ours was answered."""
    mine = (Request.key_hash == key_hash, Request.claim == claim)
    conn.execute(sa.update(Request).where(*mine).values(status=status, headers=headers, body=body))


def let_go(conn: Connection, key_hash: str, *, claim: str) -> None:
    """Forget a request of ours that has come to nothing: it may be sent again."""
    conn.execute(sa.delete(Request).where(Request.key_hash == key_hash, Request.claim == claim))
