"""The installation's secret keys: taken from the settings, read from files, or made once and kept in the home.

Makes keys and files, decides nothing. `wiring` calls it. A lost key cannot be made again: links in old mails stop
working and suppressed addresses are no longer known, so the home is worth a backup.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from worker.errors import ConfigurationError

_BYTES = 32


def keep_key(home: Path, name: str) -> str:
    """Return the key kept in `home/keys/name`, made now if there is none, readable by its owner only."""
    path = home / "keys" / name
    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make(path)
        key = path.read_text(errors="replace").strip()
    except OSError as error:
        raise ConfigurationError(f"cannot keep a key at {path}: {error.strerror}") from error
    if len(key) < _BYTES:
        raise ConfigurationError(f"the key file {path} is damaged: restore it from a backup")
    return key


@dataclass(frozen=True, kw_only=True, slots=True)
class SigningKeyFile:
    """A DKIM key that the settings name. `algorithm` is its a=, `variable` what an operator has set."""

    algorithm: str
    selector: str
    file: Path
    variable: str


def read_key_file(path: Path) -> bytes:
    """Return a private key that the operator keeps. Raises `ConfigurationError` when strangers may read it, too."""
    try:
        if os.name == "posix" and path.stat().st_mode & 0o007:
            raise ConfigurationError(f"everybody may read the private key {path}: say `chmod o= {path}`")
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"the private key {path} cannot be read: {error.strerror}") from error


def _make(path: Path) -> None:
    """Make the key file, complete or not at all; of several processes that do, one wins and all read the same key."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
