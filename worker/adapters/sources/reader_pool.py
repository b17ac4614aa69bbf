"""Reads documents in processes of their own, so that no reader holds up an event loop, however hostile its bytes are.

A few processes read for everybody, with little time for each document. What takes longer, and whatever comes from a
source that has failed before, is read by one more, which has more time: so a document at which a reader hangs keeps
the others waiting once, and for seconds at most. Stores nothing. Intake's poller makes one and closes it.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

from worker.adapters.sources.reader_wire import Answer, Job, Outcome, What, receive, send
from worker.errors import FeedError, InputError

QUICKLY_S: Final = 5.0
SLOWLY_S: Final = 30.0
MEMORY_BYTES: Final = 1 << 30
_STARTS_S: Final = 60.0  # however busy the machine is: no document is to blame for it
_GRACE_S: Final = 2.0  # for what the child's own clock does not end: a process that was stopped


class ReaderDiedError(Exception):
    """A reading that was ended from outside."""


class TooSlowError(InputError):
    """A document that takes more time than it is given, or kills its reader. It may be meant to."""


class ReaderPool:
    """Reads for one process."""

    def __init__(
        self,
        *,
        most: int | None = None,
        quickly_s: float = QUICKLY_S,
        slowly_s: float = SLOWLY_S,
        memory_bytes: int = MEMORY_BYTES,
    ) -> None:
        self._quickly_s, self._slowly_s, self._memory_bytes = quickly_s, slowly_s, memory_bytes
        self._own = threading.local()
        self._children: set[_Child] = set()
        self._is_closed = False
        count = most or min(os.cpu_count() or 1, 4)
        self._quick = ThreadPoolExecutor(count, thread_name_prefix="reading")
        self._slow = ThreadPoolExecutor(1, thread_name_prefix="reading-slowly")

    def read(self, what: What, data: bytes, *, url: str, content_type: str, is_doubtful: bool) -> Future[Any]:
        """Begin to read; the future's result is that of the reader that `what` names.

        It raises the reader's own `InputError`, and one also for a document that takes too long or too much memory.
        """
        outcome: Future[Any] = Future()

        def job(limit_s: float) -> Job:
            return Job(what=what, data=data, url=url, content_type=content_type, limit_s=limit_s)

        def slowly() -> None:
            try:
                outcome.set_result(_result(self._ask(job(self._slowly_s))))
            except ReaderDiedError:
                outcome.set_exception(TooSlowError(f"to read it takes more than {self._slowly_s:g} s"))
            except BaseException as error:  # noqa: BLE001  it is for who waits
                outcome.set_exception(error)

        def quickly() -> None:
            try:
                outcome.set_result(_result(self._ask(job(self._quickly_s))))
            except ReaderDiedError:
                self._submit(self._slow, slowly, outcome)
            except BaseException as error:  # noqa: BLE001  as above
                outcome.set_exception(error)

        self._submit(self._slow if is_doubtful else self._quick, slowly if is_doubtful else quickly, outcome)
        return outcome

    def close(self) -> None:
        """End all readers, also in the middle of a document."""
        self._is_closed = True
        for pool in (self._quick, self._slow):
            pool.shutdown(wait=False, cancel_futures=True)
        for child in list(self._children):
            child.end()

    @property
    def processes(self) -> list[int]:
        """The ids of the processes that read at present, or wait."""
        return [child.pid for child in list(self._children)]

    def _submit(self, pool: ThreadPoolExecutor, work: Any, outcome: Future[Any]) -> None:  # noqa: ANN401  a closure
        try:
            pool.submit(work)
        except RuntimeError as error:  # closed meanwhile
            outcome.set_exception(error)

    def _ask(self, job: Job) -> Answer:
        """Have this thread's own child read, and a new one where it is gone."""
        child: _Child | None = getattr(self._own, "child", None)
        if child is None:
            child = self._own.child = _Child(self._memory_bytes)
            self._children.add(child)
        answer = None
        try:
            if not self._is_closed:
                answer = child.ask(job)
        finally:
            if answer is None or answer.leaves:
                self._own.child = None
                self._children.discard(child)
                child.end()
        if answer is None:
            raise ReaderDiedError
        return answer


class _Child:
    def __init__(self, memory_bytes: int) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            argv = [sys.executable, "-m", "worker.adapters.sources.reader_child", str(theirs.fileno())]
            self._process = subprocess.Popen(  # noqa: S603  our own program
                [*argv, str(memory_bytes)], pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL
            )
        self._socket, self._has_begun = ours, False
        self.pid = self._process.pid

    def ask(self, job: Job) -> Answer | None:
        """Have it read; None when it has died of it, or does not answer."""
        try:
            self._has_begun = self._has_begun or self._begins()
            self._socket.settimeout(job.limit_s + _GRACE_S)
            send(self._socket, job)
            answer = receive(self._socket)
        except OSError:
            return None
        return answer if isinstance(answer, Answer) else None

    def _begins(self) -> bool:
        self._socket.settimeout(_STARTS_S)
        return receive(self._socket) is not None

    def end(self) -> None:
        self._process.kill()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits for its answer
        self._process.wait()
        self._socket.close()


def _result(answer: Answer) -> Any:  # noqa: ANN401  the reader's own
    if answer.outcome is Outcome.READ:
        return answer.result
    message, where, hint = answer.words
    raise (FeedError if answer.is_feed_error else InputError)(message, where=where, hint=hint)
