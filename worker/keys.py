"""The installation's secret keys: taken from the settings, or made once and kept in the home.

Makes keys and files, decides nothing. `wiring` calls it. A lost key cannot be made again: links in old mails stop
working and suppressed addresses are no longer known, so the home is worth a backup.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from worker.errors import ConfigurationError

_BYTES = 32


def keep_key(home: Path, name: str) -> str:
    """Return the key kept in `home/keys/name`, made now if there is none, readable by its owner only."""
    path = home / "keys" / name
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read(path)
    except OSError as error:
        raise ConfigurationError(f"cannot keep a key at {path}: {error.strerror}") from error
    with os.fdopen(made, "w") as file:
        file.write(secrets.token_urlsafe(_BYTES))
        file.flush()
        os.fsync(file.fileno())
    return _read(path)


def _read(path: Path) -> str:
    key = path.read_text().strip()
    if len(key) < _BYTES:
        raise ConfigurationError(f"the key file {path} is damaged: restore it from a backup")
    return key
