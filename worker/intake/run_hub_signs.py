"""Looks at what polling finds with a hub's eyes: which hubs a document names, and what they should have pushed.

One transaction after a poll; speaks with nobody. Called by `run_polling` and, for what no push has told in time, by
`tasks`.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row

from worker.feeds import ParsedFeed
from worker.hubs import LIVE, HubState
from worker.intake.polling import Push
from worker.intake.websub import (
    ABSENCES_BORNE,
    GRACE,
    MISSES_BORNE,
    Offer,
    choose,
    could_have_been_pushed,
    offers,
)
from worker.intake.websub_links import header_links
from worker.model import ArticleId, SourceId
from worker.store import websub
from worker.store.database import Database, now

log = logging.getLogger(__name__)

_MOST_SUSPECTS: Final = 100


class HubSigns:
    """What polling tells of hubs, for one installation. `base_url` is None where hubs are not to be asked."""

    def __init__(self, database: Database, *, base_url: str | None, signing_key: str, allow_private: bool) -> None:
        self._database, self._base_url = database, base_url
        self._signing_key, self._allow_private = signing_key, allow_private

    def push_of(self, source_id: SourceId) -> Push | None:
        """Return how a source's pushes do, as polling's pace wants to know it; None where there are none to rely on."""
        with self._database.read() as conn:
            return self.pushes_of(conn, [source_id], at=now(conn)).get(source_id)

    def pushes_of(self, conn: Connection, ids: Sequence[SourceId], *, at: datetime) -> dict[SourceId, Push]:
        """Return the same for those of several sources that have pushes to rely on."""
        pushes = {SourceId(row.source_id): _push(row, at) for row in websub.active_of(conn, ids)}
        return {source_id: push for source_id, push in pushes.items() if push is not None}

    def after_poll(
        self,
        source: Row[Any],
        *,
        document: ParsedFeed | None,
        link: Sequence[str],
        url: str,
        new: Collection[ArticleId],
    ) -> None:
        """Note what a poll has shown. `source` is as it was before the poll, `new` what the poll has stored.

        `document` is None where nothing had changed, `link` its Link headers, and `url` where it came from.
        """
        if self._base_url is None or source.url is None:
            return
        offered: tuple[Offer, ...] | None = None
        if document is not None:
            hubs, topic = header_links(link)  # they come first (section 4)
            offered = offers(hubs or document.hubs, topic or document.topic, url=url, allow_private=self._allow_private)
        with self._database.read() as conn:
            known = websub.of_source(conn, SourceId(source.id))
        if not known and not offered:
            return
        with self._database.write() as conn:
            if offered is not None:
                self._choose(conn, source, offered)
            if new:
                self._suspect(conn, source, new)

    def judge(self) -> int:
        """Count as misses what no push has told in time; return how many subscriptions have missed something."""
        with self._database.read() as conn:
            if not websub.overdue_suspects(conn):
                return 0
        with self._database.write() as conn:
            rows = websub.overdue_suspects(conn)
            for row in rows:
                self._count_misses(conn, row)
        return len(rows)

    def _choose(self, conn: Connection, source: Row[Any], offered: Sequence[Offer]) -> None:
        known = websub.of_source(conn, SourceId(source.id))
        live = next((row for row in known if row.state in LIVE), None)
        if not offered:
            for row in known:
                if row.absences + 1 >= ABSENCES_BORNE:
                    websub.leave(conn, row.id)
                else:
                    websub.change(conn, row.id, states=[row.state], absences=row.absences + 1)
            return
        refused = [_offer(row) for row in known if row.state is HubState.REFUSED]
        chosen = choose(offered, current=_offer(live) if live else None, refused=refused)
        for row in known:
            if row is live and _offer(row) != chosen:
                websub.leave(conn, row.id)
            elif _offer(row) not in offered:
                websub.leave(conn, row.id)  # it had refused, and is not named any more
            elif row.absences:
                websub.change(conn, row.id, states=[row.state], absences=0)
        if chosen is not None and (live is None or _offer(live) != chosen):
            wish = {"hub": chosen.hub, "topic": chosen.topic, "base_url": self._base_url or ""}
            websub.want(conn, SourceId(source.id), **wish, signing_key=self._signing_key)

    def _suspect(self, conn: Connection, source: Row[Any], new: Collection[ArticleId]) -> None:
        row = _live(conn, SourceId(source.id))
        if row is None or row.state is not HubState.ACTIVE:
            return
        announced = row.last_thin_at is not None and source.last_ok_at is not None
        if announced and row.last_thin_at > source.last_ok_at and row.missed_in_a_row:
            websub.change(conn, row.id, states=[HubState.ACTIVE], missed_in_a_row=0)  # it has told us to come
        if not could_have_been_pushed(
            verified_at=row.verified_at, polled_before=source.last_ok_at, thin_at=row.last_thin_at
        ):
            return
        suspects = [*(row.suspects or ()), *websub.new_items(conn, new)][:_MOST_SUSPECTS]
        if suspects:
            until = row.suspects_until or now(conn) + GRACE
            websub.change(conn, row.id, states=[HubState.ACTIVE], suspects=suspects, suspects_until=until)

    def _count_misses(self, conn: Connection, row: Row[Any]) -> None:
        missed = len(row.suspects or ())
        in_a_row = row.missed_in_a_row + bool(missed)
        values: dict[str, Any] = {"suspects": None, "suspects_until": None}
        values |= {"misses": row.misses + missed, "missed_in_a_row": in_a_row}
        if in_a_row == MISSES_BORNE:
            values["next_try_at"] = now(conn)  # perhaps it has forgotten us
            log.warning("the hub %s misses news of source %s: polled at its own pace again", row.hub, row.source_id)
            websub.poll_soon(conn, SourceId(row.source_id), at=now(conn))
        websub.change(conn, row.id, states=[row.state], **values)


def _live(conn: Connection, source_id: SourceId) -> Row[Any] | None:
    return next((row for row in websub.of_source(conn, source_id) if row.state in LIVE), None)


def _offer(row: Row[Any]) -> Offer:
    return Offer(hub=row.hub, topic=row.topic)


def told_by_source(database: Database) -> Mapping[SourceId, dict[str, Any]]:
    """Return each source's subscription as operators are told of it; nothing for a source without one."""
    with database.read() as conn:
        rows, at = websub.newest(conn), now(conn)
    return {source_id: _told(row, at) for source_id, row in rows.items()}


def _told(row: Row[Any], at: datetime) -> dict[str, Any]:
    names = ("hub", "topic", "state", "lease_until", "last_push_at", "pushes", "forged", "misses", "last_error")
    push = _push(row, at)
    misses = row.missed_in_a_row >= MISSES_BORNE
    wrong = "its hub misses news" if misses else "its hub refuses us" if row.state is HubState.REFUSED else ""
    return {name: getattr(row, name) for name in names} | {
        "relied_on": push is not None and push.is_reliable,
        "wrong": wrong,
    }


def _push(row: Row[Any], at: datetime) -> Push | None:
    if row.state is not HubState.ACTIVE or row.lease_until is None or row.lease_until <= at:
        return None
    missed = row.missed_in_a_row
    return Push(last_push_at=row.last_push_at, misses=missed if missed >= MISSES_BORNE else 0)
