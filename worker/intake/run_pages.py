"""Fetches articles' own pages for sources that tell too little: sitemaps, and feeds of teasers.

Politely: what robots.txt forbids is left alone, one page at a time of a host and with a pause between, so many a poll
and so long. Stores nothing, and a page that fails costs nothing but its text. `run_whole` calls it between what a
source has told and `Intake.take_feed`, with no transaction open.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import Final

import httpx
from sqlalchemy import Connection

from worker.adapters.sources.fetch import Fetched, fetch
from worker.adapters.sources.files import read_page
from worker.adapters.sources.html_page import ReadPage
from worker.errors import FetchError, InputError, printable
from worker.intake.pages import Item, Look, after_failure, completed, owed_hash, told_by_page, wanted
from worker.intake.run_robots import Robots
from worker.intake.run_rows import known_of
from worker.intake.told import PageWord
from worker.model import ParsedArticle, SourceId
from worker.store import articles, sightings
from worker.store.sources import host_of

PRODUCT: Final = "Tocsin"
"""What robots.txt files call us: the first word of our User-Agent."""

_ENDS: Final = frozenset({401, 403, 404, 410, 451})  # asking again is no use
_MAX_LOOKS: Final = 50_000
_MAX_FAILURES: Final = 3
_REASON_CHARS: Final = 200

Turn = Callable[[str], AbstractAsyncContextManager[object]]
"""Waits until a host may be asked, and holds its turn: called with the host's name."""

Read = Callable[[Fetched], Awaitable[ReadPage]]
"""Reads a page somewhere where it holds up nobody. Raises `InputError`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PageLimits:
    """How much of others' servers one poll of one source may ask for."""

    pages: int = 20
    all_s: float = 45.0
    page_s: float = 15.0
    page_bytes: int = 3_000_000
    pause_s: float = 1.0  # between two pages of a host; its Crawl-delay where that is longer


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """What is stored of the items that a source tells: a hash of each, and what stands in where it tells less."""

    hashes: Mapping[str, str]
    articles: Mapping[str, ParsedArticle]


@dataclass(frozen=True, kw_only=True, slots=True)
class Paged:
    """What a source and its articles' pages tell together, in the source's order.

    `pages` says of each, by item key, what became of its page. `waiting` items have no title, and are left out until
    their pages have been read; `left_out` are no articles.
    """

    articles: tuple[ParsedArticle, ...]
    pages: Mapping[str, PageWord]
    waiting: int = 0
    left_out: int = 0


async def _read_in_thread(fetched: Fetched) -> ReadPage:
    return await asyncio.to_thread(_read, fetched)


def _read(fetched: Fetched) -> ReadPage:
    return read_page(fetched.data, url=fetched.url, content_type=fetched.content_type)


