"""Stores a list of readers that an operator brings: all of it, or nothing where a single line is wrong.

A first pass over the file looks for mistakes, a second one stores in transactions of at most 5,000 rows. After a crash
in between it can simply be run again, since every line is an upsert by address. The CLI and the demo call it.
"""

from __future__ import annotations

import collections
import contextlib
import functools
import os
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from sqlalchemy.exc import DBAPIError

from worker.errors import InputError
from worker.model import Origin
from worker.signup.admitting import Dues, Fate
from worker.signup.foreign.listmonk import read_listmonk
from worker.signup.foreign.lists import Lists, read_lists
from worker.signup.foreign.mailchimp import read_mailchimp
from worker.signup.importing import NEWSLETTER, Faulty, Line, Rules, read_lines
from worker.signup.run import HashAddress
from worker.signup.run_admitting import Hashed, Rehearsal, take
from worker.signup.wishes import MOST_FOLLOWS
from worker.store import newsletters, topics
from worker.store.database import Database

__all__ = ["Fate", "Imported", "Listing", "import_readers", "take"]

MOST_SHOWN: Final = 50
_ROWS_A_TRANSACTION: Final = 5_000
_PAUSE_S: Final = 0.02  # SQLite queues no writers: who waits looks again every tenth of a second, and must find a gap
_WRITERS: Final = 2  # on PostgreSQL
_MOST_RETRIES: Final = 5
_RETRIED: Final = frozenset({"23505", "40001", "40P01"})  # unique_violation, serialization_failure, deadlock_detected


ReadLines = Callable[[BinaryIO], Iterator[Line | Faulty]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Imported:
    """How many lines there were, and what became of them.

    `lists` tells of each list of another house how many readers were on it, and what it becomes or what to write;
    `unmapped` are those that nothing was said of.
    """

    lines: int
    fates: Counter[Fate]
    lists: tuple[dict[str, Any], ...] = ()
    unmapped: tuple[str, ...] = ()

    @property
    def has_questions(self) -> bool:
        """Tell whether confirmations wait to be planned."""
        return self.fates[Fate.ASKED] > 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """How a list is to be taken. `confirmed`: the operator vouches that its readers have said yes.

    `maps` says, for another house's list, what becomes of its lists: `foreign.lists` has the grammar.
    """

    hash_address: HashAddress
    origin: Origin | None = None
    maps: tuple[str, ...] = ()
    confirmed: bool = False
    dry_run: bool = False
    locale: str = "en"
    timezone: str = "UTC"


def import_readers(
    database: Database, file: Path, listing: Listing, *, progress: Callable[[int], None] = lambda _bytes: None
) -> Imported:
    """Import a CSV file. `progress` is told the bytes read so far, which come to twice the file's size.

    Raises `InputError` that names each of the first 50 mistakes, and then nothing is stored.
    """
    try:
        with file.open("rb") as stream:
            with database.read() as conn:
                slugs = {topic.slug for topic in topics.topics(conn, shared_only=True) if topic.slug}
                slugs |= {NEWSLETTER + slug for slug in newsletters.slugs(conn)}
            rules = Rules(topics=slugs, locale=listing.locale, timezone=listing.timezone)
            lists = _lists(listing, slugs)
            read = functools.partial(_read, file=file, rules=rules, listing=listing, lists=lists)
            size_bytes = os.fstat(stream.fileno()).st_size
            _check(stream, read, file, lambda: progress(min(stream.tell(), size_bytes)))
            lists.counts = False
            stream.seek(0)
            told = functools.partial(_far, stream, size_bytes, progress)
            fates = _store(database, _lines(read(stream)), listing, told)
            progress(2 * size_bytes)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(file)) from error
    table = tuple(lists.table()) if listing.origin else ()
    return Imported(lines=fates.total(), fates=fates, lists=table, unmapped=tuple(lists.unmapped()))


