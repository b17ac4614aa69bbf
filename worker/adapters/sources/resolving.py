"""Names looked up by the system's resolver, in threads of their own: slow name servers hold up nobody else.

The system's way (/etc/hosts, search domains, the order of addresses) blocks, and cannot be called off: in the event
loop's common threads a few names whose servers never answer would keep all others waiting. Here a question has a
thread to itself, is given up after a while, and what then still waits for an answer dies with the process. Caches
nothing, and judges no address. Called by `address_guard`.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import queue
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

_MOST: Final = 256  # threads; they are made when they are needed, and end when nobody asks
_GIVEN_UP_S: Final = 10.0
_IDLE_S: Final = 10.0

LookUp = Callable[[str, int], Sequence[str]]
"""From a host and a port to its addresses, the best first. Raises `OSError` or `UnicodeError`; may take its time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Question:
    host: str
    port: int
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Sequence[str]]


class Resolver:
    """Looks names up for any number of event loops. It has nothing to close."""

    def __init__(self, look_up: LookUp | None = None, *, given_up_s: float = _GIVEN_UP_S, most: int = _MOST) -> None:
        self._look_up, self._given_up_s, self._most = look_up or _ask_system, given_up_s, most
        self._questions: queue.SimpleQueue[_Question] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads = self._free = 0  # `free`: threads that wait, less the questions that wait for them

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        """Return a host's addresses, the best first. Raises `OSError`, or `UnicodeError` for what is no name."""
        if _is_address(host):
            return (host,)
        loop = asyncio.get_running_loop()
        question = _Question(host=host, port=port, loop=loop, answer=loop.create_future())
        with self._lock:
            self._questions.put(question)
            self._free -= 1
            if self._free < 0 and self._threads < self._most:
                self._threads += 1
                self._free += 1
                threading.Thread(target=self._answer, name="resolver", daemon=True).start()
        try:
            async with asyncio.timeout(self._given_up_s):
                return await question.answer
        except TimeoutError:
            raise OSError(f"no name server has answered within {self._given_up_s:g} s") from None

    def _answer(self) -> None:
        while True:
            try:
                question = self._questions.get(timeout=_IDLE_S)
            except queue.Empty:
                with self._lock:
                    if not self._questions.empty():
                        continue
                    self._threads -= 1
                    self._free -= 1
                    return
            if not question.answer.done():
                self._settle(question)
            with self._lock:
                self._free += 1

    def _settle(self, question: _Question) -> None:
        try:
            found, error = tuple(self._look_up(question.host, question.port)), None
        except Exception as raised:  # noqa: BLE001  whatever it is, it is the asker's to see
            found, error = (), raised

        def tell() -> None:
            if question.answer.done():
                return
            if error is None:
                question.answer.set_result(found)
            else:
                question.answer.set_exception(error)

        with contextlib.suppress(RuntimeError):  # the loop has been closed meanwhile
            question.loop.call_soon_threadsafe(tell)


def _ask_system(host: str, port: int) -> Sequence[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True
