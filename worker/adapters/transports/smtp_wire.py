"""The bytes of an SMTP conversation: writes commands and content, reads replies, and never says what they mean.

aiosmtplib has opened the connection by then (see `smtp_session.py`); from there on the wire is ours, because only then
do we know exactly what had left our hands when a connection broke, and can write several commands in one group
(RFC 2920). `smtp_connection.py` calls it.
"""

from __future__ import annotations

import asyncio
import functools
import re
from collections import deque
from typing import Final

from worker.adapters.transports.smtp_replies import Reply

_LINE: Final = re.compile(rb"([2-5]\d\d)(?:([ -])(.*?))?\r?", re.DOTALL)
_MAX_LINE_BYTES: Final = 8192
_MAX_LINES: Final = 100
_FEW_BYTES: Final = 65_536  # what goes in one write; more is written in blocks, so that each has its own time


class GarbledReplyError(ConnectionError):
    """The relay said something that is no SMTP reply: after that, no reply can be told from another."""


class Wire(asyncio.Protocol):
    """An open connection. Every error of its methods is an `OSError`, timeouts included.

    Replies are kept in their order until they are read; one task reads and writes at a time.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._replies: deque[Reply] = deque()
        self._lines: list[str] = []  # of a reply that has not ended
        self._rest = b""
        self._end: OSError | None = None  # why no reply can come any more
        self._reader: asyncio.Future[None] | None = None
        self._drained: asyncio.Future[None] | None = None
        self._closed: asyncio.Future[None] = self._loop.create_future()
        self._clock: asyncio.TimerHandle | None = None
        self._deadline_s = 0.0
        transport.set_protocol(self)
        # `drain` waits until every byte is with the operating system, not until few enough are left. Not high=0:
        # asyncio's TLS transport compares with >=, would find an empty buffer too full, and never say otherwise.
        transport.set_write_buffer_limits(high=1, low=0)

    @property
    def is_open(self) -> bool:
        """Whether a reply may still come, and none has come that nobody asked for."""
        return self._end is None and not self._replies and not self._transport.is_closing()

    def write(self, *chunks: bytes) -> None:
        """Hand `chunks` to the connection, to leave in one piece; what it cannot take at once waits inside."""
        if self._end is None:
            self._transport.write(b"".join(chunks))  # quicker than `writelines`, which asks for each of them

    async def drain(self, data: bytes, timeout_s: float) -> None:
        """Write all of `data` and wait until it has left this process; then the connection still stood.

        `timeout_s` is for each block, not for all of them (RFC 5321, 4.5.3.2.5). Under TLS the end of it, less than two
        blocks, may still wait in a lower layer: then a loss is noticed a little later than it happened.
        """
        try:
            for start in range(0, len(data), _FEW_BYTES):
                self._transport.write(data[start : start + _FEW_BYTES])
                async with asyncio.timeout(timeout_s):
                    while self._end is None and self._transport.get_write_buffer_size():
                        self._drained = self._loop.create_future()
                        await self._drained
                if self._end is not None:
                    raise self._end
        finally:
            self._drained = None

    def read_at_hand(self) -> Reply | None:
        """Give the next reply if it has come: a group's come together, and `read` would be a coroutine for each."""
        return self._replies.popleft() if self._replies else None

    async def read(self, timeout_s: float) -> Reply:
        """Give the next reply, as soon as it has come."""
        while not self._replies:
            if self._end is not None:
                raise self._end
            self._reader = self._loop.create_future()
            self._deadline_s = self._loop.time() + timeout_s
            if self._clock is None or self._clock.when() > self._deadline_s:
                self._set_clock(self._deadline_s)
            try:
                await self._reader
            finally:
                self._reader = None
        return self._replies.popleft()

    async def ask(self, data: bytes, timeout_s: float) -> Reply:
        """Write `data` and read the one reply to it."""
        self.write(data)
        return await self.read(timeout_s)

    def abort(self) -> None:
        """Drop the connection at once, with whatever is on its way."""
        self._transport.abort()

    async def wait_closed(self) -> None:
        """Wait for the loop to let go of the socket after `abort`."""
        await asyncio.shield(self._closed)

    # What the loop calls ----------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Take bytes in, and wake whoever waits when a reply is complete."""
        *lines, self._rest = (self._rest + data if self._rest else data).split(b"\n")
        try:
            for line in lines:
                if line[3:4] == b" " and not self._lines:
                    self._replies.append(_one_line(line))
                else:
                    self._take(line)
            _check_length(self._rest)
        except GarbledReplyError as error:
            self._finish(error)
            self._transport.abort()
        if self._replies and self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def eof_received(self) -> None:
        """Note that the relay has closed its side: nothing more will come."""
        self._finish(ConnectionResetError("the relay hung up"))

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the connection is gone."""
        self._finish(exc if isinstance(exc, OSError) else ConnectionResetError("the relay hung up"))
        if self._clock is not None:
            self._clock.cancel()
        if not self._closed.done():
            self._closed.set_result(None)

    def pause_writing(self) -> None:
        """Nothing: `drain` looks for itself."""

    def resume_writing(self) -> None:
        """Let `drain` go on."""
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    def _take(self, line: bytes) -> None:
        code, more, text = parse_line(line)
        self._lines.append(text)
        if not more:
            self._replies.append(Reply.of(code, self._lines))
            self._lines = []
        elif len(self._lines) >= _MAX_LINES:
            raise GarbledReplyError("the relay's reply has no end")

    def _finish(self, error: OSError) -> None:
        self._end = self._end or error
        for waiter in (self._reader, self._drained):
            if waiter is not None and not waiter.done():
                waiter.set_result(None)

    def _set_clock(self, when_s: float) -> None:
        if self._clock is not None:
            self._clock.cancel()
        self._clock = self._loop.call_at(when_s, self._look_at_clock)

    def _look_at_clock(self) -> None:
        """End a wait that has taken too long. One timer serves many waits: it is set anew only when it goes off."""
        self._clock = None
        if self._reader is None or self._reader.done():
            return
        if self._loop.time() < self._deadline_s:
            self._set_clock(self._deadline_s)
        else:
            self._reader.set_exception(TimeoutError("it took too long"))


def fits_one_write(data: bytes) -> bool:
    """Tell whether `data` may go out in one write with what follows it."""
    return len(data) <= _FEW_BYTES


@functools.lru_cache(maxsize=64)
def _one_line(line: bytes) -> Reply:
    """Read a reply of one line. Relays say the same three things to every envelope."""
    code, _, text = parse_line(line)
    return Reply.of(code, [text])


def parse_line(line: bytes) -> tuple[int, bool, str]:
    r"""Split a line of a reply, without its LF, into its code, whether more lines follow, and its text.

    Raises `GarbledReplyError` for anything else.

    >>> parse_line(b"250-2.0.0 Ok\r")
    (250, True, '2.0.0 Ok')
    """
    _check_length(line)
    parts = _LINE.fullmatch(line)
    if not parts:
        raise GarbledReplyError("the relay's reply is no SMTP")
    return int(parts[1]), parts[2] == b"-", (parts[3] or b"").decode("utf-8", "replace").strip()


def _check_length(line: bytes) -> None:
    if len(line) > _MAX_LINE_BYTES:
        raise GarbledReplyError("the relay's reply is too long")
