"""Stores a list of readers that an operator brings: all of it, or nothing where a single line is wrong.

A first pass over the file looks for mistakes, a second one stores in transactions of at most 5,000 rows. After a crash
in between it can simply be run again, since every line is an upsert by address. The CLI and the demo call it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Final

from sqlalchemy import Connection

from worker.errors import InputError
from worker.model import SubscriberStatus
from worker.signup.consent import Consent, Evidence
from worker.signup.decide import Act, Standing, Wishes, standing, standing_on_a_list, step
from worker.signup.importing import NEWSLETTER, Faulty, Line, Rules, read_lines
from worker.signup.run import HashAddress, accept, ask
from worker.signup.wishes import MOST_FOLLOWS
from worker.store import newsletters, people, topics
from worker.store.database import Database, now
from worker.store.people import Reader

MOST_SHOWN: Final = 50
_ROWS_A_TRANSACTION: Final = 5_000
_VOUCHED: Final = "imported by the operator, with consent"
_UNVOUCHED: Final = "imported by the operator"


class Fate(StrEnum):
    """What became of a line."""

    NEW = "new"
    UPDATED = "updated"
    ASKED = "asked"
    WAITING = "waiting"  # asked not long ago
    LEFT = "left"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Imported:
    """How many lines there were, and what became of them."""

    lines: int
    fates: Counter[Fate]

    @property
    def has_questions(self) -> bool:
        """Tell whether confirmations wait to be planned."""
        return self.fates[Fate.ASKED] > 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """How a list is to be taken. `confirmed`: the operator vouches that its readers have said yes."""

    hash_address: HashAddress
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
            size_bytes = _check(stream, rules, file, progress)
            stream.seek(0)
            return _store(database, _lines(stream, rules), listing, lambda: progress(size_bytes + stream.tell()))
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(file)) from error


def _check(stream: BinaryIO, rules: Rules, file: Path, progress: Callable[[int], None]) -> int:
    mistakes: list[InputError] = []
    found = 0
    try:
        for count, line in enumerate(read_lines(stream, rules)):
            if isinstance(line, Faulty):
                found += len(line.mistakes)
                mistakes.extend(line.mistakes[: MOST_SHOWN - len(mistakes)])
            if count % 1_000 == 0:
                progress(stream.tell())
    except InputError as error:
        raise InputError(error.message, where=_place(file, error.where), hint=error.hint) from error
    if found:
        raise _refusal(file, mistakes, found)
    return stream.tell()


def _refusal(file: Path, mistakes: list[InputError], found: int) -> InputError:
    if found == 1:
        only = mistakes[0]
        return InputError(only.message, where=_place(file, only.where), hint=only.hint)
    shown = "".join(f"\n  {mistake}" for mistake in mistakes)
    more = f"\n  and {found - len(mistakes):,} more" if found > len(mistakes) else ""
    return InputError(f"{found:,} mistakes, nothing was imported:{shown}{more}", where=file.name)


def _place(file: Path, where: str) -> str:
    return f"{file.name}, {where}" if where else file.name


def _lines(stream: BinaryIO, rules: Rules) -> Iterator[Line]:
    for line in read_lines(stream, rules):
        if isinstance(line, Faulty):
            raise InputError("the file has changed while it was read", where=f"line {line.number}", hint="try again")
        yield line


def _store(database: Database, lines: Iterable[Line], listing: Listing, tell: Callable[[], None]) -> Imported:
    fates: Counter[Fate] = Counter()
    for chunk in _chunks(lines):
        with database.write() as conn:
            attempt = conn.begin_nested()
            fates.update(_take(conn, line, listing) for line in chunk)
            if listing.dry_run:
                attempt.rollback()
        tell()
    return Imported(lines=fates.total(), fates=fates)


def _chunks(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Group lines so that none of the groups comes to more rows than a transaction may have."""
    chunk: list[Line] = []
    rows = 0
    for line in lines:
        chunk.append(line)
        rows += 1 + len(line.wish.follows)
        if rows >= _ROWS_A_TRANSACTION - MOST_FOLLOWS:
            yield chunk
            chunk, rows = [], 0
    if chunk:
        yield chunk


def _take(conn: Connection, line: Line, listing: Listing) -> Fate:
    """Store one line."""
    address_hash = listing.hash_address(line.address.key)
    if people.is_suppressed(conn, address_hash) is not None:
        return Fate.SUPPRESSED
    reader, is_new = people.ensure_reader(
        conn,
        address_hash=address_hash,
        email=line.address.text,
        status=SubscriberStatus.PENDING,
        name=line.wish.name,
        locale=line.wish.locale,
        timezone=line.wish.timezone,
    )
    if line.status is SubscriberStatus.LEFT:
        if is_new:
            people.change_reader(conn, reader.id, status=SubscriberStatus.LEFT, left_at=now(conn))
        return Fate.LEFT
    where: Standing = None
    if not is_new:
        where = standing(reader.status, paused_until=reader.paused_until, now=now(conn))
        where = standing_on_a_list(where, left_at=reader.left_at)
    return _admit(conn, reader, where, line, is_vouched=listing.confirmed)


def _admit(conn: Connection, reader: Reader, where: Standing, line: Line, *, is_vouched: bool) -> Fate:
    is_vouched = is_vouched and line.status is not SubscriberStatus.PENDING
    act, how = (Act.VOUCH, _VOUCHED) if is_vouched else (Act.IMPORT, _UNVOUCHED)
    due = step(where, act)
    if due is None or due.wishes is Wishes.DROPPED:
        return Fate.LEFT
    if due.asks:
        open_question = Consent.read(reader.consent).question
        wish = open_question.wish.merged(line.wish) if open_question else line.wish
        asked = ask(conn, reader, where=where, act=act, wish=wish, evidence=Evidence(how=how)).asked
        return Fate.ASKED if asked else Fate.WAITING
    is_consenting = where in {SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED}
    evidence = None if is_consenting else Evidence(how=how)
    accept(conn, reader, where=where, due=due, wish=line.wish, evidence=evidence)
    if where is None and line.status is SubscriberStatus.PAUSED:
        people.change_reader(conn, reader.id, status=SubscriberStatus.PAUSED)
        people.pause_begins(conn, reader.id)
    return Fate.NEW if where is None else Fate.UPDATED
