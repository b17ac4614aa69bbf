"""Gives hosts their turns in one event loop: many hosts at once, one source of each after the other.

Whenever places are free, turns that are due are taken. A host with many sources gives its place back after a while;
hosts whose sources have failed before, or never answered yet, share a part of the places, so that however many of them
stall, or are imported at once, the others are polled in time. Fetches nothing itself and decides nothing about a
source. Called by `run_polling`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row

from worker.intake.run_books import GIVEN_BACK, Books, Entry
from worker.intake.run_visits import Visited, Visitor
from worker.model import ArticleId, SourceId
from worker.store.database import AWAY
from worker.store.polling import CLAIM_S, Turn

log = logging.getLogger(__name__)

_EACH: Final = 20  # sources of one host that are claimed at once
_TURN_S: Final = 60.0  # then others may have the place
_FAILING_SHARE: Final = 4
_IDLE_S: Final = 1.0  # until it is looked again whether anything is due
_GATHERED_S: Final = 0.02  # so that turns that end together are replaced together
_ASKED_AGAIN_S: Final = 0.2
_AWAY_S: Final = 2.0
_GOODBYE_S: Final = 3.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What became of one source: the articles that are to be matched, or what went wrong in one printable line."""

    source_id: SourceId
    name: str
    changed: Sequence[ArticleId]
    error: str


class Turns:
    """The turns of one event loop, and of no other."""

    def __init__(
        self,
        books: Books,
        visitor: Visitor,
        *,
        at_once: int,
        stopping: Callable[[], bool] = lambda: False,
        told: Callable[[Report], None] = lambda _: None,
    ) -> None:
        self._books, self._visitor, self._at_once = books, visitor, at_once
        self._stopping, self._told = stopping, told
        self._running: dict[asyncio.Task[None], bool] = {}  # and whether it is one of the failing
        self._bell = asyncio.Event()
        self._keeping: list[asyncio.Task[None]] = []

    def ring(self) -> None:
        """Look at once whether anything is due. To be called in the event loop."""
        self._bell.set()

    async def poll_due(self) -> None:
        """Poll whatever is due, until `stopping`; leaves nothing claimed."""
        async with self._books_kept():
            while not self._stopping():
                self._bell.clear()
                self._check_books()
                is_more = await self._take_due() and self._is_place()
                if not is_more:
                    await self._heard(within_s=_IDLE_S if self._is_place() else None)
                await asyncio.sleep(_GATHERED_S)

    async def poll_these(self, ids: Sequence[SourceId], *, give_up_s: float) -> list[SourceId]:
        """Poll sources whether they are due or not; return those that somebody else has held for all of `give_up_s`.

        Raises what `database.AWAY` names when the database is away.
        """
        waiting = dict.fromkeys(ids)
        until_s = time.monotonic() + give_up_s
        async with self._books_kept():
            while (waiting or self._running) and not self._stopping():
                self._bell.clear()
                self._check_books()
                free = self._at_once - len(self._running)
                some = list(waiting)[: 10 * self._at_once]
                if free and some:
                    found = await self._books.take(hosts=free, each=_EACH, ids=some)
                    if found:
                        until_s = time.monotonic() + give_up_s
                    for turn in found:
                        for source in turn.sources:
                            waiting.pop(SourceId(source.id), None)
                        self._begin(turn, failing=False)
                    if not found:
                        for source_id in some:  # the others first: these are held, or are no more
                            waiting[source_id] = waiting.pop(source_id)
                if self._running:
                    until_s = time.monotonic() + give_up_s
                elif time.monotonic() > until_s:
                    break
                await self._heard(within_s=_ASKED_AGAIN_S if waiting else None)
        return list(waiting)

    @contextlib.asynccontextmanager
    async def _books_kept(self) -> AsyncIterator[None]:
        self._keeping = [asyncio.create_task(work) for work in (self._books.write(), self._books.renew(CLAIM_S / 4))]
        for keeping in self._keeping:
            keeping.add_done_callback(lambda _: self.ring())
        watching = asyncio.create_task(self._watch_stopping())
        try:
            yield
        finally:
            for task in (*self._running, *self._keeping, watching):
                task.cancel()
            await asyncio.gather(*self._running, *self._keeping, watching, return_exceptions=True)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_GOODBYE_S):
                    await self._books.finish()

    def _check_books(self) -> None:
        """Raise what has ended the keeping of the books: nothing polled would be noted, and no host be free again."""
        for keeping in self._keeping:
            if keeping.done():
                keeping.result()

    async def _watch_stopping(self) -> None:
        while not self._stopping():  # noqa: ASYNC110  a flag of another process's
            await asyncio.sleep(0.2)
        self._bell.set()

    async def _heard(self, *, within_s: float | None) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._bell.wait()

    def _is_place(self) -> bool:
        return len(self._running) < self._at_once

    async def _take_due(self) -> bool:
        """Begin the turns that there are places for; tell whether there were any."""
        try:
            if not await self._books.is_any_due():
                return False
            began = 0
            for failing in (False, True):
                free = self._at_once - len(self._running)
                if failing:
                    free = min(free, max(1, self._at_once // _FAILING_SHARE) - sum(self._running.values()))
                if free > 0:
                    for turn in await self._books.take(hosts=free, each=_EACH, failing=failing):
                        self._begin(turn, failing=failing)
                        began += 1
        except AWAY as error:
            log.warning("nothing is polled, the database is away: %s", error)
            await asyncio.sleep(_AWAY_S)
            return False
        return began > 0

    def _begin(self, turn: Turn, *, failing: bool) -> None:
        task = asyncio.create_task(self._work_off(turn))
        self._running[task] = failing
        task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task, None)
        self._bell.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a host's turn has ended early", exc_info=error)

    async def _work_off(self, turn: Turn) -> None:
        until_s = time.monotonic() + _TURN_S
        rest = list(turn.sources)
        while rest and time.monotonic() < until_s:
            visited = await self._visitor.visit(rest[0], now=turn.taken_at)
            self._note(rest.pop(0), visited)
        for source in rest:
            self._books.enter(Entry(source=source, columns=lambda _at, _push: GIVEN_BACK, then=self.ring))

    def _note(self, source: Row[Any], visited: Visited) -> None:
        def then() -> None:
            visited.tell()
            self._told(report)
            self.ring()  # its host may be free again

        report = Report(source_id=SourceId(source.id), name=source.name, changed=visited.changed, error=visited.error)
        self._books.enter(Entry(source=source, columns=visited.columns, then=then))
