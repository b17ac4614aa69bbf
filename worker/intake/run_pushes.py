"""Reads what hubs have pushed, and has intake take it in as if it had been polled.

A push is claimed, read, taken in, and only then let go of: a worker that dies in between loses nothing, and what is
taken in twice is known the second time. What cannot be read has its source polled instead. It is read in a process of
its own, and for seconds at most: any feed may name any hub, and who reads pushes also plans mails. Called by `tasks`.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Row

from worker.adapters.sources.reader_pool import ReaderPool, TooSlowError
from worker.adapters.sources.reader_wire import What
from worker.errors import InputError
from worker.feeds import ParsedFeed
from worker.hubs import LIVE, HubState
from worker.intake.identity import item_key
from worker.intake.run import Intake
from worker.intake.websub import refused_for
from worker.model import ArticleId, ParsedArticle, SourceId
from worker.store import pushes, sources, websub
from worker.store.database import AWAY, Database, now

log = logging.getLogger(__name__)

_AT_ONCE: Final = 8
_CLAIM_S: Final = 120.0
_ATTEMPTS: Final = 3
_KEPT_OFF: Final = timedelta(days=3)
_READ_S: Final = 5.0  # of one push; an ordinary one of the most bytes takes a tenth of it
_TURN_S: Final = 5.0  # of all together, after which others have theirs


class PushReader:
    """Reads the pushes of one installation."""

    def __init__(self, database: Database, intake: Intake, *, read_s: float = _READ_S) -> None:
        self._database, self._intake, self._read_s = database, intake, read_s

    def take_in(self) -> list[ArticleId]:
        """Take in some of what waits, the oldest first, and return the articles that are to be matched.

        Empty too when nothing waits: `has_more` tells.
        """
        changed: list[ArticleId] = []
        ends_s = time.monotonic() + _TURN_S
        for _ in range(_AT_ONCE):
            with self._database.write() as conn:  # one at a time: what there is no time for stays free
                claimed = pushes.claim(conn, limit=1, claim_s=_CLAIM_S)
            for push in claimed:
                try:
                    changed += self._take_in(push)
                except AWAY:  # the database is away: what is claimed comes again
                    raise
                except Exception:  # whatever one push does must not cost the others
                    log.exception("the push %d breaks us; it is tried again", push.id)
            if not claimed or time.monotonic() > ends_s:
                break
        return changed

    def close(self) -> None:
        """End the process that reads."""
        if "_readers" in self.__dict__:
            self._readers.close()

    @functools.cached_property
    def _readers(self) -> ReaderPool:
        return ReaderPool(most=1, slowly_s=self._read_s)

    def has_more(self) -> bool:
        """Return whether a push waits that nobody has claimed."""
        with self._database.read() as conn:
            return pushes.unclaimed(conn)

    def _take_in(self, push: Row[Any]) -> list[ArticleId]:
        with self._database.read() as conn:
            row = websub.by_id(conn, push.websub_id)
            source = sources.by_id(conn, SourceId(row.source_id)) if row is not None and row.source_id else None
        if row is None or source is None or row.state not in LIVE:
            self._drop(push)
            return []
        if source.pages:  # what fetches its articles' own pages is polling
            with self._database.write() as conn:
                websub.change(conn, row.id, states=LIVE, last_thin_at=now(conn))
                websub.poll_soon(conn, SourceId(source.id), at=now(conn))
            self._drop(push)
            return []
        changed: list[ArticleId] = []
        try:
            if push.attempts > _ATTEMPTS:
                raise InputError("it has broken whoever read it")  # noqa: TRY301  as if it could not be read
            found = self._read(push, url=row.topic).articles
            changed = self._taken_in(source, found)
        except TooSlowError as error:
            self._refuse(row, source, error)
            self._drop(push)
            return []
        except InputError as error:
            log.warning(
                "source %d, %s: a push cannot be read, and the source is polled instead: %s",
                source.id,
                source.name,
                error,
            )
            self._poll_soon(source)
            self._drop(push)
            return []
        self._note(push, row, source, found, changed)
        return changed

    def _read(self, push: Row[Any], *, url: str) -> ParsedFeed:
        how = {"url": url, "content_type": push.content_type}
        feed: ParsedFeed = self._readers.read(What.FEED, push.body, is_doubtful=True, **how).result()
        return feed

    def _refuse(self, row: Row[Any], source: Row[Any], error: InputError) -> None:
        """Take nothing of a hub for days that pushes what nobody can read in time; the source is polled meanwhile."""
        log.warning(
            "source %d, %s: nothing that its hub %s pushes is taken any more: %s",
            source.id,
            source.name,
            row.hub,
            error,
        )
        with self._database.write() as conn:
            at = now(conn)
            refused: dict[str, Any] = {"state": HubState.REFUSED, "lease_until": None, "last_error": error.message}
            refused["next_try_at"] = at + max(refused_for(row.failures + 1), _KEPT_OFF)
            websub.change(conn, row.id, states=LIVE, **refused)
            websub.poll_soon(conn, SourceId(source.id), at=at)

    def _taken_in(self, source: Row[Any], found: Sequence[ParsedArticle]) -> list[ArticleId]:
        taken = self._intake.take_feed(source, found)
        if not taken.is_whole:  # a poll hands them in again
            self._poll_soon(source)
        return list(taken.articles)

    def _poll_soon(self, source: Row[Any]) -> None:
        with self._database.write() as conn:
            websub.poll_soon(conn, SourceId(source.id), at=now(conn))

    def _note(
        self,
        push: Row[Any],
        row: Row[Any],
        source: Row[Any],
        found: Iterable[ParsedArticle],
        changed: Collection[ArticleId],
    ) -> None:
        told = {item_key(article) for article in found}
        with self._database.write() as conn:
            pushes.drop(conn, push.id)
            current = websub.by_id(conn, row.id) or row
            suspects = [key for key in current.suspects or () if key not in told]
            values: dict[str, Any] = {"suspects": suspects or None}
            values |= {} if suspects else {"suspects_until": None}
            if changed or len(suspects) < len(current.suspects or ()):
                values["missed_in_a_row"] = 0  # it tells news, and in time
            websub.change(conn, row.id, states=LIVE, **values)
            if changed:
                sources.change(conn, SourceId(source.id), last_news_at=now(conn))

    def _drop(self, push: Row[Any]) -> None:
        with self._database.write() as conn:
            pushes.drop(conn, push.id)
