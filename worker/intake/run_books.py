"""Keeps the books of polling: takes turns, renews them, and writes what became of sources, many in one transaction.

All of it runs in one thread, one statement after the other, so that a claim's token is never used after it was
replaced, and no event loop waits for a database. While the database is away, what is to be written waits. Decides
nothing. Called by `run_turns`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from sqlalchemy import Row

from worker.intake.polling import Push
from worker.intake.run_hub_signs import HubSigns
from worker.model import SourceId
from worker.store import polling
from worker.store.database import AWAY, Database, now
from worker.store.polling import Turn

log = logging.getLogger(__name__)

GIVEN_BACK: Final[Mapping[str, Any]] = {}
"""What is written of a source that was not polled after all: nothing, and the claim goes back."""

Result = TypeVar("Result")

_AT_ONCE: Final = 500
_GATHERED_S: Final = 0.03
_TRIED_AGAIN_S: Final = 1.0
_DEFECT: Final = timedelta(minutes=30)

Settled = Callable[[datetime, Push | None], Mapping[str, Any]]
"""From the moment at which it is written, and from how the source's pushes do, to its new columns."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """What is to be written of a source; `then` is called in the event loop when it stands in the database."""

    source: Row[Any]
    columns: Settled
    then: Callable[[], None]


class Books:
    """The books of one event loop."""

    def __init__(self, database: Database, *, signs: HubSigns | None = None) -> None:
        self._database, self._signs = database, signs
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="polling-books")
        self._held: dict[SourceId, datetime] = {}  # claims, by their tokens; the thread's own
        self._waiting: list[Entry] = []
        self._bell = asyncio.Event()

    async def take(self, **wanted: Any) -> list[Turn]:  # noqa: ANN401  those of `store.polling.take`
        """Take turns. Raises what `database.AWAY` names while the database is away."""

        def work() -> list[Turn]:
            with self._database.write() as conn:
                found = polling.take(conn, **wanted)
            for turn in found:
                self._held |= {SourceId(source.id): turn.until for source in turn.sources}
            return found

        return await self.in_thread(work)

    async def is_any_due(self) -> bool:
        """Tell whether it is worth the while to take turns."""

        def work() -> bool:
            with self._database.read() as conn:
                return polling.is_any_due(conn)

        return await self.in_thread(work)

    def enter(self, entry: Entry) -> None:
        """Have something written soon. Never waits."""
        self._waiting.append(entry)
        self._bell.set()

    async def write(self) -> None:
        """Write what is entered, for ever."""
        while True:
            await self._bell.wait()
            await asyncio.sleep(_GATHERED_S)  # for more to come: a group costs hardly more than one
            self._bell.clear()
            while self._waiting:
                if not await self._write_some():
                    await asyncio.sleep(_TRIED_AGAIN_S)

    async def finish(self) -> None:
        """Write what waits and give back whatever is still held; while the database is away, neither."""
        try:
            while self._waiting and await self._write_some():
                pass
        except Exception:
            log.exception("%d sources that were polled cannot be noted; they are polled again", len(self._waiting))
        with contextlib.suppress(*AWAY):
            await self.in_thread(self._give_back)

    async def _write_some(self) -> bool:
        """Write what waits, at most so much as one transaction ought to hold; False while the database is away."""
        entries = self._waiting[:_AT_ONCE]
        try:
            await self.in_thread(lambda: self._settle(entries))
        except AWAY as error:
            log.warning("what was polled cannot be noted, the database is away: %s", error)
            return False
        del self._waiting[: len(entries)]
        for entry in entries:
            entry.then()
        return True

    async def renew(self, every_s: float) -> None:
        """Keep what is held, for ever."""
        while True:
            await asyncio.sleep(every_s)
            try:
                await self.in_thread(self._renew)
            except AWAY as error:
                log.warning("turns cannot be renewed, the database is away: %s", error)

    async def in_thread(self, work: Callable[[], Result]) -> Result:
        """Run something in the books' thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def close(self) -> None:
        """Begin nothing more."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _settle(self, entries: Sequence[Entry]) -> None:
        """Write entries together, or each by itself where one of them cannot be written."""
        try:
            self._write(entries)
        except AWAY:
            raise
        except Exception:
            if len(entries) > 1:
                for entry in entries:
                    self._settle([entry])
                return
            source = entries[0].source
            log.exception("source %d, %s: what became of it cannot be noted", source.id, source.name)
            later: Settled = lambda at, _: {"next_poll_at": at + _DEFECT}  # noqa: E731  it is a value
            self._write([Entry(source=source, columns=later, then=entries[0].then)])

    def _write(self, entries: Sequence[Entry]) -> None:
        ids = [SourceId(entry.source.id) for entry in entries]
        with self._database.write() as conn:
            at = now(conn)
            pushes = self._signs.pushes_of(conn, ids, at=at) if self._signs else {}
            polling.settle(
                conn,
                [
                    (entry.source, self._held[source_id], entry.columns(at, pushes.get(source_id)))
                    for source_id, entry in zip(ids, entries, strict=True)
                    if source_id in self._held
                ],
            )
        for source_id in ids:
            self._held.pop(source_id, None)

    def _renew(self) -> None:
        if self._held:
            with self._database.write() as conn:
                kept = polling.renew(conn, self._held)
            self._held = kept

    def _give_back(self) -> None:
        if self._held:
            with self._database.write() as conn:
                polling.give_back(conn, self._held)
            self._held = {}
