"""A web server of made-up feeds, in a process of its own: what all sides of a benchmark fetch from.

Answers `GET /NAME` with a feed, 304 to whoever has its validator, whatever the host is called, and keeps no connection
open. Asserts nothing. `bench_intake` starts it.
"""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Final

ETAG: Final = '"as-it-was"'


@dataclass(frozen=True, kw_only=True)
class Served:
    """A document; `is_known`: who sends its validator is told that it has not changed."""

    data: bytes
    content_type: str
    is_known: bool = False


@contextmanager
def serving(documents: Mapping[str, Served]) -> Iterator[int]:
    """Serve documents by name until the block ends, and give the port."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_run, args=(theirs,), daemon=True)
    process.start()
    ours.send(dict(documents))
    try:
        yield ours.recv()
    finally:
        process.kill()
        process.join()


def _run(pipe: Connection) -> None:
    asyncio.run(_serve(pipe.recv(), pipe))


async def _serve(documents: Mapping[str, Served], pipe: Connection) -> None:
    answers = {name: _answer(document) for name, document in documents.items()}
    not_modified = f"HTTP/1.1 304 Not Modified\r\nETag: {ETAG}\r\nConnection: close\r\n\r\n".encode()
    known = {name for name, document in documents.items() if document.is_known}

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            name = head.split(b" ", 2)[1].decode().lstrip("/")
            has_it = name in known and b"if-none-match" in head.lower()
            writer.write(not_modified if has_it else answers[name])
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, backlog=1024)
    pipe.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def _answer(document: Served) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {document.content_type}\r\nContent-Length: {len(document.data)}\r\n"
    return f"{head}ETag: {ETAG}\r\nConnection: close\r\n\r\n".encode() + document.data
