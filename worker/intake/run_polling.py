"""Polls sources, many at once: beside whatever else a worker does, or in the foreground for a command.

A worker's part runs in a thread with an event loop of its own, from the first ring to the end of the process; of the
processes that share a home one alone does it, since a loop is never short of places, and each has readers to feed.
Decides nothing. `wiring` makes one a process; `tasks` and the command line call it.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import IO, Final

import httpx
import uvloop

from worker.adapters.sources.fetch import make_client
from worker.adapters.sources.reader_pool import ReaderPool
from worker.adapters.sources.resolving import Resolver
from worker.intake.pace import Pace
from worker.intake.run import Intake
from worker.intake.run_books import Books
from worker.intake.run_hub_signs import HubSigns
from worker.intake.run_turns import Report, Turns
from worker.intake.run_visits import Visitor
from worker.model import ArticleId, SourceId
from worker.store.database import Database

log = logging.getLogger(__name__)

AT_ONCE: Final = 100
_HELD_ELSEWHERE_S: Final = 90.0
_ENDS_WITHIN_S: Final = 5.0
_KEPT_ALIVE_S: Final = 5.0

Told = Callable[[Sequence[ArticleId]], None]
"""Is given articles that are stored and to be matched, in any thread."""


class Poller:
    """Polls the sources of one installation.

    `lock` is a file that is held by the process which polls in the background. `at_once` counts hosts.
    """

    def __init__(
        self,
        database: Database,
        intake: Intake,
        *,
        user_agent: str,
        pace: Pace,
        allow_private: bool,
        signs: HubSigns | None = None,
        at_once: int = AT_ONCE,
        lock: Path | None = None,
        stopping: Callable[[], bool] = lambda: False,
        readers: Callable[[], ReaderPool] = ReaderPool,
        resolver: Resolver | None = None,
    ) -> None:
        self._database, self._intake, self._signs = database, intake, signs
        self._user_agent, self._pace, self._allow_private = user_agent, pace, allow_private
        self._at_once, self._lock, self._readers, self._resolver = at_once, lock, readers, resolver
        self._stopping, self._is_closing = stopping, threading.Event()
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self._turns: tuple[asyncio.AbstractEventLoop, Turns] | None = None

    def ring(self, told: Told) -> bool:
        """Have what is due polled soon, and come back at once; False when another process of this home does it.

        `told` of the first ring is the one that is called.
        """
        with self._guard:
            if self._is_stopping():
                return False
            if self._thread is None or not self._thread.is_alive():
                held = self._hold()
                if held is None:
                    return False
                self._thread = threading.Thread(target=self._poll_on, args=(told, held), name="polling", daemon=True)
                self._thread.start()
        if self._turns is not None:
            loop, turns = self._turns
            with contextlib.suppress(RuntimeError):  # it has just ended
                loop.call_soon_threadsafe(turns.ring)
        return True

    def poll_now(
        self,
        ids: Sequence[SourceId],
        told: Callable[[Report], None] = lambda _: None,
        *,
        give_up_s: float = _HELD_ELSEWHERE_S,
    ) -> list[SourceId]:
        """Poll sources here and now, whether they are due or not, and return when all are done.

        `told` is called for each as soon as it stands in the database. Returned are those that were not polled: they
        are no more, or somebody else has held them all the while. Raises what `database.AWAY` names.
        """

        async def work() -> list[SourceId]:
            async with AsyncExitStack() as stack:
                turns = await self._opened(stack, told=told, matched=lambda _: None)
                return await turns.poll_these(ids, give_up_s=give_up_s)

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(work())

    def poll(self, source_id: SourceId) -> list[ArticleId]:
        """Poll one source as `poll_now` does, and return the articles that are to be matched."""
        found: list[ArticleId] = []
        self.poll_now([source_id], lambda report: found.extend(report.changed))
        return found

    def close(self) -> None:
        """Call off what is under way, give back what is claimed, and end."""
        self._is_closing.set()
        with self._guard:
            thread = self._thread
        if thread is not None:
            thread.join(_ENDS_WITHIN_S)

    def _is_stopping(self) -> bool:
        return self._is_closing.is_set() or self._stopping()

    def _hold(self) -> IO[bytes] | contextlib.nullcontext[None] | None:
        """Take the home's lock, which ends with this process at the latest; None while another one has it."""
        if self._lock is None:
            return contextlib.nullcontext()
        file = self._lock.open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return None
        return file

    def _poll_on(self, told: Told, held: contextlib.AbstractContextManager[object]) -> None:
        with held:
            try:
                with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                    runner.run(self._poll_due(told))
            except Exception:
                log.exception("polling has stopped; the next sweep begins it again")
            finally:
                self._turns = None

    async def _poll_due(self, told: Told) -> None:
        async with AsyncExitStack() as stack:
            turns = await self._opened(stack, told=lambda _: None, matched=told)
            self._turns = (asyncio.get_running_loop(), turns)
            await turns.poll_due()

    async def _opened(self, stack: AsyncExitStack, *, told: Callable[[Report], None], matched: Told) -> Turns:
        limits = httpx.Limits(
            max_connections=2 * self._at_once,
            max_keepalive_connections=self._at_once,
            keepalive_expiry=_KEPT_ALIVE_S,
        )
        client = await stack.enter_async_context(
            make_client(self._user_agent, allow_private=self._allow_private, limits=limits, resolver=self._resolver)
        )
        readers = self._readers()
        stack.callback(readers.close)
        visitor = Visitor(
            self._database, self._intake, readers, client, signs=self._signs, pace=self._pace, told=matched
        )
        stack.callback(visitor.close)
        books = Books(self._database, signs=self._signs)
        stack.callback(books.close)
        return Turns(books, visitor, at_once=self._at_once, stopping=self._is_stopping, told=told)
