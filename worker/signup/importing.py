"""Reads a list of readers, line by line, and says what is wrong with each line.

    email,name,locale,timezone,topics,cadence,at          (and, as the export writes it, status)

`topics` are slugs separated by `;`, newsletters among them as `newsletter:SLUG`. Decides what a line means, stores
nothing, and holds no more than one record at a time. An address may stand on several lines, one for each cadence: their
topics add up, the last line's name, language and zone count. `run_import` reads a file twice: to look for mistakes,
then to store.
"""

from __future__ import annotations

import difflib
import functools
import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import BinaryIO, Final, NamedTuple, TypeVar

from worker.errors import InputError
from worker.hearsay import Cause
from worker.model import Cadence, SubscriberStatus
from worker.signup.address import Address, normalise
from worker.signup.consent import Evidence
from worker.signup.csv_rows import read_rows
from worker.signup.wishes import (
    MOST_FOLLOWS,
    Follow,
    Rhythm,
    Wish,
    no_such_topic,
    read_cadence,
    read_locale,
    read_name,
    read_times,
    read_zone,
)

COLUMNS: Final = ("email", "name", "locale", "timezone", "topics", "cadence", "at")
STATUS: Final = "status"
_STATUSES: Final = tuple(status for status in SubscriberStatus if status is not SubscriberStatus.ERASED)
_MOST_KNOWN: Final = 50_000
NEWSLETTER: Final = "newsletter:"  # before a newsletter's slug among topics
_Value = TypeVar("_Value")


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """What lines are held against: the slugs that exist, newsletters' too, and what blank cells stand for."""

    topics: Collection[str]
    locale: str = "en"
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a line says but for whom: thousands of lines share it. `status` is None where nothing is said of it."""

    follows: tuple[Follow, ...]
    locale: str
    timezone: str
    status: SubscriberStatus | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """What another house's books say of a reader: how they said yes there, or why nothing must be sent to them.

    `since` is when that house stopped sending, where it says so.
    """

    evidence: Evidence | None = None
    barred: Cause | None = None
    reason: str = ""
    since: datetime | None = None


class Line(NamedTuple):
    """One line without a mistake."""

    number: int
    address: Address
    name: str
    terms: Terms
    record: Record | None = None

    @property
    def status(self) -> SubscriberStatus | None:
        """Where the list says that its reader stands."""
        return self.terms.status

    @property
    def wish(self) -> Wish:
        """What its reader is to follow."""
        terms = self.terms
        return Wish(follows=terms.follows, locale=terms.locale, timezone=terms.timezone, name=self.name)


class Share(NamedTuple):
    """One of several shares of a list: all lines of the addresses that fall to its number."""

    number: int
    of: int

    def has(self, address: Address) -> bool:
        """Tell whether an address falls to this share."""
        return zlib.crc32(address.key.encode()) % self.of == self.number


WHOLE: Final = Share(0, 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Faulty:
    """One line with mistakes; `where` of each names its line and column."""

    number: int
    mistakes: tuple[InputError, ...]


def read_lines(stream: BinaryIO, rules: Rules, *, share: Share = WHOLE) -> Iterator[Line | Faulty]:
    """Read a CSV file in UTF-8, with or without a byte order mark, whatever its line ends.

    Of what is without a mistake, only a share's lines are yielded.

    Raises `InputError` for a file that is no such list at all: its encoding, its header, a NUL byte, an open quote.
    """
    rows = read_rows(stream)
    _, first = next(rows, (1, None))
    yield from _Reader(_header(first), rules).read(rows, share)


class _Reader:
    """Reads rows. What lines share is read once: a list of very many people says few things of them."""

    def __init__(self, header: list[str], rules: Rules) -> None:
        self._header, self._rules = header, rules
        self._what = itemgetter(*(header.index(name) for name in ("topics", "cadence", "at")))
        self._about = itemgetter(*(header.index(name) for name in ("locale", "timezone", STATUS) if name in header))
        self._rest = itemgetter(*(place for place, name in enumerate(header) if name not in {"email", "name"}))
        self._terms: dict[object, Terms] = {}
        self._follows: dict[object, tuple[Follow, ...]] = {}
        self._known: dict[object, tuple[str, str, SubscriberStatus | None]] = {}

    def read(self, rows: Iterator[tuple[int, list[str]]], share: Share) -> Iterator[Line | Faulty]:
        """Yield a share of the lines of the rows."""
        has = None if share.of == 1 else share.has
        width, email, name, rest = (
            len(self._header),
            self._header.index("email"),
            self._header.index("name"),
            self._rest,
        )
        for number, row in rows:
            if len(row) == width:
                try:
                    address, called = normalise(row[email]), read_name(row[name])
                except InputError:
                    pass  # told below, with all that is wrong with the line
                else:
                    if has and not has(address):
                        continue
                    terms = self._terms.get(rest(row)) or self._joined(row)
                    if terms is not None:
                        yield Line(number, address, called, terms)
                        continue
            read = _line(number, self._header, row, self._rules)
            if isinstance(read, Line):
                self._remember(row, read.terms)
            yield read

    def _joined(self, row: list[str]) -> Terms | None:
        """Return what a line says but for whom, put together from other lines; None where it says something new."""
        follows, about = self._follows.get(self._what(row)), self._known.get(self._about(row))
        if follows is None or about is None:
            return None
        if len(self._terms) >= _MOST_KNOWN:
            self._terms.clear()
        terms = self._terms[self._rest(row)] = Terms(follows, *about)
        return terms

    def _remember(self, row: list[str], terms: Terms) -> None:
        for memory in (self._follows, self._known):
            if len(memory) >= _MOST_KNOWN:
                memory.clear()
        self._follows[self._what(row)] = terms.follows
        self._known[self._about(row)] = (terms.locale, terms.timezone, terms.status)


def _header(row: Sequence[str] | None) -> list[str]:
    expected = ",".join(COLUMNS)
    names = [name.strip().lower() for name in row or ()]
    if not any(names):
        raise InputError("there is no header", where="line 1", hint=f"begin with the line {expected}")
    for name in names:
        if name not in (*COLUMNS, STATUS):
            near = difflib.get_close_matches(name, COLUMNS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"the columns are {expected}"
            raise InputError(f"there is no column {name!r}", where="line 1", hint=hint)
        if names.count(name) > 1:
            raise InputError(f"the column {name!r} stands there twice", where="line 1", hint="leave one of them out")
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise InputError(
            f"the header lacks {', '.join(missing)}",
            where="line 1",
            hint=f"the columns are {expected}; cells may be blank",
        )
    return names


@dataclass(slots=True)
class Cells:
    """One line's cells, and the mistakes found in them so far."""

    number: int
    cells: dict[str, str]
    mistakes: list[InputError] = field(default_factory=list)

    def take(self, column: str, read: Callable[[str], _Value], *, blank: _Value) -> _Value:
        """Read a cell; a mistake is noted, and then it counts as blank."""
        text = self.cells.get(column, "").strip()
        try:
            return read(text) if text else blank
        except InputError as error:
            where = f"line {self.number}, {column}"
            self.mistakes.append(InputError(error.message, where=where, hint=error.hint))
            return blank


