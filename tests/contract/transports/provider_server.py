"""An HTTP server on a real socket that plays a provider: answers as documented, or fails in the middle of it.

It speaks just as much HTTP/1.1 as a POST with a Content-Length needs, so that it can break off anywhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self


@dataclass(frozen=True, kw_only=True)
class Posted:
    """A request as it came in; header names in lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def replied(status: int, body: object, **headers: str) -> Reply:
    """Answer in JSON; a header's name is written with _ for -."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status=status, headers={"Content-Type": "application/json", **named}, body=json.dumps(body).encode())


class Fault(StrEnum):
    """What happens instead of an answer, once the whole request has been read."""

    HANG = "hang"
    RESET = "reset"
    CLOSE = "close"
    HALF = "half"  # of an answer, and then a reset
    DRIP = "drip"  # a byte of an answer now and then, without end
    NONSENSE = "nonsense"  # not HTTP


Act = Reply | Fault


class ProviderServer:
    """Calls `answer` with each request, and does what it gives."""

    def __init__(self, answer: Callable[[Posted], Act], tls: ssl.SSLContext | None = None) -> None:
        self._answer, self._tls = answer, tls
        self.posted: list[Posted] = []
        self.connections = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._meet, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        self.connections += 1
        try:
            while await self._serve(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()
            self._tasks.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serve one request; tell whether the connection lives on."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, path, _ = head[0].split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        assert method == "POST"
        posted = Posted(path=path, headers=headers, body=await reader.readexactly(int(headers["content-length"])))
        self.posted.append(posted)
        act = self._answer(posted)
        if isinstance(act, Reply):
            writer.write(_written(act))
            await writer.drain()
            return True
        return await self._fail(act, writer)

    async def _fail(self, fault: Fault, writer: asyncio.StreamWriter) -> bool:
        match fault:
            case Fault.HANG:
                await asyncio.Event().wait()
            case Fault.DRIP:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                while True:
                    writer.write(b" ")
                    await writer.drain()
                    await asyncio.sleep(0.02)
            case Fault.HALF:
                writer.write(_written(replied(200, {"data": ["x" * 100]}))[:-50])
                await writer.drain()
            case Fault.NONSENSE:
                writer.write(b"\x16\x03\x01 I am no web server\r\n\r\n")
                await writer.drain()
        if fault is not Fault.CLOSE:
            writer.transport.abort()
        return False


def _written(reply: Reply) -> bytes:
    lines = [f"HTTP/1.1 {reply.status} Whatever", *(f"{name}: {value}" for name, value in reply.headers.items())]
    return "\r\n".join([*lines, f"Content-Length: {len(reply.body)}", "", ""]).encode() + reply.body
