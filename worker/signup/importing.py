"""Reads a list of readers, line by line, and says what is wrong with each line.

    email,name,locale,timezone,topics,cadence,at          (and, as the export writes it, status)

`topics` are slugs separated by `;`, newsletters among them as `newsletter:SLUG`. Decides what a line means, stores
nothing, and holds no more than one record at a time. An address may stand on several lines, one for each cadence: their
topics add up, the last line's name, language and zone count. `run_import` reads a file twice: to look for mistakes,
then to store.
"""

from __future__ import annotations

import csv
import difflib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Final, TypeVar

from worker.errors import InputError
from worker.model import Cadence, SubscriberStatus
from worker.signup.address import Address, normalise
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
_LONGEST_LINE_BYTES: Final = 1 << 20
NEWSLETTER: Final = "newsletter:"  # before a newsletter's slug among topics
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_Value = TypeVar("_Value")


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """What lines are held against: the slugs that exist, newsletters' too, and what blank cells stand for."""

    topics: Collection[str]
    locale: str = "en"
    timezone: str = "UTC"


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line without a mistake. `status` is None where the file has no such column, or the cell is blank."""

    number: int
    address: Address
    wish: Wish
    status: SubscriberStatus | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Faulty:
    """One line with mistakes; `where` of each names its line and column."""

    number: int
    mistakes: tuple[InputError, ...]


def read_lines(stream: BinaryIO, rules: Rules) -> Iterator[Line | Faulty]:
    """Read a CSV file in UTF-8, with or without a byte order mark, whatever its line ends.

    Raises `InputError` for a file that is no such list at all: its encoding, its header, a NUL byte, an open quote.
    """
    rows = csv.reader(_decoded(stream), strict=True)
    try:
        header = _header(next(rows, None))
        while True:
            number = rows.line_num + 1
            row = next(rows, None)
            if row is None:
                return
            if row:
                yield _line(number, header, row, rules)
    except csv.Error as error:
        raise InputError(f"the line cannot be read: {error}", where=f"line {rows.line_num}") from error


def _decoded(stream: BinaryIO) -> Iterator[str]:
    number = 0
    while raw := stream.readline(_LONGEST_LINE_BYTES):
        number += 1
        if number == 1 and raw.startswith(_UTF16):
            raise InputError("the file is in UTF-16", hint="save it as CSV in UTF-8")
        if len(raw) == _LONGEST_LINE_BYTES:
            raise InputError("the line is longer than 1 MB", where=f"line {number}", hint="this is no list of readers")
        if b"\0" in raw:
            raise InputError("there is a NUL byte", where=f"line {number}", hint="save the list again as CSV in UTF-8")
        try:
            yield raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise InputError(
                f"byte {error.start + 1} is not UTF-8", where=f"line {number}", hint="save the list as CSV in UTF-8"
            ) from error


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
class _Record:
    """One line's cells, and the mistakes found in them so far."""

    number: int
    cells: dict[str, str]
    mistakes: list[InputError] = field(default_factory=list)

    def take(self, column: str, read: Callable[[str], _Value], *, blank: _Value) -> _Value:
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
    record = _Record(number, dict(zip(header, row, strict=True)))
    address = record.take("email", normalise, blank=None)
    if address is None and not record.mistakes:
        record.mistakes.append(InputError("there is no address", where=f"line {number}, email"))
    none: tuple[str, ...] = ()
    rhythm = Rhythm(
        cadence=record.take("cadence", read_cadence, blank=Cadence.DAILY),
        times=record.take("at", lambda text: read_times(text.split(";")), blank=none),
    )
    slugs = record.take("topics", lambda text: _topics(text, rules.topics), blank=none)
    wish = Wish(
        follows=tuple(_follow(slug, rhythm) for slug in slugs),
        locale=record.take("locale", read_locale, blank=rules.locale),
        timezone=record.take("timezone", read_zone, blank=rules.timezone),
        name=record.take("name", read_name, blank=""),
    )
    status = record.take(STATUS, _status, blank=None)
    if record.mistakes or address is None:
        return Faulty(number=number, mistakes=tuple(record.mistakes))
    return Line(number=number, address=address, wish=wish, status=status)


def _follow(slug: str, rhythm: Rhythm) -> Follow:
    if slug.startswith(NEWSLETTER):
        return Follow(newsletter=slug.removeprefix(NEWSLETTER))
    return Follow(topic=slug, rhythm=rhythm)


def _topics(text: str, known: Collection[str]) -> tuple[str, ...]:
    slugs = tuple(dict.fromkeys(slug.strip() for slug in text.split(";") if slug.strip()))
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
