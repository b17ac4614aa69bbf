"""Whether many recipients cost more each than few, in time and in memory.

Sends editions of several sizes in turn, and looks at the process's memory all the while. Decides nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

import psutil

from tests.bench.delivery.room import Ours

_EVERY_S: Final = 0.1
_POINTS: Final = 10


class Memory:
    """What a process has in memory, looked at while the block lasts, in bytes."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="memory")
        self.samples: list[int] = []

    def _look(self) -> None:
        while not self._over.wait(_EVERY_S):
            self.samples.append(self._process.memory_info().rss)

    def curve(self) -> list[int]:
        """Return what it had at tenths of the time."""
        return [self.samples[(len(self.samples) - 1) * point // _POINTS] for point in range(_POINTS + 1)]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()


@dataclass(frozen=True, kw_only=True, slots=True)
class Growth:
    """One edition: its size, messages a second, and memory at tenths of its time."""

    recipients: int
    rate: float
    memory: Sequence[int]


def measure(ours: Ours, sizes: Sequence[int], *, rounds: int, say: Callable[[str], None]) -> list[Growth]:
    """Send an edition of each size in each round."""
    found = []
    for _ in range(rounds):
        for size in sizes:
            edition = ours.side.ask("plan", size)["edition"]
            with Memory(ours.side.pid) as memory:
                told = ours.side.ask("send", edition)
                time.sleep(2 * _EVERY_S)
            growth = Growth(recipients=size, rate=size / told["seconds"], memory=memory.curve())
            say(f"{size:,} recipients: {growth.rate:,.0f}/s, at most {max(memory.samples) / 1e6:.0f} MB")
            found.append(growth)
    return found
