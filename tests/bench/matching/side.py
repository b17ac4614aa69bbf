"""A program under measurement: it answers each line that it gets with a line of JSON, so that two can take turns.

Decides that all of them share one core: while one works the other waits for its next line. Both sides start here.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

_ONE_THREAD: Final = {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def stay_on_one_core() -> str:
    """Bind this process, and so every one that it starts, to its last core; return words for the conditions."""
    if not hasattr(os, "sched_setaffinity"):
        return "not bound to a core"
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    return "all on one core"


class SideError(Exception):
    """A side ended before it had answered; its own last words are on standard error."""


class Side:
    """A running program; leaving the `with` block ends it."""

    def __init__(self, command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> None:
        self._name = Path(command[0]).name
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **_ONE_THREAD, **(environment or {})},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.stdin:
            with suppress(BrokenPipeError):
                self._process.stdin.close()  # the end of its requests is the end of the program
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()

    @property
    def pid(self) -> int:
        """The program's process id."""
        return self._process.pid

    def ask(self, *words: object) -> dict[str, Any]:
        """Send a request and wait for the answer. Raises `SideError` if the program ends instead."""
        if not self._process.stdin or not self._process.stdout:
            raise SideError("the program was started without pipes")
        try:
            self._process.stdin.write(" ".join(map(str, words)) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            raise SideError(f"{self._name} ended over {words[0]!r}, with status {self._process.wait()}")
        read: dict[str, Any] = json.loads(answer)
        return read
