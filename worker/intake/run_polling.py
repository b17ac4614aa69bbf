"""Polls sources: fetches what is due, has intake take it in, and notes when to come again.

No transaction is open while it fetches. Called by `tasks` and the CLI.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from sqlalchemy import Row

from worker.adapters.sources.fetch import Fetched, fetch, make_client
from worker.adapters.sources.files import read_feed
from worker.errors import FetchError, InputError
from worker.feeds import ParsedFeed
from worker.intake.run import Intake
from worker.intake.run_hub_signs import HubSigns
from worker.model import ArticleId, SourceId
from worker.store import sources
from worker.store.database import Database, now

log = logging.getLogger(__name__)

_LONGEST_BACKOFF = timedelta(days=1)
_ERROR_CHARS = 500


class Poller:
    """Polls the sources of one installation."""

    def __init__(
        self,
        database: Database,
        intake: Intake,
        *,
        user_agent: str,
        poll_every: timedelta,
        allow_private: bool,
        signs: HubSigns | None = None,
    ) -> None:
        self._database, self._intake, self._signs = database, intake, signs
        self._user_agent, self._poll_every, self._allow_private = user_agent, poll_every, allow_private

    def poll(self, source_id: SourceId) -> list[ArticleId]:
        """Fetch a feed, store what is new, and return the articles that are to be matched.

        A feed that cannot be fetched or read is noted on its source and tried again later, ever more patiently.
        """
        with self._database.read() as conn:
            source = sources.by_id(conn, source_id)
        if source is None or source.url is None:
            return []
        try:
            fetched = asyncio.run(self._fetch(source))
            feed = None if fetched.not_modified else _read(fetched)
        except (FetchError, InputError) as error:
            self._note_failure(source, error)
            return []
        changed = self._intake.take_feed(source, feed.articles if feed else ()).articles
        self._note_success(source, fetched)
        if self._signs is not None:
            self._signs.after_poll(source, document=feed, link=fetched.link, url=fetched.url, new=changed)
        return list(changed)

    async def _fetch(self, source: Row[*tuple[object, ...]]) -> Fetched:
        async with make_client(self._user_agent, allow_private=self._allow_private) as client:
            return await fetch(client, source.url, etag=source.etag, last_modified=source.last_modified)

    def _note_success(self, source: Row[*tuple[object, ...]], fetched: Fetched) -> None:
        with self._database.write() as conn:
            at = now(conn)
            validators = {} if fetched.not_modified else {"etag": fetched.etag, "last_modified": fetched.last_modified}
            sources.change(
                conn,
                SourceId(source.id),
                last_polled_at=at,
                last_ok_at=at,
                next_poll_at=at + self._poll_every,
                claimed_until=None,
                failures=0,
                last_error="",
                **validators,
            )

    def _note_failure(self, source: Row[*tuple[object, ...]], error: FetchError | InputError) -> None:
        failures = source.failures + 1
        wait = min(self._poll_every * 2 ** min(failures - 1, 16), _LONGEST_BACKOFF)
        if isinstance(error, FetchError) and error.retry_after_s is not None:
            wait = max(wait, timedelta(seconds=error.retry_after_s))
        log.warning("source %s: %s", source.name, error)
        with self._database.write() as conn:
            at = now(conn)
            sources.change(
                conn,
                SourceId(source.id),
                last_polled_at=at,
                next_poll_at=at + wait,
                claimed_until=None,
                failures=failures,
                last_error=str(error)[:_ERROR_CHARS],
            )


def _read(fetched: Fetched) -> ParsedFeed:
    return read_feed(fetched.data, url=fetched.url, content_type=fetched.content_type)
