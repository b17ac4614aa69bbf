"""One visit at a source: asks for it, has it read in another process and taken in, and says what is to be noted.

No transaction is open while it fetches, and no visit lasts for ever. What to ask, and when to come again, is decided by
`polling`. Called by `run_turns`.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

import httpx
from sqlalchemy import Row

from worker import __version__
from worker.adapters.sources.fetch import Fetched, fetch
from worker.adapters.sources.reader_pool import ReaderPool
from worker.adapters.sources.reader_wire import What
from worker.errors import FetchError, InputError, printable
from worker.feeds import ParsedFeed
from worker.intake import polling
from worker.intake.pace import Pace
from worker.intake.polled import Answered, Failed, Question, Told, polled
from worker.intake.polling import Push
from worker.intake.run import Intake, Taken
from worker.intake.run_hosts import Hosts
from worker.intake.run_hub_signs import HubSigns
from worker.intake.run_moving import look_at
from worker.intake.run_whole import Whole, Wholes
from worker.model import ArticleId, SourceId
from worker.store.database import AWAY, Database

log = logging.getLogger(__name__)

ENDS_WITHIN_S: Final = 150.0
"""A source that takes longer to be fetched and read is given up; to store it takes what it takes."""

FETCH_S: Final = 30.0  # everything together
HEAD_S: Final = 15.0  # until an answer begins
_STORING: Final = 3  # threads; on SQLite they write one after the other
_STORING_FIRST: Final = 2  # of sources that are polled for the first time: all else need not wait for their thousands
_ASKING: Final = 2
_ERROR_CHARS: Final = 500
_SPARED: Final = timedelta(seconds=30)  # by us, while it is our database that fails: it has answered already


@dataclass(kw_only=True, slots=True)
class Visited:
    """What a visit came to, and the articles that are to be matched. `outcome`: None when nobody was to blame."""

    source: Row[Any]
    outcome: Answered | Failed | None
    pace: Pace
    changed: Sequence[ArticleId] = ()
    error: str = ""
    told: Sequence[Told] = field(default=())

    def columns(self, at: datetime, push: Push | None) -> Mapping[str, Any]:
        """Return what is to be noted of it `at` this moment, and keep what is to be told of it."""
        if self.outcome is None:
            return {"next_poll_at": at + _SPARED}
        known = polled(self.source)
        following = polling.after(known, self.outcome, now=at, pace=self.pace, push=push)
        self.told = following.told
        return following.changes(known)

    def tell(self) -> None:
        """Write it into the log."""
        for line in self.told:
            log.log(
                logging.WARNING if line.serious else logging.INFO,
                "source %d, %s: %s",
                self.source.id,
                self.source.name,
                line.text,
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    """A document that is read, and is to be stored. `moves`: it lies at another address, which is to be looked into."""

    fetched: Fetched
    answered: Answered
    whole: Whole
    moves: bool


class Visitor:
    """Visits sources, any number at once in one event loop. `told` is called in another thread."""

    def __init__(
        self,
        database: Database,
        intake: Intake,
        readers: ReaderPool,
        client: httpx.AsyncClient,
        *,
        signs: HubSigns | None,
        pace: Pace,
        told: Callable[[Sequence[ArticleId]], None],
    ) -> None:
        self._database, self._intake, self._readers, self._client = database, intake, readers, client
        self._signs, self._pace, self._told = signs, pace, told
        self._storing = ThreadPoolExecutor(_STORING, thread_name_prefix="polling-stores")
        self._storing_first = ThreadPoolExecutor(_STORING_FIRST, thread_name_prefix="polling-begins")
        self._asking = ThreadPoolExecutor(_ASKING, thread_name_prefix="polling-asks")
        self._hosts = Hosts()
        self._wholes = Wholes(database, readers, client, self._asking, self._hosts)

    def close(self) -> None:
        """Begin to store nothing more."""
        for threads in (self._storing, self._storing_first, self._asking):
            threads.shutdown(wait=False, cancel_futures=True)

    async def visit(self, source: Row[Any], *, now: datetime) -> Visited:
        """Poll a source. Raises nothing but for being cancelled: whatever goes wrong is its own, or nobody's."""
        asked = Question()
        try:
            asked = polling.question(polled(source), now=now)
            async with asyncio.timeout(ENDS_WITHIN_S):
                found = await self._look(source, asked, now)
            return await self._stored(source, found) if isinstance(found, _Found) else found
        except FetchError as error:
            return self._failed(source, asked, error, status=error.status, retry_after_s=error.retry_after_s)
        except InputError as error:
            return self._failed(source, asked, error, status=200)
        except TimeoutError:
            reason = f"to fetch and read it takes longer than {ENDS_WITHIN_S:g} s"
            return self._failed(source, asked, reason, status=200)
        except AWAY as error:
            log.warning("source %d, %s, is polled again soon, the database is away: %s", source.id, source.name, error)
            return Visited(source=source, outcome=None, pace=self._pace, error=f"the database is away: {error}")
        except Exception as error:
            log.exception("source %d, %s, cannot be polled", source.id, source.name)
            return self._failed(source, asked, f"a defect of ours: {type(error).__name__}: {error}", status=None)

    async def _look(self, source: Row[Any], asked: Question, now: datetime) -> _Found | Visited:
        """Fetch a source and read it, unless there is nothing to read."""
        async with self._hosts.hold(source.host):
            fetched = await fetch(
                self._client,
                source.url,
                etag=asked.etag,
                last_modified=asked.last_modified,
                timeout_s=FETCH_S,
                head_s=HEAD_S,
            )
        answered = _answered(fetched, asked)
        known = polled(source)
        moves = polling.is_to_be_looked_into(known, permanent_redirect_to=fetched.permanent_redirect_to, now=now)
        if fetched.not_modified or (answered.body_hash == source.body_hash and not moves):
            return Visited(source=source, outcome=answered, pace=self._pace)
        feed = await self._read(source, fetched)
        if reason := polling.why_unread(known, format_=feed.format):
            return self._failed(source, asked, reason, status=fetched.status)
        whole = await self._wholes.whole(source, feed, now=now)
        return _Found(fetched=fetched, answered=answered, whole=whole, moves=moves)

    async def _stored(self, source: Row[Any], found: _Found) -> Visited:
        fetched, whole, feed = found.fetched, found.whole, found.whole.feed

        def store() -> tuple[Answered, Taken]:
            arrival = None
            if found.moves and fetched.permanent_redirect_to:
                with self._database.read() as conn:
                    to = fetched.permanent_redirect_to
                    arrival = look_at(conn, SourceId(source.id), target=to, found=feed.articles)
            taken = self._intake.take_feed(source, feed.articles, pages=whole.pages)
            if taken.articles:
                self._told(taken.articles)
            if self._signs is not None:
                self._signs.after_poll(source, document=feed, link=fetched.link, url=fetched.url, new=taken.articles)
            told = _of_document(found.answered, feed)
            if whole.is_open or not taken.is_whole:  # it is asked for and read again, though it may stay as it is
                told = replace(told, etag="", last_modified="", body_hash="")
            return replace(told, new_items=taken.new, arrival=arrival), taken

        threads = self._storing_first if source.last_ok_at is None else self._storing
        answered, taken = await asyncio.get_running_loop().run_in_executor(threads, store)
        return Visited(source=source, outcome=answered, pace=self._pace, changed=taken.articles)

    async def _read(self, source: Row[Any], fetched: Fetched) -> ParsedFeed:
        reading = self._readers.read(
            What.FEED,
            fetched.data,
            url=fetched.url,
            content_type=fetched.content_type,
            is_doubtful=source.failures > 0,
        )
        feed: ParsedFeed = await asyncio.wrap_future(reading)
        return feed

    def _failed(
        self,
        source: Row[Any],
        asked: Question,
        error: Exception | str,
        *,
        status: int | None,
        retry_after_s: float | None = None,
    ) -> Visited:
        reason = printable(str(error))[:_ERROR_CHARS]
        failed = Failed(reason=reason, asked=asked, status=status, retry_after_s=retry_after_s)
        return Visited(source=source, outcome=failed, pace=self._pace, error=reason)


def _answered(fetched: Fetched, asked: Question) -> Answered:
    return Answered(
        status=fetched.status,
        url=fetched.url,
        asked=asked,
        etag=fetched.etag,
        last_modified=fetched.last_modified,
        permanent_redirect_to=fetched.permanent_redirect_to,
        retry_after_s=fetched.retry_after_s,
        fresh_s=fetched.fresh_s,
        body_hash="" if fetched.not_modified else _hash_of(fetched.data),
    )


def _hash_of(data: bytes) -> str:
    """Return a hash of a document as this program reads it: another version of it may find more in the same bytes."""
    return hashlib.blake2b(data, digest_size=16, salt=__version__.encode()[:16]).hexdigest()


def _of_document(answered: Answered, feed: ParsedFeed) -> Answered:
    published = tuple(one.published_at for one in feed.articles if one.published_at is not None)
    return replace(answered, format=feed.format, manners=feed.manners, published=published)
