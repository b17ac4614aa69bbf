"""Stores what we are told, and has its consequences drawn: once for each event, whoever comes first.

Storing is quick and all that a webhook waits for; `settle` follows when its bell rings, or with a sweep. A process that
dies in between leaves the event unsettled, and the next sweep goes on. Called by the webhooks' door, the intake of
returned mail, and `tasks`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.exc import OperationalError

from worker.errors import UnprovenError
from worker.feedback.run_consequences import Means, draw, draw_plain
from worker.hearsay import EventKind, FeedbackEvent
from worker.store import events, house
from worker.store.database import Database, now

log = logging.getLogger(__name__)

_KEEPS: Final = timedelta(days=180)
_AT_ONCE: Final = 100
_NO_NEWS: Final = frozenset({EventKind.INBOUND})
_ENGAGEMENT: Final = frozenset({EventKind.OPENED, EventKind.CLICKED})


class Feedback:
    """Listens to providers and to returned mail.

    Who opens or clicks is the reader's own business: such events are not kept, unless `keeps_engagement`. All others
    are, for as long as `keeps` says.
    """

    def __init__(
        self, database: Database, means: Means, *, keeps: timedelta = _KEEPS, keeps_engagement: bool = False
    ) -> None:
        self._database, self._means, self._keeps = database, means, keeps
        self._unwanted = _NO_NEWS if keeps_engagement else _NO_NEWS | _ENGAGEMENT

    def store(
        self, heard: Sequence[tuple[FeedbackEvent, str]], *, received_at: datetime | None = None, once: str = ""
    ) -> int:
        """Keep events with their raw form, durably, and return how many are new.

        `received_at` is what they were read with, this moment if not given. `once` is a word that may come again only
        with what it came with first: raises `UnprovenError`, and keeps nothing, otherwise.
        """
        wanted = [(event, raw) for event, raw in heard if event.kind not in self._unwanted]
        if not (wanted or once):
            return 0
        with self._database.write() as conn:
            new = events.put(conn, wanted, received_at=received_at or now(conn))
            if once and not house.use_once(conn, once) and new:
                raise UnprovenError("its signature was used before, for something else")
        return len(new)

    def settle(self, *, limit: int = 1_000) -> int:
        """Draw the consequences of up to `limit` events, and return of how many. Any number may run at once."""
        with self._database.read() as conn:
            waiting = events.unsettled(conn, limit=limit)
        groups = [waiting[first : first + _AT_ONCE] for first in range(0, len(waiting), _AT_ONCE)]
        return sum(self._settle_together(group) for group in groups)

    def let_go(self, *, limit: int = 5_000) -> int:
        """Delete events that are older than anybody asks about, and return how many. Suppressions stay."""
        with self._database.write() as conn:
            return events.let_go(conn, before=now(conn) - self._keeps, limit=limit)

    def _settle_together(self, ids: Sequence[int]) -> int:
        """Settle some in one transaction, which is quicker; when that fails, each in its own, to find out which."""
        try:
            with self._database.write() as conn:
                plain = draw_plain(conn, ids, self._means)
                return len(plain) + sum(draw(conn, event_id, self._means) for event_id in ids if event_id not in plain)
        except Exception:  # noqa: BLE001  whatever it was, the one that it is about meets it again, and tells
            return sum(self._settle_alone(event_id) for event_id in ids)

    def _settle_alone(self, event_id: int) -> bool:
        try:
            with self._database.write() as conn:
                return draw(conn, event_id, self._means)
        except OperationalError:  # the database is away: no fault of the event's
            raise
        except Exception as error:
            log.exception("event %d leads to nothing; it is kept", event_id)
            with self._database.write() as conn:
                events.note(conn, event_id, settled_at=now(conn), outcome=f"{events.FAILED}: {type(error).__name__}")
            return False
