"""The log files of child processes: opened for appending, turned over when large, and their last lines quoted.

Never reads a log to decide anything: the lines are for people. Called by the supervisor and by the embedded broker.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Final

from worker.runtime.home import make_directory, unusable

TURN_OVER_AT_BYTES: Final = 10_000_000
_QUOTED_BYTES: Final = 20_000


def open_log(path: Path) -> BinaryIO:
    """Open a log for appending, after renaming one of more than 10 MB to `<name>.1` in the place of an older one.

    Only at a start, since a running child keeps its file. Raises `ConfigurationError` when the file cannot be written.
    """
    make_directory(path.parent)
    try:
        if path.exists() and path.stat().st_size > TURN_OVER_AT_BYTES:
            path.replace(path.with_name(f"{path.name}.1"))
        return path.open("ab")
    except OSError as error:
        raise unusable(path, error) from error


def last_lines(path: Path, *, count: int, since_byte: int = 0) -> Sequence[str]:
    """Return up to `count` last lines that are not blank, of what was written after `since_byte`; may be empty."""
    try:
        with path.open("rb") as log:
            end = log.seek(0, 2)
            log.seek(max(since_byte, end - _QUOTED_BYTES))
            text = log.read().decode(errors="replace")
    except OSError:
        return ()
    return tuple(line.strip() for line in text.splitlines() if line.strip())[-count:]
