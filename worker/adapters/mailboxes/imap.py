"""Returned mail in an IMAP mailbox.

Speaks IMAP4rev1 through the standard library, over TLS. A mail waits while it is neither seen nor flagged; taken in it
is seen, left for people it is flagged, and what cannot be fetched is both. It is never deleted: an operator's server
has its own rules for that. Built by `build`.
"""

from __future__ import annotations

import contextlib
import imaplib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from worker.errors import ConfigurationError, FetchError
from worker.hearsay import Fate

_TIMEOUT_S: Final = 20
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
        for uid in self._asked("SEARCH", "UNSEEN", "UNFLAGGED", "UNDELETED")[0].decode().split()[:limit]:
            parts = self._asked("FETCH", uid, f"(BODY.PEEK[]<0.{self._most_bytes}>)")
            if parts != [b""]:  # else somebody has deleted it meanwhile
                yield uid, next((part[1] for part in parts if isinstance(part, tuple)), None)

    def settle(self, key: str, fate: Fate) -> None:
        """Set a mail's flags."""
        self._asked("STORE", key, "+FLAGS.SILENT", _FLAGS[fate])

    def _asked(self, command: str, *arguments: str) -> list[Any]:
        with _told():
            status, said = self._server.uid(command, *arguments)
            if status != "OK":
                raise imaplib.IMAP4.error(f"{command}: {_text(said)}")
        return [part or b"" for part in said]

    def close(self) -> None:
        """Say goodbye."""
        with contextlib.suppress(imaplib.IMAP4.error, OSError):
            self._server.logout()


def _opened(account: Account) -> imaplib.IMAP4:
    context = ssl.create_default_context()
    place = (account.host, account.port)
    if account.tls_at_once:
        server: imaplib.IMAP4 = imaplib.IMAP4_SSL(*place, ssl_context=context, timeout=_TIMEOUT_S)
    else:
        server = imaplib.IMAP4(*place, timeout=_TIMEOUT_S)
    try:
        if not account.tls_at_once:
            server.starttls(context)
        server.login(account.user, account.password)
        _select(server, account)
    except BaseException:
        server.shutdown()
        raise
    return server


def _select(server: imaplib.IMAP4, account: Account) -> None:
    status, said = server.select(_quoted(account.folder))
    if status != "OK":
        raise ConfigurationError(f"{account.host} has no mailbox {account.folder!r}: {_text(said)}")


@contextlib.contextmanager
def _told(account: Account | None = None) -> Iterator[None]:
    """Turn every fault of the server, its certificate and the network into one error that names it."""
    try:
        yield
    except (imaplib.IMAP4.error, OSError) as error:
        where = f"{account.host}:{account.port}" if account else "the IMAP server"
        raise FetchError(f"returned mail cannot be read from {where}: {error}") from error


def _quoted(folder: str) -> str:
    escaped = folder.replace("\\", r"\\").replace('"', r"\"")
    return f'"{escaped}"'


def _text(said: list[Any]) -> str:
    return " ".join(part.decode("ascii", "replace") for part in said if isinstance(part, bytes))
