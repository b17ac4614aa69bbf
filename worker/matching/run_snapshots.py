"""Snapshots of a compiled engine in one folder, so that a fresh process loads in a second what took ten to compile.

Decides which file may stand for which database. Each snapshot has a mark of its own, drawn at random, and the database
that it was made from notes the mark with the generation reached. Only a database that holds the mark takes the file: so
another installation's is passed over, and one from after the moment to which a backup has been restored, and so is what
other code has written. A file that is not there, torn or refused costs time, never a match: the folder may be emptied
whenever somebody likes.

Never keeps an engine from matching: it is written beside. Called by `run_following`.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import logging
import os
import secrets
import sys
import threading
import time
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from worker.matching.engine import Engine
from worker.store import snapshots, standing
from worker.store.database import Database
from worker.store.snapshots import Noted

log = logging.getLogger(__name__)

FEWEST_CHANGES: Final = 1_000
"""Compiled anew in a fraction of a second: no snapshot is written, or renewed, for so few."""
_SHARE: Final = 20  # of all queries, one in so many has changed: then it is renewed
_STRANGER_KEPT_S: Final = 86_400.0  # a file of whose mark this database knows nothing: whose is it?
_SUFFIX: Final = ".engine"


class Snapshots:
    """The snapshots of one database's engine in one folder."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database, self._folder = database, folder
        self._changes = 0
        self._writing: threading.Thread | None = None

    def load(self) -> tuple[Engine, int] | None:
        """Return the newest engine that is of this database and this code, and its generation; None without one."""
        with self._database.read() as conn:
            noted = snapshots.noted(conn)
        ours = [(one.generation, mark) for mark, one in noted.items() if self._is_ours(one)]
        for generation, mark in sorted(ours, reverse=True):
            path = self._path(mark)
            try:
                if path.exists():
                    return Engine.load(path), generation
            except (OSError, ValueError) as error:
                log.warning("the snapshot %s is of no use: %s", path, error)
        return None

    def note_changes(self, count: int, engine: Engine, generation: int) -> None:
        """Count what an engine has taken over; begin to write a snapshot of it, once that is much."""
        self._changes += count
        is_busy = self._writing is not None and self._writing.is_alive()
        if self._changes < _much(engine) or is_busy:
            return
        self._changes = 0
        self._writing = threading.Thread(target=self._write, args=(engine, generation), name="snapshot", daemon=True)
        self._writing.start()

    def wait(self) -> None:
        """Wait until nothing is being written."""
        if self._writing is not None:
            self._writing.join()

    def _write(self, engine: Engine, generation: int) -> None:
        try:
            with self._alone() as is_alone:
                if is_alone and not self._somebody_has(engine):
                    self._keep(engine, generation)
        except Exception:  # nobody waits for this thread: whatever went wrong is told here, and costs only time
            log.exception("no snapshot of the topics could be written to %s", self._folder)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[bool]:
        """Make the folder, and tell whether this process is the one that writes to it."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # readers' queries are nobody else's business
        with (self._folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True

    def _somebody_has(self, engine: Engine) -> bool:
        """Tell whether another process has written one already that is new enough."""
        with self._database.read() as conn:
            noted = snapshots.noted(conn)
            ours = [one.generation for mark, one in noted.items() if self._is_ours(one) and self._path(mark).exists()]
            return bool(ours) and standing.count_changed_since(conn, max(ours)) < _much(engine)

    def _keep(self, engine: Engine, generation: int) -> None:
        """Write a snapshot, complete or not at all. What the engine takes over meanwhile may be in it, without harm."""
        mark = secrets.token_hex(8)
        path = self._path(mark)
        draft = path.with_suffix(".draft")
        try:
            engine.save(draft)
            with draft.open("rb") as file:
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
        with self._database.write() as conn:
            snapshots.note(conn, mark, Noted(generation=generation, code=code_version()))
        log.info("a snapshot of %d topics, at generation %d, is in %s", len(engine), generation, path)
        self._clear(keep=mark)

    def _clear(self, *, keep: str) -> None:
        """Remove what the snapshot to keep has replaced, and what a writer has left that was killed."""
        for draft in self._folder.glob("*.draft*"):
            draft.unlink(missing_ok=True)
        with self._database.write() as conn:
            known = snapshots.noted(conn)
            for path in self._folder.glob(f"*{_SUFFIX}"):  # a process that is loading one has it open
                if path.stem != keep and (path.stem in known or _age_s(path) > _STRANGER_KEPT_S):
                    path.unlink(missing_ok=True)
                    snapshots.forget(conn, path.stem)

    def _is_ours(self, one: Noted) -> bool:
        return one.code == code_version()

    def _path(self, mark: str) -> Path:
        return self._folder / f"{mark}{_SUFFIX}"


@functools.cache
def code_version() -> str:
    """Return what changes with any line of this room's code: nobody must remember to count a version up."""
    digest = hashlib.sha256(f"{sys.version_info[:2]} {unicodedata.unidata_version}".encode())
    room = Path(__file__).parent
    for file in sorted(room.rglob("*.py")):
        digest.update(f"{file.relative_to(room)} {file.stat().st_size}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def _much(engine: Engine) -> int:
    return max(FEWEST_CHANGES, len(engine) // _SHARE)


def _age_s(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
