"""Returned mail in an IMAP mailbox.

Speaks IMAP4rev1 through the standard library, over TLS. A mail waits while it is neither seen nor flagged; taken in it
is seen, left for people it is flagged, and what cannot be fetched is both. It is never deleted: an operator's server
has its own rules for that. Built by `build`.
"""

from __future__ import annotations

import contextlib
import imaplib
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from worker.errors import ConfigurationError, FetchError
from worker.hearsay import Fate

_TIMEOUT_S: Final = 20
COMMAND_S: Final = 120
"""How long a command may take in all: a server that says something now and then would hold us for ever."""
_FLAGS: Final = {Fate.TAKEN: r"(\Seen)", Fate.LEFT: r"(\Flagged)", Fate.ASIDE: r"(\Seen \Flagged)"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """Where an IMAP mailbox is, and who may open it. Without TLS from the start, STARTTLS is insisted on."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    folder: str = "INBOX"
    tls_at_once: bool = True


class ImapMailbox:
    """An open IMAP mailbox. Raises `FetchError` whenever the server cannot be reached or refuses: a retry may help."""

    def __init__(self, account: Account, *, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        with _told(account):
            self._server = _opened(account)

    def waiting(self, *, limit: int) -> Iterator[tuple[str, bytes | None]]:
        """Yield mails by their UID, the lowest first."""
        found = self._asked("SEARCH", "UNSEEN", "UNFLAGGED", "UNDELETED")[0]
        for uid in [word.decode() for word in found.split() if word.isdigit()][:limit]:
            parts = self._fetched(uid)
            if parts != [b""]:  # else somebody has deleted it meanwhile
                yield uid, next((part[1] for part in parts if isinstance(part, tuple)), None)

    def settle(self, key: str, fate: Fate) -> None:
        """Set a mail's flags."""
        self._asked("STORE", key, "+FLAGS.SILENT", _FLAGS[fate])

    def _fetched(self, uid: str) -> list[Any]:
        """Return what the server has of a mail; no bytes where it is damaged there, for that does not mend itself."""
        status, parts = self._answered("FETCH", uid, f"(BODY.PEEK[]<0.{self._most_bytes}>)")
        return parts if status == "OK" else [b"damaged"]

    def _asked(self, command: str, *arguments: str) -> list[Any]:
        status, said = self._answered(command, *arguments)
        if status != "OK":
            raise FetchError(f"the mailbox cannot be read: the IMAP server says to {command}: {_text(said)}")
        return said

    def _answered(self, command: str, *arguments: str) -> tuple[str, list[Any]]:
        with _told(), _in_time(self._server):
            status, said = self._server.uid(command, *arguments)
        return status, [part or b"" for part in said]

    def close(self) -> None:
        """Say goodbye."""
        try:
            with _in_time(self._server):
                self._server.logout()
        except (imaplib.IMAP4.error, OSError):
            self._server.shutdown()


def _opened(account: Account) -> imaplib.IMAP4:
    context = ssl.create_default_context()
    place = (account.host, account.port)
    if account.tls_at_once:
        server: imaplib.IMAP4 = imaplib.IMAP4_SSL(*place, ssl_context=context, timeout=_TIMEOUT_S)
    else:
        server = imaplib.IMAP4(*place, timeout=_TIMEOUT_S)
    try:
        with _in_time(server):
            if not account.tls_at_once:
                server.starttls(context)
            _log_in(server, account)
            _select(server, account)
    except BaseException:
        server.shutdown()
        raise
    return server


def _log_in(server: imaplib.IMAP4, account: Account) -> None:
    if f"{account.user}{account.password}".isascii():
        server.login(account.user, account.password)
    else:  # LOGIN takes ASCII only (RFC 3501, 6.2.3)
        server.authenticate("PLAIN", lambda _: f"\0{account.user}\0{account.password}".encode())


def _select(server: imaplib.IMAP4, account: Account) -> None:
    status, said = server.select(_quoted(account.folder))
    if status != "OK":
        raise ConfigurationError(f"{account.host} has no mailbox {account.folder!r}: {_text(said)}")


@contextlib.contextmanager
def _in_time(server: imaplib.IMAP4) -> Iterator[None]:
    """Cut the connection when what is done with it takes too long: whoever waits for an answer then gets an error."""
    timer = threading.Timer(COMMAND_S, _cut, [server])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _cut(server: imaplib.IMAP4) -> None:
    with contextlib.suppress(OSError):
        socket.socket.shutdown(server.socket(), socket.SHUT_RDWR)  # not TLS's own, which another thread is reading from


@contextlib.contextmanager
def _told(account: Account | None = None) -> Iterator[None]:
    """Turn every fault of the server, its certificate and the network into one error that names it."""
    try:
        yield
    except (imaplib.IMAP4.error, OSError) as error:
        where = f"{account.host}:{account.port}" if account else "the IMAP server"
        raise FetchError(f"the mailbox cannot be read from {where}: {error}") from error


def _quoted(folder: str) -> str:
    escaped = folder.replace("\\", r"\\").replace('"', r"\"")
    return f'"{escaped}"'


def _text(said: list[Any]) -> str:
    return " ".join(part.decode("ascii", "replace") for part in said if isinstance(part, bytes))
