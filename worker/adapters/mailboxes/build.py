"""Opens a mailbox of returned mail by its name: a Maildir's path, an IMAP URL, or `-` for a mail on standard input.

Decides what a name means, and refuses one that means nothing. `wiring` calls it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from worker.adapters.mailboxes.imap import Account, ImapMailbox
from worker.adapters.mailboxes.maildir import Maildir
from worker.adapters.mailboxes.standard_input import StandardInput
from worker.errors import ConfigurationError
from worker.ports import Mailbox

MOST_BYTES: Final = 1_048_576
_PORTS: Final = {"imaps": 993, "imap": 143}
_HINT: Final = "write the path of a Maildir, imaps://user:password@host/INBOX, or - for a mail on standard input"


def open_mailbox(where: str, *, left: Path) -> Mailbox:
    """Open a mailbox. `left` is where mail from standard input is kept that people should see.

    Raises `ConfigurationError` for a name that is none, and `FetchError` where an IMAP server does not let us in.
    """
    if where == "-":
        return StandardInput(Maildir(left, most_bytes=MOST_BYTES, make=True))
    if "://" in where:
        return ImapMailbox(account_of(where), most_bytes=MOST_BYTES)
    return Maildir(Path(where).expanduser(), most_bytes=MOST_BYTES)


def account_of(url: str) -> Account:
    """Read an IMAP URL. Raises `ConfigurationError`, which never quotes the password.

    >>> account_of("imaps://news%40courier.example:secret@mail.example/Bounces")
    Account(host='mail.example', port=993, user='news@courier.example', folder='Bounces', tls_at_once=True)
    """
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):
        raise ConfigurationError(f"this is no mailbox: {_HINT}") from None
    if not (parts.hostname and parts.username and parts.password):
        raise ConfigurationError(f"the mailbox needs a user, a password and a host: {_HINT}")
    folder = unquote(parts.path.strip("/")) or "INBOX"
    if not folder.isascii():
        raise ConfigurationError("write the mailbox's folder as the server lists it, in ASCII (modified UTF-7)")
    return Account(
        host=parts.hostname,
        port=port,
        user=unquote(parts.username),
        password=unquote(parts.password),
        folder=folder,
        tls_at_once=parts.scheme == "imaps",
    )
