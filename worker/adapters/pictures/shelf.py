"""Pictures that were fetched, kept on disk: up to so many bytes, those that nobody asks for going first.

Each is a file by its number, written whole or not at all; several processes may share the folder. A picture's age is
its file's mtime, its last use the atime, which is set here and trusted to no file system. A full or broken disk costs
the keeping, never the picture. The image proxy calls it, in a thread.
"""

from __future__ import annotations

import logging
import os
import tempfile
import time
from pathlib import Path
from threading import Lock
from typing import Final

log = logging.getLogger(__name__)

MAX_AGE_S: Final = 30 * 86_400.0
"""Then a picture is fetched anew: its newspaper may have thought better of it."""

_NOTED_EVERY_S: Final = 3_600.0  # how exactly the last use is known
_LEFT_SHARE: Final = 0.9  # of the limit, after sweeping


class Shelf:
    """A folder of pictures of at most `max_bytes` together; made when first needed."""

    def __init__(self, folder: Path, *, max_bytes: int) -> None:
        self._folder, self._max_bytes = folder, max_bytes
        self._lock = Lock()
        self._bytes: int | None = None  # not counted yet

    def get(self, number: int) -> bytes | None:
        """Return a picture's bytes; None where it is not kept, or has been for too long."""
        file = self._file(number)
        try:
            found = file.stat()
            if time.time() - found.st_mtime > MAX_AGE_S:
                return None
            data = file.read_bytes()
            if time.time() - found.st_atime > _NOTED_EVERY_S:
                os.utime(file, (time.time(), found.st_mtime))
        except OSError:
            return None
        return data

    def put(self, number: int, data: bytes) -> None:
        """Keep a picture, if there is room on the disk; others may go for it."""
        file = self._file(number)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=file.parent, prefix=".", delete=False) as out:
                out.write(data)
            Path(out.name).replace(file)
        except OSError as error:
            log.warning("a picture cannot be kept: %s", error.strerror)
            return
        with self._lock:
            self._bytes = self._counted() if self._bytes is None else self._bytes + len(data)
            if self._bytes > self._max_bytes:
                self._bytes = self._swept()

    def _file(self, number: int) -> Path:
        name = f"{number:016x}"
        return self._folder / name[-2:] / name

    def _counted(self) -> int:
        return sum(size for _, size, _ in self._kept())

    def _swept(self) -> int:
        """Throw away what was not used for longest, and return the size of what is left."""
        kept = sorted(self._kept())
        left = sum(size for _, size, _ in kept)
        for _, size, file in kept:
            if left <= self._max_bytes * _LEFT_SHARE:
                break
            file.unlink(missing_ok=True)
            left -= size
        return left

    def _kept(self) -> list[tuple[float, int, Path]]:
        """List what is kept, with its last use and size; also what a killed process left half written."""
        found = []
        for file in self._folder.glob("??/*"):
            try:
                about = file.stat()
            except OSError:  # another process has just thrown it away
                continue
            found.append((about.st_atime, about.st_size, file))
        return found
