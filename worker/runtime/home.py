"""The home directory: made when missing, usable or refused in one line, and used by one `tocsin up` at a time.

Knows nothing of what lies in the home, apart from its lock. Called by the command line before anything is started, and
by whoever needs a directory inside the home.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Self, TextIO

from worker.errors import ConfigurationError

HOME_VARIABLE = "TOCSIN_HOME"
LOCK_NAME = "lock"


def make_directory(directory: Path) -> Path:
    """Make the directory, and its parents, unless it is there; readable by nobody else, for it holds keys and mail.

    Raises `ConfigurationError`, one line, where that is not possible.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise unusable(directory, error) from error
    return directory


def unusable(path: Path, error: OSError) -> ConfigurationError:
    """Say in one line why a path in the home cannot be used, and which variable to change.

    >>> str(unusable(Path("/srv/news"), PermissionError(13, "Permission denied")))
    'cannot use /srv/news: permission denied; set TOCSIN_HOME to a directory that you may write to'
    """
    if isinstance(error, FileExistsError | NotADirectoryError):
        reason = "a file is in the place of a directory"
    else:
        reason = (error.strerror or str(error)).lower()
    return ConfigurationError(f"cannot use {path}: {reason}; set {HOME_VARIABLE} to a directory that you may write to")


class HomeLock:
    """Keeps a second `tocsin up` out of a home, for as long as this process lives.

    The kernel drops the lock with the process, however that ends, so a crash leaves nothing to clear away. The file
    stays: removing it would let two processes lock two files of one name. What stands in it afterwards tells, by
    `was_abandoned`, that the last owner was killed: its children may need some seconds more to end.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._file: TextIO | None = None
        self.was_abandoned = False

    def acquire(self) -> None:
        """Make the home and lock it. Raises `ConfigurationError`: not writable, or another process (named) is in it."""
        path = make_directory(self._home) / LOCK_NAME
        try:
            file = path.open("a+", encoding="ascii")
        except OSError as error:
            raise unusable(path, error) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise self._refusal(file, error) from error
        file.seek(0)
        self.was_abandoned = bool(file.read().strip())
        _replace_text(file, str(os.getpid()))
        self._file = file

    def release(self) -> None:
        """Let others in. Calling it again does nothing."""
        if self._file is not None:
            _replace_text(self._file, "")
            self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def _refusal(self, file: TextIO, error: OSError) -> ConfigurationError:
        with file:
            if not isinstance(error, BlockingIOError):
                return unusable(self._home, error)
            file.seek(0)
            owner = file.read().strip()
        process = f"process {owner}" if owner else "another process"
        return ConfigurationError(
            f"the home {self._home} is in use by another tocsin ({process}): stop it, or set {HOME_VARIABLE} to another"
        )


def _replace_text(file: TextIO, text: str) -> None:
    file.truncate(0)
    file.write(text)
    file.flush()
