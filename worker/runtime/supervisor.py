"""Keeps the processes of `tocsin up` and `tocsin demo` running: starts them in order, restarts them, stops them all.

Knows nothing of what they do, and sends no mail and no SQL itself. Called by the command line:

    with HomeLock(home), Supervisor([broker, worker, web], log_directory=home / "logs") as supervisor:
        supervisor.run_forever()

One thread of its own does everything. It lives as long as any child, which Linux demands of whoever wants its children
to be told of its death (see `parent.py`).
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Final, Self

from worker.runtime.child import Child, ChildProcess, ChildState, ChildStatus

LOOK_EVERY_S: Final = 0.05
# Everything ends within 10 s of a Ctrl-C: these two and a second in which what was killed disappears.
STOP_WITHIN_S: Final = 6.0
STOP_LAST_WITHIN_S: Final = 2.0
DISAPPEAR_WITHIN_S: Final = 1.0

_STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Supervisor:
    """Runs children, each with its output appended to `<name>.log`.

    `on_change` gets each change of a child's status, in the supervisor's own thread; it must be quick and not raise.
    Made and used from the main thread, it takes over SIGINT, SIGTERM and SIGHUP until everything is stopped: the first
    one stops the children and raises KeyboardInterrupt in the main thread, a second one kills them at once.
    """

    def __init__(
        self,
        children: Sequence[Child],
        *,
        log_directory: Path,
        on_change: Callable[[ChildStatus], None] = lambda _: None,
    ) -> None:
        self._processes = [
            ChildProcess(child, log_path=log_directory / f"{child.name}.log", report=on_change) for child in children
        ]
        self._all_started = threading.Event()
        # Plain flags, for signal handlers write them: a lock or an Event could already be held by the interrupted code.
        self._is_stopping = self._is_hurried = False
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="supervisor")
        self._life: Future[None] | None = None
        self._former_handlers: dict[signal.Signals, signal._HANDLER] = {}

    def start(self) -> None:
        """Start the children one after the other, each when those before it are ready; return when all are.

        Raises `ConfigurationError` when one cannot start, and KeyboardInterrupt at a Ctrl-C; nothing runs then.
        """
        try:
            self._take_over_signals()
            self._life = self._executor.submit(self._live)
            self._all_started.wait()
            self.raise_if_failed()
        except BaseException:
            self.stop()
            raise

    def run_forever(self) -> None:
        """Return when everything has been stopped by a signal, or by `stop` in another thread.

        Raises `ConfigurationError` when the supervisor had to give up a child; the others have been stopped then.
        """
        try:
            with suppress(KeyboardInterrupt):
                if self._life is not None:
                    self._life.result()
        finally:
            self.stop()

    def stop(self) -> None:
        """Stop all children and wait for it, at most 10 s. Calling it again does nothing."""
        self._is_stopping = True
        if self._life is not None:
            wait([self._life])
        self._executor.shutdown()
        self._give_back_signals()

    def status(self) -> tuple[ChildStatus, ...]:
        """Return the children's present states, in the order of starting. Any thread may ask."""
        return tuple(process.status for process in self._processes)

    def raise_if_failed(self) -> None:
        """Raise what made the supervisor give up, if it did; for who does something else than `run_forever`."""
        if self._life is not None and self._life.done():
            self._life.result()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _live(self) -> None:
        try:
            while not self._is_stopping:
                for process in self._processes:
                    process.look()
                self._start_next()
                time.sleep(LOOK_EVERY_S)
        finally:
            self._stop_all()
            self._all_started.set()

    def _start_next(self) -> None:
        for process in self._processes:
            if process.status.state is ChildState.WAITING:
                process.start()
            if process.status.state is not ChildState.RUNNING and not process.was_ever_ready:
                return
        self._all_started.set()

    def _stop_all(self) -> None:
        first = [process for process in self._processes if not process.child.stops_last]
        last = [process for process in self._processes if process.child.stops_last]
        self._stop_together(first, within_s=STOP_WITHIN_S)
        self._stop_together(last, within_s=STOP_LAST_WITHIN_S)

    def _stop_together(self, processes: Sequence[ChildProcess], *, within_s: float) -> None:
        for process in processes:
            process.begin_stop(within_s=within_s)
        # A process that waits for a dead disk survives even SIGKILL for a while; it must not keep us here.
        give_up_s = time.monotonic() + within_s + DISAPPEAR_WITHIN_S
        left = list(processes)
        while left and time.monotonic() < give_up_s:
            left = [process for process in left if not process.go_on_stopping(at_once=self._is_hurried)]
            time.sleep(LOOK_EVERY_S if left else 0)

    def _take_over_signals(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return  # Python lets no other thread set handlers
        for number in _STOP_SIGNALS:
            is_nohup = number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN
            if not is_nohup:
                self._former_handlers[number] = signal.signal(number, self._on_stop_signal)

    def _give_back_signals(self) -> None:
        while self._former_handlers and threading.current_thread() is threading.main_thread():
            number, handler = self._former_handlers.popitem()
            signal.signal(number, handler)

    def _on_stop_signal(self, _number: int, _frame: FrameType | None) -> None:
        if self._is_stopping:
            self._is_hurried = True
        else:
            self._is_stopping = True
            raise KeyboardInterrupt
