"""One child process of the supervisor, over all its lives: started, found ready, restarted after a pause, stopped.

When it starts again is decided in `restarts.py`; the order among children is the supervisor's business. Called by
`worker.runtime.supervisor` only, always from its one thread; `Child` and `ChildStatus` are for everybody who uses the
supervisor.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from worker.errors import ConfigurationError
from worker.runtime.logs import last_lines, open_log
from worker.runtime.parent import PARENT_VARIABLE
from worker.runtime.restarts import EXIT_CONFIGURATION, is_hopeless, pause_before_restart_s

PROVEN_AFTER_S: Final = 5.0  # what a child without `ready` must live for its start not to count as failed


@dataclass(frozen=True, kw_only=True, slots=True)
class Child:
    """A program to keep running.

    `env` is added to this process's own environment. `ready` is asked again and again until it is true; it must not
    raise and must answer within a second; without it a child is ready as soon as it runs. `stop_grace_s` is the time
    between SIGTERM and SIGKILL. `stops_last` is for what the others need until their end (the broker).
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] | None = None
    ready_within_s: float = 30.0
    stop_grace_s: float = 5.0
    stops_last: bool = False


class ChildState(StrEnum):
    """Where a child is in its life."""

    WAITING = "waiting"  # its turn to start has not come
    STARTING = "starting"  # runs, but is not ready
    RUNNING = "running"
    RESTARTING = "restarting"  # has ended, and pauses before its next start
    STOPPING = "stopping"
    STOPPED = "stopped"


@dataclass(frozen=True, kw_only=True, slots=True)
class ChildStatus:
    """What a console shows of a child. `pid` is None when no process runs; `since` is when the state was entered."""

    name: str
    state: ChildState
    pid: int | None
    restarts: int
    since: datetime


class ChildProcess:
    """A child and its process. Each change of `status` is reported, in the thread that calls the methods."""

    def __init__(self, child: Child, *, log_path: Path, report: Callable[[ChildStatus], None]) -> None:
        self.child = child
        self.was_ever_ready = False
        self._log_path = log_path
        self._report = report
        self._process: subprocess.Popen[bytes] | None = None
        self._log_from_byte = 0
        self._started_s = self._restart_at_s = self._kill_at_s = self._pause_s = 0.0
        self._failed_starts = self._restarts = 0
        # A frozen value, replaced whole: other threads may read it at any time.
        self.status = ChildStatus(
            name=child.name, state=ChildState.WAITING, pid=None, restarts=0, since=datetime.now(UTC)
        )

    def start(self) -> None:
        """Start the process in a session of its own, so that a Ctrl-C reaches the supervisor alone.

        Raises `ConfigurationError` when its program or its log file cannot be used.
        """
        environment = {**os.environ, **self.child.env, PARENT_VARIABLE: str(os.getpid())}
        with open_log(self._log_path) as log:
            self._log_from_byte = log.tell()
            try:
                self._process = subprocess.Popen(  # noqa: S603  our own programs, named by our own code
                    self.child.argv,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as error:
                raise ConfigurationError(f"{self.child.name} cannot be run: {error}") from error
        self._started_s = time.monotonic()
        if self.child.ready is None:
            self._become_ready()
        else:
            self._enter(ChildState.STARTING)

    def look(self) -> None:
        """Notice what has happened since the last look, and act on it.

        Raises `ConfigurationError`, with the last lines of its log, when starting it once more is pointless.
        """
        match self.status.state:
            case ChildState.STARTING | ChildState.RUNNING if (exit_status := self._exit_status()) is not None:
                self._ended(exit_status)
            case ChildState.STARTING:
                self._look_for_readiness()
            case ChildState.RESTARTING if time.monotonic() >= self._restart_at_s:
                self.start()

    def begin_stop(self, *, within_s: float) -> None:
        """Send SIGTERM; `go_on_stopping` kills it after its own time of grace, or after `within_s` if that is less."""
        self._kill_at_s = time.monotonic() + min(self.child.stop_grace_s, within_s)
        if self._process is None:
            self._enter(ChildState.STOPPED)
        elif self.status.state is not ChildState.STOPPED:
            self._process.terminate()
            self._enter(ChildState.STOPPING)

    def go_on_stopping(self, *, at_once: bool) -> bool:
        """Return True when the process is gone, with all that it had started; kill it when its time is up."""
        if self._process is None:
            return True
        ended = self._exit_status() is not None
        if ended or at_once or time.monotonic() >= self._kill_at_s:
            self._signal_group(signal.SIGKILL)
        if ended:
            self._process = None
            self._enter(ChildState.STOPPED)
        return ended

    def _exit_status(self) -> int | None:
        return self._process.poll() if self._process else None

    def _look_for_readiness(self) -> None:
        if self.child.ready is not None and self.child.ready():
            self._become_ready()
        elif time.monotonic() - self._started_s > self.child.ready_within_s:
            self._signal_group(signal.SIGKILL)
            if not self.was_ever_ready:
                raise ConfigurationError(
                    f"{self.child.name} is not ready after {self.child.ready_within_s:g} s{self._last_words(5)}"
                )

    def _become_ready(self) -> None:
        self.was_ever_ready = self.was_ever_ready or self.child.ready is not None
        self._enter(ChildState.RUNNING)

    def _ended(self, exit_status: int) -> None:
        # What it had started ends by itself (`parent.py`); asking now shortens the time in which old and new overlap.
        self._signal_group(signal.SIGTERM)
        lived_s = time.monotonic() - self._started_s
        if self._proved_itself(lived_s):
            self.was_ever_ready, self._failed_starts = True, 0
        elif not self._was_killed(exit_status):
            self._failed_starts += 1
        if is_hopeless(exit_status=exit_status, failed_starts=self._failed_starts, was_ever_ready=self.was_ever_ready):
            # A configuration error is one line by contract; a crash needs some context.
            words = self._last_words(1 if exit_status == EXIT_CONFIGURATION else 5)
            raise ConfigurationError(f"{self.child.name} does not start (exit status {exit_status}){words}")
        self._pause_s = pause_before_restart_s(self._pause_s, lived_s=lived_s)
        self._restart_at_s = time.monotonic() + self._pause_s
        self._restarts += 1
        self._enter(ChildState.RESTARTING)

    def _proved_itself(self, lived_s: float) -> bool:
        is_running = self.status.state is ChildState.RUNNING
        return is_running and (self.child.ready is not None or lived_s >= PROVEN_AFTER_S)

    def _was_killed(self, exit_status: int) -> bool:
        """Whether somebody ended it as it ran, a person or the kernel for want of memory: no failure to start."""
        return self.status.state is ChildState.RUNNING and exit_status == -signal.SIGKILL

    def _last_words(self, count: int) -> str:
        lines = last_lines(self._log_path, count=count, since_byte=self._log_from_byte)
        match lines:
            case []:
                return f"; its log is {self._log_path}"
            case [line]:
                return f": {line}"
            case _:
                return "".join(f"\n  {line}" for line in lines)

    def _signal_group(self, number: signal.Signals) -> None:
        # macOS answers EPERM for a group of which only a zombie is left.
        if self._process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)

    def _enter(self, state: ChildState) -> None:
        pid = self._process.pid if self._process and self._exit_status() is None else None
        self.status = ChildStatus(
            name=self.child.name, state=state, pid=pid, restarts=self._restarts, since=datetime.now(UTC)
        )
        self._report(self.status)
