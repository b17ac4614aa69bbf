"""The bytes of an SMTP conversation: writes commands and content, reads replies, and never says what they mean.

aiosmtplib has opened the connection by then (see `smtp_session.py`); from there on the wire is ours, because only then
do we know exactly what had left our hands when a connection broke. `smtp_connection.py` calls it.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import Final

from worker.adapters.transports.smtp_replies import Reply

_LINE: Final = re.compile(rb"([2-5]\d\d)(?:([ -])(.*?))?\r?\n", re.DOTALL)
_MAX_LINE_BYTES: Final = 8192
_MAX_LINES: Final = 100
_BLOCK_BYTES: Final = 65_536


class GarbledReplyError(ConnectionError):
    """The relay said something that is no SMTP reply: after that, no reply can be told from another."""


class Wire:
    """An open connection, one command at a time. Every error of its methods is an `OSError`, timeouts included."""

    def __init__(self, transport: asyncio.Transport) -> None:
        loop = asyncio.get_running_loop()
        self._reader = asyncio.StreamReader(limit=_MAX_LINE_BYTES, loop=loop)
        protocol = asyncio.StreamReaderProtocol(self._reader, loop=loop)
        protocol.connection_made(transport)
        transport.set_protocol(protocol)
        # `drain` then waits until every byte is with the operating system, not until few enough are left. Not high=0:
        # asyncio's TLS transport compares with >=, would find an empty buffer too full, and never say otherwise.
        transport.set_write_buffer_limits(high=1, low=0)
        self._writer = asyncio.StreamWriter(transport, protocol, self._reader, loop)

    @property
    def is_open(self) -> bool:
        """Whether a reply may still come. False once the relay has hung up, as far as we have heard."""
        return not (self._writer.is_closing() or self._reader.at_eof())

    async def write(self, data: bytes, timeout_s: float) -> None:
        """Write all of `data`; when this returns it has left this process, and the connection still stood.

        `timeout_s` is for each block, not for all of them (RFC 5321, 4.5.3.2.5). Under TLS the end of it, less than two
        blocks, may still wait in asyncio's lower layer: then a loss is noticed a little later than it happened.
        """
        for start in range(0, len(data), _BLOCK_BYTES):
            async with asyncio.timeout(timeout_s):
                self._writer.write(data[start : start + _BLOCK_BYTES])
                await self._writer.drain()
            if not self.is_open:
                raise ConnectionResetError("the relay hung up")

    async def ask(self, data: bytes, timeout_s: float) -> Reply:
        """Write `data` and read the one reply to it."""
        async with asyncio.timeout(timeout_s):
            self._writer.write(data)
            return await self._read_reply()

    def abort(self) -> None:
        """Drop the connection at once, with whatever is on its way."""
        self._writer.transport.abort()

    async def wait_closed(self) -> None:
        """Wait for the loop to let go of the socket after `abort`."""
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def _read_reply(self) -> Reply:
        lines: list[str] = []
        while len(lines) < _MAX_LINES:
            code, more, text = _parse_line(await self._read_line())
            lines.append(text)
            if not more:
                return Reply.of(code, lines)
        raise GarbledReplyError("the relay's reply has no end")

    async def _read_line(self) -> bytes:
        try:
            line = await self._reader.readline()
        except ValueError as error:  # asyncio's word for a line beyond the reader's limit
            raise GarbledReplyError("the relay's reply is too long") from error
        if not line.endswith(b"\n"):
            raise ConnectionResetError("the relay hung up")
        return line


def _parse_line(line: bytes) -> tuple[int, bool, str]:
    r"""Split a line of a reply into its code, whether more lines follow, and its text.

    >>> _parse_line(b"250-2.0.0 Ok\r\n")
    (250, True, '2.0.0 Ok')
    """
    parts = _LINE.fullmatch(line)
    if not parts:
        raise GarbledReplyError("the relay's reply is no SMTP")
    return int(parts[1]), parts[2] == b"-", (parts[3] or b"").decode("utf-8", "replace").strip()
