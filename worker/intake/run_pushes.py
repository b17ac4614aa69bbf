"""Reads what hubs have pushed, and has intake take it in as if it had been polled.

A push is claimed, read, taken in, and only then let go of: a worker that dies in between loses nothing, and what is
taken in twice is known the second time. What cannot be read has its source polled instead. Called by `tasks`.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Row

from worker.adapters.sources.files import read_feed
from worker.errors import InputError
from worker.hubs import LIVE
from worker.intake.identity import item_key
from worker.intake.pages import items_of
from worker.intake.run import Intake
from worker.intake.run_pages import before_pages, stored_items
from worker.model import ArticleId, ParsedArticle, SourceId
from worker.store import pushes, sources, websub
from worker.store.database import AWAY, Database, now

log = logging.getLogger(__name__)

_AT_ONCE: Final = 8
_CLAIM_S: Final = 120.0
_ATTEMPTS: Final = 3


class PushReader:
    """Reads the pushes of one installation."""

    def __init__(self, database: Database, intake: Intake) -> None:
        self._database, self._intake = database, intake

    def take_in(self) -> list[ArticleId]:
        """Take in some of what waits, the oldest first, and return the articles that are to be matched.

        Empty too when nothing waits: `has_more` tells.
        """
        with self._database.write() as conn:
            claimed = pushes.claim(conn, limit=_AT_ONCE, claim_s=_CLAIM_S)
        changed: list[ArticleId] = []
        for push in claimed:
            try:
                changed += self._take_in(push)
            except AWAY:  # the database is away: what is claimed comes again
                raise
            except Exception:  # whatever one push does must not cost the others
                log.exception("the push %d breaks us; it is tried again", push.id)
        return changed

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
            found = read_feed(push.body, url=row.topic, content_type=push.content_type).articles
            changed = self._taken_in(source, found)
        except InputError as error:
            log.warning("source %s: a push cannot be read, and the source is polled instead: %s", source.name, error)
            with self._database.write() as conn:
                websub.poll_soon(conn, SourceId(source.id), at=now(conn))
            self._drop(push)
            return []
        self._note(push, row, source, found, changed)
        return changed

    def _taken_in(self, source: Row[Any], found: Sequence[ParsedArticle]) -> list[ArticleId]:
        if not source.pages:
            taken = self._intake.take_feed(source, found)
            if taken.broken:  # a poll hands them in again
                with self._database.write() as conn:
                    websub.poll_soon(conn, SourceId(source.id), at=now(conn))
            return list(taken.articles)
        items = items_of(found, lang=source.lang)
        with self._database.read() as conn:
            paged = before_pages(items, stored_items(conn, SourceId(source.id), items))
        changed = list(self._intake.take_feed(source, paged.articles, pages=paged.pages).articles)
        with self._database.write() as conn:
            websub.poll_soon(conn, SourceId(source.id), at=now(conn))  # a poll fetches the pages
        return changed

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
