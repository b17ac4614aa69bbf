"""An engine's index as one file, so that a fresh worker need not read a hundred thousand queries again.

Decides the file's form, and that nobody uses one that this very version has not written. Writes beside the file and
renames, so that whoever reads finds all or nothing. `engine` calls it; what a file belongs to is its caller's business.
"""

from __future__ import annotations

import hashlib
import os
import pickle
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, Final

from worker.matching.analyser import ANALYSER_VERSION

_MAGIC: Final = b"tocsin index\n"
_LENGTH: Final = 32  # bytes of a hash
_MODULES: Final = (
    "features",
    "owners",
    "index",
    "programs",
    "program_store",
    "compiled.layout",
    "compiled.build",
    "compiled.hashing",
)
"""What an index is made by and for: another version of any of them may mean something else by the same numbers."""


class StaleSnapshotError(ValueError):
    """The file was written by another version, or is damaged or no snapshot at all. Build anew; a retry never helps."""


def frozen(content: object) -> bytes:
    """Return objects of this room and arrays as bytes, for `write`."""
    return pickle.dumps(content, protocol=5)


def write(path: Path, payload: bytes) -> None:
    """Write what `frozen` gave to a file, in one step. Raises `OSError`."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        with unfinished.open("wb") as file:
            file.write(_MAGIC + _version() + hashlib.blake2b(payload, digest_size=_LENGTH).digest())
            file.write(payload)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def read(path: Path) -> Any:  # noqa: ANN401  what was written; the caller knows
    """Return what was written. Raises `StaleSnapshotError`, and `OSError` when there is nothing to be read."""
    with path.open("rb") as file:
        if file.read(len(_MAGIC) + _LENGTH) != _MAGIC + _version():
            raise StaleSnapshotError(f"{path} was written by another version")
        expected = file.read(_LENGTH)
        start = file.tell()
        if hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=_LENGTH)).digest() != expected:
            raise StaleSnapshotError(f"{path} is damaged")
        file.seek(start)
        return _Reader(file).load()


class _Reader(pickle.Unpickler):
    """Makes objects of this room and numpy's arrays, and nothing else, whatever a file says."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401  as in the base class
        if module.partition(".")[0] == "numpy" or module.startswith("worker.matching."):
            return super().find_class(module, name)
        raise StaleSnapshotError(f"{module}.{name} has no place in a snapshot")


@cache
def _version() -> bytes:
    hashed = hashlib.blake2b(str(ANALYSER_VERSION).encode(), digest_size=_LENGTH)
    for name in _MODULES:
        hashed.update(Path(str(import_module(f"worker.matching.{name}").__file__)).read_bytes())
    return hashed.digest()
