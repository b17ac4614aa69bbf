"""Looks at an address before it is watched: is there a feed, and if it is a page, where is the page's own?

Fetches and reads as polling does, with the same guards: a page's word leads to no private network, and what hangs its
reader ends with it, not the web server that was asked to look. Stores nothing. Called by the command line and the API.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urljoin

import httpx

from worker.adapters.sources.alternates import find_alternates
from worker.adapters.sources.decoding import decode
from worker.adapters.sources.fetch import Fetched, fetch, make_client
from worker.adapters.sources.reader_pool import ReaderPool
from worker.adapters.sources.reader_wire import What
from worker.errors import FeedError, FetchError, InputError, PrivateAddressError, printable
from worker.feeds import ParsedFeed
from worker.intake.listing.addresses import with_login_of, without_feed_scheme, without_password
from worker.intake.websub_links import header_links

COMMON_PATHS: Final = ("/feed", "/rss", "/rss.xml", "/feed.xml", "/atom.xml", "/index.xml", "/feed.json", "/feeds/all")
_MOST_TRIED: Final = 12
_WITHIN_S: Final = 15.0
_ALL_WITHIN_S: Final = 60.0
_SITEMAP: Final = re.compile(r"^[ \t]*sitemap[ \t]*:[ \t]*(\S+)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundFeed:
    """A feed that is there. `url` is where to watch it: of a page its feed's, of what has moved for good the new one.

    `newest_at` is its newest item's date, None where none has one. `also` are other feeds that the page names.
    """

    url: str
    format: str
    title: str
    items: int
    newest_at: datetime | None
    hub: str = ""
    also: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Search:
    """How far to look where the address is a page.

    `paths`: also where feeds commonly are. `sitemaps`: also at those that robots.txt names.
    """

    user_agent: str
    allow_private: bool
    paths: bool = False
    sitemaps: bool = False


def discover(url: str, search: Search) -> FoundFeed:
    """Return the feed at an address, or the one that the page there names.

    Raises `FetchError` where nobody answers as they should, and `FeedError` that says what is there instead, and what
    was tried. Blocks: for a minute at the very most.
    """
    with closing(ReaderPool(most=1)) as readers:
        return asyncio.run(_within(url, search, readers))


async def _within(url: str, search: Search, readers: ReaderPool) -> FoundFeed:
    try:
        async with asyncio.timeout(_ALL_WITHIN_S):
            return await _discover(url, search, readers)
    except TimeoutError:
        raise FetchError(f"{without_password(url)}: no feed has been found in {_ALL_WITHIN_S:g} s") from None


async def _discover(url: str, search: Search, readers: ReaderPool) -> FoundFeed:
    async with make_client(search.user_agent, allow_private=search.allow_private) as client:
        try:
            page = await _get(client, url)
        except PrivateAddressError:
            raise
        except FetchError as error:
            if error.status is None or not (search.paths or search.sitemaps):
                raise
            elsewhere = await _elsewhere(client, url, search)
            return await _try_all(client, elsewhere, readers, why=FeedError(str(error)))
        try:
            return _found(page, await _parsed(page, readers), asked=url)
        except FeedError as error:
            named = [one.url for one in find_alternates(page.data, url=page.url, content_type=page.content_type)]
            candidates = [with_login_of(one, url) for one in named + await _elsewhere(client, page.url, search)]
            return await _try_all(client, candidates, readers, why=error)


async def _try_all(
    client: httpx.AsyncClient, candidates: Iterable[str], readers: ReaderPool, *, why: FeedError
) -> FoundFeed:
    """Return the first feed among some addresses. Raises `FeedError`, as `why` with what was tried."""
    every = list(dict.fromkeys(without_feed_scheme(one) for one in candidates))
    failed: list[str] = []
    for number, candidate in enumerate(every[:_MOST_TRIED], start=1):
        try:
            found = await _get(client, candidate)
            return _found(found, await _parsed(found, readers), asked=candidate, also=tuple(every[number:]))
        except (FetchError, InputError) as error:
            says = error.message if isinstance(error, InputError) else str(error)
            failed.append(f"{without_password(candidate)}: {says.removeprefix(candidate).lstrip(': ')}")
    tried = "; ".join(printable(one)[:300] for one in failed)
    hint = f"tried {tried}" if failed else "it names no feed; give the feed's own address"
    raise FeedError(why.message, where=why.where, hint=hint)


async def _elsewhere(client: httpx.AsyncClient, url: str, search: Search) -> list[str]:
    """Return where else a feed may be, as far as somebody wants that: the news sitemaps before others."""
    found: list[str] = []
    if search.sitemaps:
        try:
            robots = await _get(client, urljoin(url, "/robots.txt"))
        except FetchError:
            pass  # a site without one names no sitemaps
        else:
            named = [urljoin(robots.url, one) for one in _SITEMAP.findall(decode(robots.data, robots.content_type))]
            found += sorted(named, key=lambda one: "news" not in one.lower())
    return found + [urljoin(url, path) for path in COMMON_PATHS if search.paths]


async def _get(client: httpx.AsyncClient, url: str) -> Fetched:
    return await fetch(client, url, timeout_s=_WITHIN_S)


async def _parsed(fetched: Fetched, readers: ReaderPool) -> ParsedFeed:
    how = {"url": fetched.url, "content_type": fetched.content_type}
    feed: ParsedFeed = await asyncio.wrap_future(readers.read(What.FEED, fetched.data, is_doubtful=False, **how))
    return feed


def _found(fetched: Fetched, parsed: ParsedFeed, *, asked: str, also: tuple[str, ...] = ()) -> FoundFeed:
    dates = [at for one in parsed.articles if (at := one.published_at or one.updated_at)]
    there = fetched.permanent_redirect_to or asked  # what moves for a while only is watched where it was
    return FoundFeed(
        url=with_login_of(there, asked),
        format=parsed.format,
        title=printable(parsed.title),
        items=len(parsed.articles),
        newest_at=max(dates, default=None),
        hub=printable(next(iter((*header_links(fetched.link)[0], *parsed.hubs)), "")),
        also=also,
    )