class Pages:
    """What one process knows of pages: what robots allow, and what has been looked at. Forgotten at its end."""

    def __init__(
        self,
        *,
        limits: PageLimits | None = None,
        read: Read = _read_in_thread,
        robots: Robots | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits, self._read, self._clock = limits or PageLimits(), read, clock
        self._robots = robots or Robots(PRODUCT, clock=clock)
        self._looks: dict[SourceId, dict[str, Look]] = defaultdict(dict)

    async def add(
        self,
        client: httpx.AsyncClient,
        source_id: SourceId,
        items: Sequence[Item],
        stored: Stored,
        *,
        turn: Turn = nullcontext,
    ) -> Paged:
        """Fetch the pages of what is new, and return what is then known of all items. Raises nothing for a bad page.

        `items` stand newest first; `stored` is what `stored_items` returns of them.
        """
        looks = self._looks[source_id]
        asked = wanted(items, stored.hashes, looks, now_s=self._clock())
        visit = _Visit(self, client, turn, looks)
        await visit.all(asked[: self._limits.pages])
        for item in asked:
            visit.leave(item)
        self._forget(source_id, items)
        return _together(items, stored, visit.found, visit.notes, self._looks[source_id])

    def _forget(self, source_id: SourceId, items: Sequence[Item]) -> None:
        """Keep in mind only what a source still tells, and of all sources together not too much."""
        mine = self._looks.pop(source_id)
        self._looks[source_id] = {item.key: mine[item.key] for item in items if item.key in mine}
        while sum(map(len, self._looks.values())) > _MAX_LOOKS and len(self._looks) > 1:
            self._looks.pop(next(iter(self._looks)))


class _Visit:
    """The pages of one poll."""

    def __init__(self, pages: Pages, client: httpx.AsyncClient, turn: Turn, looks: dict[str, Look]) -> None:
        self._limits, self._read, self._robots, self._clock = pages._limits, pages._read, pages._robots, pages._clock  # noqa: SLF001  one concept in two halves: a process's, and a poll's
        self._client, self._turn, self._looks = client, turn, looks
        self.found: dict[str, ReadPage] = {}
        self.notes: dict[str, str] = {}

    async def all(self, asked: Sequence[Item]) -> None:
        """Fetch pages, the hosts beside one another, until all are done or the time is up."""
        by_host: dict[str, list[Item]] = defaultdict(list)
        for item in asked:
            by_host[host_of(item.article.url)].append(item)
        try:
            async with asyncio.timeout(self._limits.all_s), asyncio.TaskGroup() as group:
                for mine in by_host.values():
                    group.create_task(self._of_host(mine))
        except TimeoutError:
            pass  # what is left waits for the next poll

    def leave(self, item: Item) -> None:
        """Note a page that nobody got to: its turn comes next time."""
        if item.key not in self.found and item.key not in self.notes:
            self.notes[item.key] = "its page waits: too many at once"
            self._looks[item.key] = Look(hash=item.hash, tries=0, again_s=self._clock())

    async def _of_host(self, asked: Sequence[Item]) -> None:
        failures = 0
        for number, item in enumerate(asked):
            if failures >= _MAX_FAILURES:  # the host has other troubles
                return
            async with self._turn(host_of(item.article.url)):
                rules = await self._robots.rules(self._client, item.article.url)
            if barred := rules.forbids(item.article.url):
                self._failed(item, barred, for_good=not rules.reason)
                continue
            if number:
                await asyncio.sleep(max(rules.delay_s, self._limits.pause_s))
            failures += not await self._fetched(item)

    async def _fetched(self, item: Item) -> bool:
        """Fetch and read one page; False where the host would not give it."""
        url, limits = item.article.url, self._limits
        try:
            async with self._turn(host_of(url)):
                got = await fetch(self._client, url, max_bytes=limits.page_bytes, timeout_s=limits.page_s)
            page = await self._read(got)
        except FetchError as error:
            self._failed(item, str(error), for_good=error.status in _ENDS)
            return False
        except InputError as error:
            self._failed(item, str(error), for_good=True)
            return True
        self.found[item.key] = page
        self._looks[item.key] = Look(hash=item.hash, tries=1, again_s=None)
        return True

    def _failed(self, item: Item, why: str, *, for_good: bool) -> None:
        self.notes[item.key] = f"without its page: {printable(why)[:_REASON_CHARS]}"
        look = self._looks.get(item.key)
        self._looks[item.key] = after_failure(item, look, now_s=self._clock(), for_good=for_good)


def _together(
    items: Sequence[Item],
    stored: Stored,
    found: Mapping[str, ReadPage],
    notes: Mapping[str, str],
    looks: Mapping[str, Look],
) -> Paged:
    whole: list[ParsedArticle] = []
    words: dict[str, PageWord] = {}
    waiting = left_out = 0
    for item in items:
        page, ours, look = found.get(item.key), stored.articles.get(item.key), looks.get(item.key)
        merged: ParsedArticle | None = item.article
        if page:
            merged = told_by_page(item.article, page.article, is_article=page.is_article)
        elif ours:
            merged = completed(item.article, ours)
        is_owed = look is not None and look.hash == item.hash and look.again_s is not None
        if merged and merged.title:
            whole.append(merged)
            hash_ = owed_hash(item) if is_owed else item.hash
            words[item.key] = PageWord(told_hash=hash_, note=notes.get(item.key, ""), is_owed=is_owed)
        elif is_owed:
            waiting += 1
        else:
            left_out += 1
    return Paged(articles=tuple(whole), pages=words, waiting=waiting, left_out=left_out)


def stored_items(conn: Connection, source_id: SourceId, items: Sequence[Item]) -> Stored:
    """Return what is stored of the items that a source tells."""
    seen = sightings.by_item_keys(conn, source_id, [item.key for item in items])
    less = [
        one.id
        for item in items
        if (one := seen.get(item.key)) and (one.told_hash != item.hash or not item.article.title)
    ]
    ours = {one.item_key: known_of(one).article for one in articles.by_ids(conn, less)}
    return Stored(hashes={key: one.told_hash for key, one in seen.items()}, articles=ours)