def _lists(listing: Listing, slugs: Collection[str]) -> Lists:
    if listing.origin is None:
        if listing.maps:
            raise InputError("only another house's lists are mapped", where="--map", hint="say --from where it is from")
        return Lists()
    lists = read_lists(listing.maps, slugs)
    if not lists and not listing.dry_run:
        hint = f"`--from {listing.origin} --dry-run` shows its lists, and what to write"
        raise InputError("it is not said what its lists become", where="--map", hint=hint)
    return lists


def _read(stream: BinaryIO, *, file: Path, rules: Rules, listing: Listing, lists: Lists) -> Iterator[Line | Faulty]:
    if listing.origin is Origin.LISTMONK:
        return read_listmonk(stream, file.name, rules, lists)
    if listing.origin is Origin.MAILCHIMP:
        return read_mailchimp(stream, file.name, rules, lists)
    return read_lines(stream, rules)


def _far(stream: BinaryIO, size_bytes: int, progress: Callable[[int], None]) -> None:
    progress(size_bytes + min(stream.tell(), size_bytes))


def _check(stream: BinaryIO, read: ReadLines, file: Path, tell: Callable[[], None]) -> None:
    mistakes: list[InputError] = []
    found = 0
    try:
        for count, line in enumerate(read(stream)):
            if isinstance(line, Faulty):
                found += len(line.mistakes)
                mistakes.extend(line.mistakes[: MOST_SHOWN - len(mistakes)])
            if count % 1_000 == 0:
                tell()
    except InputError as error:
        raise InputError(error.message, where=_place(file, error.where), hint=error.hint) from error
    if found:
        raise _refusal(file, mistakes, found)


def _refusal(file: Path, mistakes: list[InputError], found: int) -> InputError:
    if found == 1:
        only = mistakes[0]
        return InputError(only.message, where=_place(file, only.where), hint=only.hint)
    shown = "".join(f"\n  {mistake}" for mistake in mistakes)
    more = f"\n  and {found - len(mistakes):,} more" if found > len(mistakes) else ""
    return InputError(f"{found:,} mistakes, nothing was imported:{shown}{more}", where=file.name)


def _place(file: Path, where: str) -> str:
    return f"{file.name}, {where}" if where else file.name


def _lines(read: Iterable[Line | Faulty]) -> Iterator[Line]:
    for line in read:
        if isinstance(line, Faulty):
            raise InputError("the file has changed while it was read", where=f"line {line.number}", hint="try again")
        yield line


def _store(database: Database, lines: Iterable[Line], listing: Listing, tell: Callable[[], None]) -> Counter[Fate]:
    dues = Dues()
    with contextlib.closing(Rehearsal()) if listing.dry_run else contextlib.nullcontext() as rehearsal:
        hashed = ((line, listing.hash_address(line.address.key)) for line in lines)
        chunks = _ahead(_chunks(hashed))
        if rehearsal is None and not database.is_sqlite:
            return _store_side_by_side(database, chunks, listing, dues, tell)
        fates: Counter[Fate] = Counter()
        for chunk in chunks:
            fates.update(_take(database, chunk, listing, dues, rehearsal))
            tell()
            if rehearsal is None:
                time.sleep(_PAUSE_S)
    return fates


def _store_side_by_side(
    database: Database, chunks: Iterator[list[Hashed]], listing: Listing, dues: Dues, tell: Callable[[], None]
) -> Counter[Fate]:
    """Store chunks by two connections: one is decided on while the database takes the other.

    What is said of one address is taken in the order of the file: a chunk waits for the one before it that names a
    reader of its own.
    """
    fates: Counter[Fate] = Counter()
    under_way: collections.deque[tuple[Future[Counter[Fate]], frozenset[str]]] = collections.deque()

    def finish_one() -> None:
        fates.update(under_way.popleft()[0].result())
        tell()

    with ThreadPoolExecutor(_WRITERS, "import-writer") as writers:
        for chunk in chunks:
            named = frozenset(address_hash for _, address_hash in chunk)
            while under_way and (len(under_way) >= _WRITERS or any(named & others for _, others in under_way)):
                finish_one()
            under_way.append((writers.submit(_take, database, chunk, listing, dues, None), named))
        while under_way:
            finish_one()
    return fates


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
