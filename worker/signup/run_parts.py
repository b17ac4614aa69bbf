"""Stores a long list by several processes, each of them the lines of its own addresses.

Deciding is Python's, and Python decides on one core at a time. All read the whole file, which is cheap, and a reader's
lines are all one process's: so what is said of one address is taken in the order of the file. A process whose
parent has gone ends at its next transaction. Called by `run_import`, where the database takes more than one writer.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, Protocol

from worker.errors import TocsinError
from worker.signup.admitting import Fate
from worker.signup.importing import Faulty, Line, Share
from worker.signup.run_storing import Listing, store
from worker.store.database import Database


class ReadLines(Protocol):
    """What reads a share of a list's lines."""

    def __call__(self, stream: BinaryIO, *, share: Share) -> Iterator[Line | Faulty]:
        """Yield the share's lines, and whatever is faulty."""


_MOST_PARTS: Final = 4
_SPAWN: Final = multiprocessing.get_context("spawn")  # a process with threads must not be forked


def store_by_parts(
    database: Database, file: Path, read: ReadLines, listing: Listing, *, tell: Callable[[int], None]
) -> Counter[Fate]:
    """Store what `read` reads in a file, and return what became of the lines. `tell` is told how far all have come.

    Whatever one of the processes raises is raised here, and ends the others; what they have stored by then stays.
    """
    count = min(_MOST_PARTS, os.cpu_count() or 1)
    url = database.url.render_as_string(hide_password=False)
    fates: Counter[Fate] = Counter()
    far: dict[Connection, int] = {}
    with contextlib.ExitStack() as stack:
        for number in range(count):
            ours, theirs = _SPAWN.Pipe(duplex=False)
            stack.enter_context(ours)
            part = _Part(url, file, read, listing, Share(number, count))
            process = _SPAWN.Process(target=_store_part, args=(theirs, part), daemon=True)
            process.start()
            stack.callback(_end, process)
            theirs.close()  # only the process has it now: once that has gone, reading ends
            far[ours] = 0
        running = set(far)
        while running:
            for said in (pipe for pipe in wait(list(running)) if isinstance(pipe, Connection)):
                heard = _heard(said)
                if isinstance(heard, Exception):
                    raise heard
                if isinstance(heard, Counter):
                    fates.update(heard)
                    running.discard(said)
                else:
                    far[said] = heard
                    tell(sum(far.values()) // count)
    return fates


def _heard(said: Connection) -> Counter[Fate] | int | Exception:
    try:
        heard: Counter[Fate] | int | Exception = said.recv()
    except EOFError:
        raise TocsinError("a process that stored a part of the list was killed; run the import again") from None
    return heard


def _end(process: SpawnProcess) -> None:
    process.terminate()  # one that is done has nothing left to do
    process.join()
    process.close()


class _Part(NamedTuple):
    """What one process has to know."""

    url: str
    file: Path
    read: ReadLines
    listing: Listing
    share: Share


def _store_part(said: Connection, part: _Part) -> None:
    """Store one part of a list: what a process of its own does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is told to all; the parent ends this one
    database = Database(part.url)
    with contextlib.suppress(BrokenPipeError), contextlib.closing(database), said:
        try:
            with part.file.open("rb") as stream:
                read = part.read(stream, share=part.share)
                fates = store(database, read, part.listing, tell=lambda: said.send(stream.tell()))
            said.send(fates)
        except BrokenPipeError:
            raise
        except Exception as error:  # noqa: BLE001  whatever it is, the parent raises it
            said.send(error)