def _line(number: int, header: list[str], row: list[str], rules: Rules) -> Line | Faulty:
    if len(row) != len(header):
        shape = InputError(f"{len(row)} cells instead of {len(header)}", where=f"line {number}", hint="quote commas")
        return Faulty(number=number, mistakes=(shape,))
    record = Cells(number, dict(zip(header, row, strict=True)))
    address = record.take("email", normalise, blank=None)
    if address is None and not record.mistakes:
        record.mistakes.append(InputError("there is no address", where=f"line {number}, email"))
    none: tuple[str, ...] = ()
    cadence = record.take("cadence", read_cadence, blank=Cadence.DAILY)
    times = record.take("at", _times, blank=none)
    slugs = record.take("topics", lambda text: _topics(text, rules.topics), blank=none)
    terms = Terms(
        follows=tuple(_follow(slug, cadence, times) for slug in slugs),
        locale=record.take("locale", read_locale, blank=rules.locale),
        timezone=record.take("timezone", read_zone, blank=rules.timezone),
        status=record.take(STATUS, _status, blank=None),
    )
    name = record.take("name", read_name, blank="")
    if record.mistakes or address is None:
        return Faulty(number=number, mistakes=tuple(record.mistakes))
    return Line(number, address, name, terms)


@functools.lru_cache(maxsize=4096)  # a list of a million readers has few topics and rhythms
def _follow(slug: str, cadence: Cadence, times: tuple[str, ...]) -> Follow:
    if slug.startswith(NEWSLETTER):
        return Follow(newsletter=slug.removeprefix(NEWSLETTER))
    return Follow(topic=slug, rhythm=Rhythm(cadence=cadence, times=times))


@functools.lru_cache(maxsize=1024)
def _times(text: str) -> tuple[str, ...]:
    return read_times(text.split(";"))


def _topics(text: str, known: Collection[str]) -> tuple[str, ...]:
    slugs = tuple(dict.fromkeys(slug for part in text.split(";") if (slug := part.strip())))
    for slug in slugs:
        if slug not in known:
            raise no_such_topic(slug, known)
    if len(slugs) > MOST_FOLLOWS:
        raise InputError(f"{len(slugs)} topics are too many", hint=f"write at most {MOST_FOLLOWS}")
    return slugs


def _status(text: str) -> SubscriberStatus | None:
    if text not in _STATUSES:
        raise InputError(f"{text!r} is not a status", hint=f"write one of {', '.join(_STATUSES)}, or nothing")
    return SubscriberStatus(text)
