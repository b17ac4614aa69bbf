"""Stores a list of readers that an operator brings: all of it, or nothing where a single line is wrong.

A first pass over the file looks for mistakes, a second one stores: a short list in this process, a long one in several
where the database takes more than one writer. The CLI and the demo call it.
"""

from __future__ import annotations

import functools
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from worker.errors import InputError
from worker.model import Origin
from worker.signup.admitting import Fate
from worker.signup.foreign.listmonk import read_listmonk
from worker.signup.foreign.lists import Lists, read_lists
from worker.signup.foreign.mailchimp import read_mailchimp
from worker.signup.importing import NEWSLETTER, WHOLE, Faulty, Line, Rules, Share, read_lines
from worker.signup.run_parts import store_by_parts
from worker.signup.run_storing import Listing, store
from worker.store import newsletters, topics
from worker.store.database import Database

__all__ = ["Fate", "Imported", "Listing", "import_readers"]

MOST_SHOWN: Final = 50
_LONG_BYTES: Final = 4 << 20  # some 50,000 lines: below that, other processes would start longer than they work


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
            _check(read(stream), file, lambda: progress(min(stream.tell(), size_bytes)))
            lists.counts = False
            if size_bytes >= _LONG_BYTES and not database.is_sqlite and not listing.dry_run:
                fates = store_by_parts(database, file, read, listing, tell=lambda far: progress(size_bytes + far))
            else:
                stream.seek(0)
                told = functools.partial(_far, stream, size_bytes, progress)
                fates = store(database, read(stream), listing, tell=told)
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


def _read(
    stream: BinaryIO, *, file: Path, rules: Rules, listing: Listing, lists: Lists, share: Share = WHOLE
) -> Iterator[Line | Faulty]:
    if listing.origin is None:
        return read_lines(stream, rules, share=share)
    read_theirs = read_listmonk if listing.origin is Origin.LISTMONK else read_mailchimp
    read = read_theirs(stream, file.name, rules, lists)
    return (line for line in read if isinstance(line, Faulty) or share.has(line.address))


def _far(stream: BinaryIO, size_bytes: int, progress: Callable[[int], None]) -> None:
    progress(size_bytes + min(stream.tell(), size_bytes))


def _check(read: Iterator[Line | Faulty], file: Path, tell: Callable[[], None]) -> None:
    mistakes: list[InputError] = []
    found = 0
    try:
        for count, line in enumerate(read):
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
