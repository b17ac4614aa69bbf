"""Tells endpoints what waits in the outbox: each by a thread of its own that holds the endpoint's lease.

A sweep takes endpoints and comes back at once, so that a slow one holds up neither the sweep nor the others. While an
endpoint fails, one message a sweep tries it. A process that dies leaves its leases, which others take over; what was
posted and not yet recorded then goes out again with the same id: at least once. Called by `tasks` and the command line.
"""

from __future__ import annotations

import asyncio
import logging
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from worker.adapters.endpoints.posting import TIMEOUT_S, Poster
from worker.notifying.decide import KEPT, body_of, farewell, is_success, judge
from worker.store import endpoints
from worker.store.database import Database, now
from worker.store.endpoints import Endpoint, Told
from worker.store.leases import Holder
from worker.tidings import Message, Reply

log = logging.getLogger(__name__)

_ROUND: Final = 16
_AT_ONCE: Final = 8
_ROUND_S: Final = 30.0  # what a round has not begun by then is left to the next one, under a renewed lease
_ENDS_WITHIN_S: Final = 4.0  # then the process ends all the same, and its leases with it
_LET_GO: Final = 1_000
_SLICES_A_PASS: Final = 100


class Notifier:
    """This process's part in telling the endpoints."""

    def __init__(
        self,
        database: Database,
        holder: Holder,
        *,
        user_agent: str,
        stopping: Callable[[], bool] = lambda: False,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._database, self._holder = database, holder
        self._user_agent, self._timeout_s = user_agent, timeout_s
        self._stopping, self._is_closing = stopping, threading.Event()
        self._threads: list[threading.Thread] = []

    def sweep(self) -> int:
        """Begin to tell every endpoint that has something due and that nobody tells; return how many."""
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        if self._is_stopping() or not self._is_needed():
            return 0
        with self._database.write() as conn:
            claimed = endpoints.claim_due(conn, self._holder)
        for endpoint_id, fence in claimed:
            name = f"endpoint-{endpoint_id}"
            thread = threading.Thread(target=self._tell, args=(endpoint_id, fence), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()
        return len(claimed)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until whatever this process tells is told, or has failed for now; False when that takes longer."""
        for thread in list(self._threads):
            thread.join(timeout_s)
        return not any(thread.is_alive() for thread in self._threads)

    def close(self) -> None:
        """Begin nothing new, and wait a little for what is on the wire."""
        self._is_closing.set()
        self.wait(_ENDS_WITHIN_S)

    def let_go(self) -> int:
        """Delete what was told, or given up, long ago, a few rows at a time; return how many messages."""
        gone = 0
        for _ in range(_SLICES_A_PASS):
            with self._database.write() as conn:
                some = endpoints.let_go(conn, before=now(conn) - KEPT, limit=_LET_GO)
            gone += some
            if not some:
                break
        return gone

    def _is_needed(self) -> bool:
        with self._database.read() as conn:
            return bool(endpoints.waiting_s(conn))

    def _is_stopping(self) -> bool:
        return self._is_closing.is_set() or self._stopping()

    def _tell(self, endpoint_id: int, fence: int) -> None:
        """Tell one endpoint until nothing is due, it fails, or this process ends."""
        try:
            with asyncio.Runner() as runner:
                runner.run(self._rounds(endpoint_id, fence))
        except Exception:
            log.exception("endpoint %d cannot be told; the next sweep tries again", endpoint_id)
        finally:
            self._release(endpoint_id, fence)

    async def _rounds(self, endpoint_id: int, fence: int) -> None:
        poster: Poster | None = None
        place: tuple[str, bool] | None = None
        try:
            while not self._is_stopping():
                taken = self._take(endpoint_id, fence)
                if taken is None:
                    return
                endpoint, due, secrets = taken
                if poster is None or place != (endpoint.url, endpoint.allow_private):
                    # It has moved: what may be reached is judged anew, or a stolen key would lead into our own network.
                    await _close(poster)
                    poster, place = self._poster(endpoint), (endpoint.url, endpoint.allow_private)
                replies = await _post_all(poster, endpoint.url, due, secrets)
                if not self._record(endpoint, due, replies):
                    return
        finally:
            await _close(poster)

    def _poster(self, endpoint: Endpoint) -> Poster:
        return Poster(self._user_agent, allow_private=endpoint.allow_private, timeout_s=self._timeout_s)

    def _take(self, endpoint_id: int, fence: int) -> tuple[Endpoint, list[Message], Sequence[str]] | None:
        with self._database.write() as conn:
            endpoint = endpoints.renew(conn, endpoint_id, fence)
            if endpoint is None:
                return None
            due = endpoints.due(conn, endpoint_id, limit=1 if endpoint.failing_since else _ROUND)
            return (endpoint, due, endpoints.secrets_of(conn, endpoint_id)) if due else None

    def _record(self, endpoint: Endpoint, due: Sequence[Message], replied: Mapping[int, Reply]) -> bool:
        """Write down what became of a round; False when the endpoint has taken nothing of it, or is switched off."""
        replies = list(replied.values())
        is_well = any(map(is_success, replies))
        with self._database.write() as conn:
            at = now(conn)
            tried = [message for message in due if message.id in replied]
            endpoints.record(conn, [_told(message, replied[message.id], at) for message in tried])
            failing_since = None if is_well else endpoint.failing_since or at
            values: dict[str, object] = {"failing_since": failing_since}
            values |= {"last_ok_at": at} if is_well else {"last_error": _error_of(replies)}
            reason = farewell(replies, failing_since=failing_since, now=at)
            if reason:
                values |= {"disabled_at": at, "disabled_reason": reason}
            endpoints.change(conn, endpoint.id, **values)
        if reason:
            log.warning("endpoint %d is switched off: %s", endpoint.id, reason)
        elif not is_well and endpoint.failing_since is None:
            log.warning("endpoint %d fails: %s", endpoint.id, _error_of(replies))
        return is_well and not reason

    def _release(self, endpoint_id: int, fence: int) -> None:
        try:
            with self._database.write() as conn:
                endpoints.release(conn, endpoint_id, fence)
        except Exception:
            log.exception("endpoint %d is not given back; its lease runs out", endpoint_id)


async def _close(poster: Poster | None) -> None:
    if poster is not None:
        await poster.__aexit__(None, None, None)


async def _post_all(poster: Poster, url: str, due: Sequence[Message], secrets: Sequence[str]) -> Mapping[int, Reply]:
    """Post a round's messages, a few at a time and each reader's in order; return the replies by message.

    What comes after one that was not taken has none, and nor has what there was no time for: both are still due.
    """
    turns, until_s = asyncio.Semaphore(_AT_ONCE), time.monotonic() + _ROUND_S
    replies: dict[int, Reply] = {}
    by_reader: dict[int, list[Message]] = defaultdict(list)
    for message in due:
        by_reader[message.subscriber_id].append(message)

    async def post(messages: Sequence[Message]) -> None:
        for message in messages:
            async with turns:
                if time.monotonic() > until_s:
                    return
                told = {"message_id": message.message_id, "body": body_of(message)}
                replies[message.id] = reply = await poster.post(url, secrets=secrets, **told)
            if not is_success(reply):
                return

    await asyncio.gather(*map(post, by_reader.values()))
    return replies


def _told(message: Message, reply: Reply, at: datetime) -> Told:
    verdict = judge(reply, attempts=message.attempts + 1, jitter=random.random())  # noqa: S311  spreads retries
    again_at = at + verdict.again_in if verdict.again_in is not None else None
    return Told(message=message, state=verdict.state, next_attempt_at=again_at, code=reply.code, error=verdict.error)


def _error_of(replies: Sequence[Reply]) -> str:
    return next((reply.error or f"it answered {reply.code}" for reply in replies if not is_success(reply)), "")
