"""Reads a file that somebody names on the command line, `-` for standard input, and never all of an endless one.

Decides nothing about the bytes. The commands that take documents and lists call it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from worker.errors import InputError


def read_given(file: Path | str, *, most_bytes: int, name: str) -> bytes:
    """Return the first `most_bytes` of a file: one more than is allowed shows that it is too large.

    Raises `InputError` that begins with `name`.
    """
    try:
        if str(file) == "-":
            return sys.stdin.buffer.read(most_bytes)
        with Path(file).open("rb") as stream:
            return stream.read(most_bytes)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", where=name) from error
