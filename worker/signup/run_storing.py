"""Stores lines without a mistake, in transactions of at most 5,000 rows; a dry run finds out what it would store.

After a crash in between it can simply be run again, since every line is an upsert by address. `run_import` calls it,
and each of the processes that `run_parts` shares a long list out to.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from sqlalchemy.exc import DBAPIError

from worker import garbage
from worker.errors import InputError
from worker.model import Origin
from worker.signup.admitting import Dues, Fate
from worker.signup.importing import Faulty, Line
from worker.signup.run import HashAddress
from worker.signup.run_admitting import Hashed, Rehearsal, take
from worker.signup.wishes import MOST_FOLLOWS
from worker.store.database import Database

_ROWS_A_TRANSACTION: Final = 5_000
_PAUSE_S: Final = 0.02  # SQLite queues no writers: who waits looks again every tenth of a second, and must find a gap
_MOST_RETRIES: Final = 5
_RETRIED: Final = frozenset({"23505", "40001", "40P01"})  # unique_violation, serialization_failure, deadlock_detected


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """How a list is to be taken. `confirmed`: the operator vouches that its readers have said yes.

    `maps` says, for another house's list, what becomes of its lists: `foreign.lists` has the grammar. What hashes
    addresses is pickled for a long list on PostgreSQL: a module's function, or a partial of one.
    """

    hash_address: HashAddress
    origin: Origin | None = None
    maps: tuple[str, ...] = ()
    confirmed: bool = False
    dry_run: bool = False
    locale: str = "en"
    timezone: str = "UTC"


def store(
    database: Database, read: Iterable[Line | Faulty], listing: Listing, *, tell: Callable[[], None]
) -> Counter[Fate]:
    """Store what is read, and return what became of the lines. `tell` is called after every transaction.

    Raises `InputError` for a line with a mistake: who calls has looked for those.
    """
    dues = Dues()
    fates: Counter[Fate] = Counter()
    rehearsing = contextlib.closing(Rehearsal()) if listing.dry_run else contextlib.nullcontext()
    with garbage.looked_for_seldom(), rehearsing as rehearsal:
        hashed = ((line, listing.hash_address(line.address.key)) for line in _sound(read))
        for chunk in _ahead(_chunks(hashed)):
            fates.update(_take(database, chunk, listing, dues, rehearsal))
            tell()
            if rehearsal is None and database.is_sqlite:
                time.sleep(_PAUSE_S)
    return fates


def _sound(read: Iterable[Line | Faulty]) -> Iterator[Line]:
    for line in read:
        if isinstance(line, Faulty):
            raise InputError("the file has changed while it was read", where=f"line {line.number}", hint="try again")
        yield line


def _chunks(lines: Iterable[Hashed]) -> Iterator[list[Hashed]]:
    """Group lines so that none of the groups comes to more rows than a transaction may have."""
    chunk: list[Hashed] = []
    rows = 0
    for line in lines:
        chunk.append(line)
        rows += 1 + len(line[0].terms.follows)
        if rows >= _ROWS_A_TRANSACTION - MOST_FOLLOWS:
            yield chunk
            chunk, rows = [], 0
    if chunk:
        yield chunk


def _ahead(chunks: Iterator[list[Hashed]]) -> Iterator[list[Hashed]]:
    """Yield the chunks, and have the next one read while one is stored: Python has little to do meanwhile."""
    with ThreadPoolExecutor(1, "import") as reader:
        coming = reader.submit(next, chunks, None)
        while (chunk := coming.result()) is not None:
            coming = reader.submit(next, chunks, None)
            yield chunk


def _take(
    database: Database, chunk: list[Hashed], listing: Listing, dues: Dues, rehearsal: Rehearsal | None
) -> Counter[Fate]:
    """Store a chunk in one transaction, once more where somebody has signed one of its readers up meanwhile."""
    for is_last in (*[False] * _MOST_RETRIES, True):
        try:
            with database.read() if rehearsal else database.write() as conn:
                return take(conn, chunk, is_confirmed=listing.confirmed, dues=dues, rehearsal=rehearsal)
        except DBAPIError as error:
            if is_last or getattr(error.orig, "sqlstate", None) not in _RETRIED:
                raise
    raise AssertionError("unreachable")  # pragma: no cover
