"""Returned mail in a Maildir, as Postfix, Exim, Dovecot and maildrop deliver it.

Moves files and changes no byte of them. A mail waits in `new`, or in `cur` without a flag, where a mail program has put
it on looking; taken in it is seen (S), left for people it is flagged (F), and what cannot be read goes into the folder
`.Unreadable`. Every step is one rename: a crash in between changes nothing, or all. Built by `build`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from worker.errors import ConfigurationError
from worker.hearsay import Fate

_SETTLED: Final = frozenset("SFT")
_FLAG: Final = {Fate.TAKEN: "S", Fate.LEFT: "F"}
_ASIDE: Final = ".Unreadable"


class Maildir:
    """A Maildir, which must exist unless it is to be made."""

    def __init__(self, path: Path, *, most_bytes: int, make: bool = False) -> None:
        self._path, self._most_bytes = path, most_bytes
        if make:
            _make(path)
        for name in ("new", "cur"):
            if not os.access(path / name, os.R_OK | os.W_OK | os.X_OK):
                raise ConfigurationError(
                    f"{path} is no Maildir that can be read and written: it needs `new` and `cur`, owned by this user"
                )

    def waiting(self, *, limit: int) -> Iterator[tuple[str, bytes | None]]:
        """Yield mails, those that came first at first."""
        for key in self._keys()[:limit]:
            try:
                yield key, self.read(key)
            except FileNotFoundError:
                continue  # somebody else was first
            except OSError:
                yield key, None

    def settle(self, key: str, fate: Fate) -> None:
        """Move a mail to where it belongs, in one step."""
        source = self._path / key
        name = source.name.partition(":2,")[0]
        if fate is Fate.ASIDE:
            _make(self._path / _ASIDE)
            target = self._path / _ASIDE / "cur" / f"{name}:2,"
        else:
            target = self._path / "cur" / f"{name}:2,{_FLAG[fate]}"
        with contextlib.suppress(FileNotFoundError):
            source.rename(target)

    def receive(self, stream: BinaryIO) -> str:
        """Write a mail into it, durably but not yet for anybody to see; return its key."""
        key = f"tmp/{time.time():.6f}.P{os.getpid()}.{socket.gethostname().replace('/', '_')}"
        with (self._path / key).open("xb") as file:
            shutil.copyfileobj(stream, file)
            file.flush()
            os.fsync(file.fileno())
        return key

    def read(self, key: str) -> bytes:
        """Return the beginning of a mail."""
        with (self._path / key).open("rb") as file:
            return file.read(self._most_bytes)

    def drop(self, key: str) -> None:
        """Take a received mail out again."""
        (self._path / key).unlink(missing_ok=True)

    def close(self) -> None:
        """Nothing is held open."""

    def _keys(self) -> list[str]:
        fresh = [f"new/{entry.name}" for entry in _files(self._path / "new")]
        looked_at = [f"cur/{entry.name}" for entry in _files(self._path / "cur") if not _is_settled(entry.name)]
        return sorted(fresh + looked_at, key=lambda key: key.partition("/")[2])


def _files(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return [entry for entry in entries if not entry.name.startswith(".") and not entry.is_dir()]


def _is_settled(name: str) -> bool:
    return not _SETTLED.isdisjoint(name.rpartition(":2,")[2] if ":2," in name else "")


def _make(path: Path) -> None:
    for name in ("tmp", "new", "cur"):
        (path / name).mkdir(parents=True, exist_ok=True, mode=0o700)
