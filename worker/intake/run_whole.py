"""Makes what a source tells whole: the sitemaps that an index names, what an embargo lets go, and articles' own pages.

Stores nothing, and holds no transaction while it fetches. `run_visits` calls it between a document's reading and
`Intake.take_feed`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, TypeVar

import httpx
from sqlalchemy import Row

from worker.adapters.sources.fetch import Fetched, fetch
from worker.adapters.sources.html_page import ReadPage
from worker.adapters.sources.reader_pool import ReaderPool
from worker.adapters.sources.reader_wire import What
from worker.errors import FetchError, InputError, printable
from worker.feeds import ParsedFeed, Withheld
from worker.intake.identity import item_key
from worker.intake.listing.addresses import with_login_of
from worker.intake.pages import Item, items_of
from worker.intake.run_hosts import Hosts
from worker.intake.run_pages import PageLimits, Pages, Stored, stored_items
from worker.intake.told import PageWord
from worker.intake.withholding import lets_go
from worker.model import SourceId
from worker.store import sightings
from worker.store.database import Database
from worker.store.sources import host_of

log = logging.getLogger(__name__)

LIMITS: Final = PageLimits()
_FURTHER_S: Final = 40.0  # for all of an index's sitemaps
_WORDS_CHARS: Final = 120

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Whole:
    """What a source tells, with all that belongs to it.

    `pages`: what became of articles' own pages, None where nobody asked for them. `is_open`: something is still to come
    though the document may stay as it is, so that it must be read again.
    """

    feed: ParsedFeed
    pages: Mapping[str, PageWord] | None = None
    is_open: bool = False


class Wholes:
    """Completes documents for one event loop; `asking` is where it asks the database."""

    def __init__(
        self, database: Database, readers: ReaderPool, client: httpx.AsyncClient, asking: Executor, hosts: Hosts
    ) -> None:
        self._database, self._readers, self._client = database, readers, client
        self._asking, self._hosts = asking, hosts
        self._pages = Pages(read=self._read_page, limits=LIMITS)

    async def whole(self, source: Row[Any], feed: ParsedFeed, *, now: datetime) -> Whole:
        """Complete a document. Raises `FetchError` or `InputError` when none of an index's sitemaps can be had."""
        is_open = bool(feed.further)
        if feed.further:
            feed = await self._with_further(source, feed)
        if feed.withheld:
            await self._say_withdrawn(source, feed.withheld)
            feed = lets_go(feed, now=now)
            is_open = is_open or any(one.until for one in feed.withheld)
        if not source.pages:
            return Whole(feed=_without_addresses(source, feed), is_open=is_open)
        return await self._with_pages(source, feed, is_open)

    async def _with_further(self, source: Row[Any], feed: ParsedFeed) -> ParsedFeed:
        """Read an index's sitemaps, one after the other: they lie at one host. One that fails costs only itself."""
        found: list[ParsedFeed] = []
        failure: FetchError | InputError | None = None
        try:
            async with asyncio.timeout(_FURTHER_S):
                for url in feed.further:
                    try:
                        address = with_login_of(url, source.url or "")
                        async with self._hosts.hold(host_of(address)):
                            fetched = await fetch(self._client, address, timeout_s=_FURTHER_S)
                        found.append(await self._read(What.FEED, fetched))
                    except (FetchError, InputError) as error:
                        failure = error
                        log.warning("source %d, %s: %s", source.id, source.name, printable(str(error)))
        except TimeoutError:
            failure = FetchError(f"its sitemaps take longer than {_FURTHER_S:g} s")
        if failure and not found:
            raise failure
        once = {article.url: article for one in reversed(found) for article in one.articles}
        newest = sorted(once.values(), key=lambda one: _time(one.published_at or one.updated_at), reverse=True)
        title = next((one.title for one in found if one.title), feed.title)
        return replace(feed, articles=(*feed.articles, *newest), title=title)

    async def _with_pages(self, source: Row[Any], feed: ParsedFeed, is_open: bool) -> Whole:
        items, source_id = items_of(feed.articles, lang=source.lang), SourceId(source.id)
        stored = await self._ask(lambda: self._stored(source_id, items))
        paged = await self._pages.add(self._client, source_id, items, stored, turn=self._hosts.hold)
        if paged.waiting:
            log.info("source %d, %s: %d entries wait for their pages", source.id, source.name, paged.waiting)
        is_owed = paged.waiting > 0 or any(word.is_owed for word in paged.pages.values())
        whole = replace(feed, articles=paged.articles)
        return Whole(feed=whole, pages=paged.pages, is_open=is_open or is_owed)

    async def _say_withdrawn(self, source: Row[Any], withheld: Sequence[Withheld]) -> None:
        """Tell operators of stories that we have and that are withdrawn now: to stop one is an editor's word."""
        gone = {item_key(one.article): one for one in withheld if one.until is None}
        known = await self._ask(lambda: self._sighted(SourceId(source.id), list(gone)))
        for key, article_id in known.items():
            words = printable(gone[key].article.title or gone[key].article.guid)[:_WORDS_CHARS]
            why = printable(gone[key].why)[:_WORDS_CHARS]
            log.warning(
                'source %d, %s, withdraws article %d, "%s" (%s): `tocsin articles kill` stops it, retract it if out',
                source.id,
                source.name,
                article_id,
                words,
                why,
            )

    def _stored(self, source_id: SourceId, items: Sequence[Item]) -> Stored:
        with self._database.read() as conn:
            return stored_items(conn, source_id, items)

    def _sighted(self, source_id: SourceId, keys: Sequence[str]) -> dict[str, int]:
        with self._database.read() as conn:
            return {key: one.id for key, one in sightings.by_item_keys(conn, source_id, keys).items()}

    async def _ask(self, question: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._asking, question)

    async def _read_page(self, fetched: Fetched) -> ReadPage:
        page: ReadPage = await self._read(What.PAGE, fetched)
        return page

    async def _read(self, what: What, fetched: Fetched) -> Any:  # noqa: ANN401  what the reader of that name returns
        reading = self._readers.read(
            what, fetched.data, url=fetched.url, content_type=fetched.content_type, is_doubtful=False
        )
        return await asyncio.wrap_future(reading)


def _without_addresses(source: Row[Any], feed: ParsedFeed) -> ParsedFeed:
    """Leave out what is an address and nothing else, and say once what would help."""
    telling = tuple(one for one in feed.articles if one.title or one.body or one.summary)
    if left_out := len(feed.articles) - len(telling):
        log.warning(
            "source %d, %s: %d entries are addresses alone, and left out: let it have its pages fetched",
            source.id,
            source.name,
            left_out,
        )
    return replace(feed, articles=telling) if left_out else feed


def _time(moment: datetime | None) -> float:
    return moment.timestamp() if moment else float("-inf")
