"""A real HTTP server whose every byte a test decides: asyncio underneath, one function a path."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Answer = Callable[["Request", asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Request:
    path: str
    headers: dict[str, str]
    head: bytes = b""  # all of it, as it came


@dataclass
class ScriptedWeb:
    """`requests` are what was asked for, in order; `connections` how often somebody connected."""

    url: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    connections: int = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            came = await reader.readuntil(b"\r\n\r\n")
            head = came.decode("latin-1").split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
            request = Request(path=head[0].split()[1], headers=headers, head=came)
            self.requests.append(request)
            await self.answers[request.path.partition("?")[0]](request, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has heard enough
        finally:
            writer.close()


def reply(status: int, body: bytes = b"", **headers: str) -> Answer:
    """Answer with one status, body and headers (`content_type` stands for Content-Type)."""

    async def answer(_request: Request, writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status} X", "Connection: close", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    return answer


@asynccontextmanager
async def scripted_web() -> AsyncIterator[ScriptedWeb]:
    web = ScriptedWeb()
    server = await asyncio.start_server(web.talk, "127.0.0.1", 0)
    web.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield web
