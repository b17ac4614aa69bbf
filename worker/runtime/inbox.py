"""The local inbox: a real SMTP server on loopback that keeps what it gets in a Maildir.

It answers the end of data only when the message is on disk, so that whatever a sender was told is true after any crash.
It relays nothing and never listens to the network. `tocsin demo` and `tocsin up` run `serve` in a process of its own;
tests use `listen`. The reading side is re-exported here for the `/inbox` page and for erasure.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final
from weakref import WeakSet

from aiosmtpd.smtp import SMTP, Envelope, Session

from worker.adapters.transports import maildir as storage
from worker.adapters.transports.maildir import (
    InboxMessage,
    count_messages,
    erase_messages_to,
    list_messages,
    look_up,
    read_message,
)
from worker.adapters.transports.spec import is_loopback
from worker.errors import ConfigurationError
from worker.runtime.ports import ensure_free

__all__ = [
    "InboxMessage",
    "count_messages",
    "erase_messages_to",
    "list_messages",
    "listen",
    "look_up",
    "read_message",
    "serve",
]

MAX_MESSAGE_BYTES: Final = 32 * 1024 * 1024
_LAST_WRITES_S: Final = 1.0


def serve(host: str, port: int, maildir: Path, ready: Callable[[int], None] | None = None) -> None:
    """Run the inbox until SIGTERM or SIGINT, and return within two seconds of it.

    `ready` is called with the port, once connections are accepted. For the main thread of a process of its own.
    Raises `ConfigurationError`, one line, when the port is taken, the address not loopback, or the folder unwritable.
    """
    asyncio.run(_serve(host, port, maildir, ready))


async def _serve(host: str, port: int, maildir: Path, ready: Callable[[int], None] | None) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with listen(host, port, maildir) as bound:
        if ready:
            ready(bound)
        await stop.wait()


@contextlib.asynccontextmanager
async def listen(host: str, port: int, maildir: Path) -> AsyncIterator[int]:
    """Run the inbox inside the running loop, as long as the context lasts; gives the port (of use where 0 was asked).

    Raises `ConfigurationError` as `serve` does.
    """
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd writes addresses to it as plain information
    sessions: WeakSet[SMTP] = WeakSet()
    handler = _Handler(maildir)

    def greet() -> SMTP:
        session = SMTP(
            handler,
            hostname="inbox.localhost",
            ident="Tocsin inbox",
            data_size_limit=MAX_MESSAGE_BYTES,
            enable_SMTPUTF8=True,
        )
        sessions.add(session)
        return session

    server = await _start(greet, host, port, maildir)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await handler.finish()
        await asyncio.sleep(0)  # lets the replies to what was just stored go out
        for session in sessions:
            if session.transport is not None:
                session.transport.close()
        await asyncio.sleep(0)  # lets the sessions see their connections closed


class _Handler:
    """What aiosmtpd asks about a message: its hooks are named and called by it."""

    def __init__(self, maildir: Path) -> None:
        self._maildir = maildir
        self._storing: set[asyncio.Task[str]] = set()

    async def handle_EHLO(  # noqa: N802  aiosmtpd's name
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Offer PIPELINING too: aiosmtpd does it (it reads commands off a stream) but does not say so."""
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_DATA(  # noqa: N802  aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Store one copy a recipient, as a mailbox would, and answer when all are durable."""
        stored = asyncio.get_running_loop().create_task(self._store(envelope))
        self._storing.add(stored)
        stored.add_done_callback(self._storing.discard)
        # Shielded: the sender's hanging up must not leave a message half acknowledged to itself.
        return await asyncio.shield(stored)

    async def finish(self) -> None:
        """Wait for what is being written, but not for long."""
        if self._storing:
            await asyncio.wait(self._storing, timeout=_LAST_WRITES_S)

    async def _store(self, envelope: Envelope) -> str:
        sender = (envelope.mail_from or "").removeprefix("<").removesuffix(">")
        content: Any = envelope.content
        try:
            ids = [
                await asyncio.to_thread(storage.store, self._maildir, content, sender=sender, recipient=recipient)
                for recipient in envelope.rcpt_tos
            ]
        except OSError as error:
            return _not_stored(error)
        return f"250 2.0.0 Ok: queued as {ids[0]}"


def _not_stored(error: OSError) -> str:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return "452 4.3.1 The disk is full"
    return f"451 4.3.0 Not stored: {error.strerror}"


async def _start(greet: Callable[[], SMTP], host: str, port: int, maildir: Path) -> asyncio.Server:
    """Take the port before touching the Maildir: a second server must not sweep what the first one is writing."""
    if not is_loopback(host):
        raise ConfigurationError(f"the local inbox listens on this machine only: write 127.0.0.1 instead of {host}")
    ensure_free(host, port, "the local inbox", "TOCSIN_INBOX_PORT")
    try:
        server = await asyncio.get_running_loop().create_server(greet, host, port, start_serving=False)
    except OSError as error:
        raise ConfigurationError(f"the local inbox cannot listen on port {port} of {host}: {error}") from error
    try:
        storage.make(maildir)
    except OSError as error:
        server.close()
        raise ConfigurationError(f"the local inbox cannot keep mail in {maildir}: {error.strerror}") from error
    await server.start_serving()
    return server
