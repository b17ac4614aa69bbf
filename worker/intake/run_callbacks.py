"""Answers what hubs say at our callbacks: questions of intent, denials, pushes. Stores, and reads no push.

One short transaction each; what is pushed is read by a worker (`run_pushes`), never by the process that answers the
hub. A push whose signature holds and that cannot be kept, for whatever reason, has its source polled at once: nothing
is lost by it. Called by the web.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Row

from worker.errors import printable
from worker.hubs import LIVE, HubState
from worker.intake.run_websub import secret_of
from worker.intake.websub import LEASE, Reply, lease_of, refused_for, renew_in, reply_to
from worker.model import SourceId
from worker.store import pushes, sources, websub
from worker.store.database import Database, now
from worker.tokens import Tokens

log = logging.getLogger(__name__)

MOST_WAITING: Final = 8
"""Pushes of one subscription that wait to be read; further ones only have its source polled."""

_LONGEST_REASON: Final = 300
_POLL_APART: Final = timedelta(minutes=1)  # a hub may not have us ask its publisher without pause


@dataclass(frozen=True, kw_only=True, slots=True)
class Awaited:
    """A subscription that its hub may push to, with the secret that it signs with."""

    number: int
    secret: str


class Callbacks:
    """What is behind the callbacks of one installation."""

    def __init__(self, database: Database, tokens: Tokens) -> None:
        self._database, self._tokens = database, tokens

    def answer(self, number: int, *, mode: str, topic: str, lease: str, reason: str) -> Reply:
        """Settle a hub's question about one subscription (sections 5.2 and 5.3)."""
        with self._database.read() as conn:
            row = websub.by_id(conn, number)
        length = lease_of(lease)
        if row is None or (mode == "subscribe" and length is None):
            return Reply.REFUSE
        reply = reply_to(
            mode, state=HubState(row.state), has_asked=row.asked_at is not None, is_our_topic=topic == row.topic
        )
        done = False
        match reply:
            case Reply.CONFIRM:
                done = self._confirm(row, length or LEASE)
            case Reply.GOODBYE:
                done = self._end(row)
            case Reply.DENIED:
                done = self._note_denial(row, printable(reason)[:_LONGEST_REASON])
            case Reply.REFUSE:
                pass
        return reply if done else Reply.REFUSE

    def awaited(self, number: int) -> Awaited | None:
        """Return the subscription that a hub pushes to; None where we want nothing of it any more."""
        with self._database.read() as conn:
            row = websub.by_id(conn, number)
        if row is None or row.state not in LIVE or row.asked_at is None:
            return None
        secret = secret_of(row, self._tokens)
        return Awaited(number=number, secret=secret) if secret else None

    def keep(self, number: int, body: bytes, *, content_type: str) -> bool:
        """Keep a push whose signature holds, to be read; False when nothing waits, and its source is polled instead.

        An empty body only says that there is something (a thin ping), and so does one that is too much to keep.
        """
        with self._database.write() as conn:
            kept = bool(body) and pushes.keep(conn, number, body, content_type=content_type, most=MOST_WAITING)
            websub.count_push(conn, number, is_thin=not kept)
        if not kept:
            self.poll_instead(number)
        return kept

    def count_forged(self, number: int) -> None:
        """Note a push whose signature does not hold; it is ignored (section 7.1.2)."""
        log.warning("a push for the subscription %d is not signed as its hub would: ignored", number)
        with self._database.write() as conn:
            websub.count_forged(conn, number)

    def poll_instead(self, number: int) -> None:
        """Have the source polled at once, but not within a minute of its last poll."""
        with self._database.read() as conn:  # a flood that is turned away comes here: it is to keep no writer waiting
            row = websub.by_id(conn, number)
            source = sources.by_id(conn, SourceId(row.source_id)) if row is not None and row.source_id else None
            at = now(conn)
        if source is None or source.next_poll_at is None:
            return
        soonest = max(at, source.last_polled_at + _POLL_APART) if source.last_polled_at else at
        if source.next_poll_at > soonest:
            with self._database.write() as conn:
                websub.poll_soon(conn, SourceId(source.id), at=soonest)

    def _confirm(self, row: Row[Any], lease: timedelta) -> bool:
        with self._database.write() as conn:
            at = now(conn)
            # An active one keeps its first word: what was published since then should have been pushed.
            first = row.verified_at if row.state is HubState.ACTIVE and row.verified_at else at
            return websub.change(
                conn,
                row.id,
                states=LIVE,
                state=HubState.ACTIVE,
                verified_at=first,
                lease_until=at + lease,
                next_try_at=at + renew_in(lease),
                failures=0,
                last_error="",
            )

    def _end(self, row: Row[Any]) -> bool:
        with self._database.write() as conn:
            ended = {"state": HubState.ENDED, "next_try_at": None, "lease_until": None}
            return websub.change(conn, row.id, states=[HubState.LEAVING], **ended)

    def _note_denial(self, row: Row[Any], reason: str) -> bool:
        log.warning("the hub %s denies source %s its subscription: %s", row.hub, row.source_id, reason or "no reason")
        with self._database.write() as conn:
            at = now(conn)
            denied = websub.change(
                conn,
                row.id,
                states=(*LIVE, HubState.REFUSED),
                state=HubState.REFUSED,
                lease_until=None,
                next_try_at=at + refused_for(row.failures),
                last_error=f"denied: {reason}" if reason else "denied",
            )
            if denied and row.state is HubState.ACTIVE and row.source_id:
                websub.poll_soon(conn, SourceId(row.source_id), at=at)
        return denied
