"""Reads what Mailchimp exports of an audience: a zip of CSV files, or one of them.

    subscribed_*.csv, unsubscribed_*.csv, cleaned_*.csv, nonsubscribed_*.csv

Columns stand in any order. "Email Address" (or "Email", as older audiences have it), names, OPTIN_TIME, OPTIN_IP,
CONFIRM_TIME, CONFIRM_IP, TIMEZONE, UNSUB_TIME, CLEAN_TIME and TAGS are read, whatever else there is is left alone.
Times are UTC. Pure. https://mailchimp.com/help/view-export-contacts/
"""

from __future__ import annotations

import csv
import zipfile
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import PurePosixPath
from typing import BinaryIO, Final, cast

from worker.errors import InputError
from worker.hearsay import Cause
from worker.model import SubscriberStatus
from worker.signup.address import normalise
from worker.signup.consent import Evidence, ip_prefix
from worker.signup.csv_rows import read_rows
from worker.signup.foreign.lists import Lists
from worker.signup.importing import Cells, Faulty, Line, Record, Rules
from worker.signup.wishes import MOST_NAME, read_name, read_zone

_ENCRYPTED: Final = 0x1  # of a member's flags (APPNOTE.TXT, 4.4.4)
_EMAIL: Final = ("email address", "email")
_FIRST, _LAST, _WHOLE = ("first name", "fname"), ("last name", "lname"), ("name", "full name")


class Kind(StrEnum):
    """What a file holds; its name says so, or a column that only such files have."""

    UNSUBSCRIBED = "unsubscribed"
    NONSUBSCRIBED = "nonsubscribed"
    CLEANED = "cleaned"
    SUBSCRIBED = "subscribed"


def read_mailchimp(stream: BinaryIO, name: str, rules: Rules, lists: Lists) -> Iterator[Line | Faulty]:
    """Read an export. Raises `InputError` for what is none."""
    if not zipfile.is_zipfile(stream):
        stream.seek(0)
        yield from _read(stream, name, rules, lists)
        return
    try:
        yield from _read_archive(stream, rules, lists)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:  # the last: how it is packed
        raise InputError(f"the archive cannot be read: {error}", hint="export the audience once more") from error


def _read_archive(stream: BinaryIO, rules: Rules, lists: Lists) -> Iterator[Line | Faulty]:
    with zipfile.ZipFile(stream) as archive:
        members = [one for one in archive.namelist() if one.lower().endswith(".csv") and not one.startswith("__MACOSX")]
        if not members:
            raise InputError("there is no CSV file in it", hint="export the audience once more")
        if any(one.flag_bits & _ENCRYPTED for one in archive.infolist()):
            raise InputError("the archive has a password", hint="take the files out, and import them one by one")
        for member in sorted(members):
            with archive.open(member) as inner:
                yield from _placed(_read(cast("BinaryIO", inner), member, rules, lists), member)


def _placed(lines: Iterator[Line | Faulty], member: str) -> Iterator[Line | Faulty]:
    """Name the file within the archive where something is wrong."""
    file = PurePosixPath(member).name
    try:
        for line in lines:
            if isinstance(line, Faulty):
                told = (InputError(one.message, where=f"{file}, {one.where}", hint=one.hint) for one in line.mistakes)
                yield Faulty(number=line.number, mistakes=tuple(told))
            else:
                yield line
    except InputError as error:
        raise InputError(error.message, where=f"{file}, {error.where}", hint=error.hint) from error


def _read(stream: BinaryIO, name: str, rules: Rules, lists: Lists) -> Iterator[Line | Faulty]:
    rows = read_rows(stream)
    _, first = next(rows, (1, []))
    header = [cell.strip().lower() for cell in first]
    if not any(column in header for column in _EMAIL):
        raise InputError(
            'there is no column "Email Address"', where="line 1", hint="import the CSV files of an audience's export"
        )
    kind = _kind(name, header)
    for number, row in rows:
        if len(row) != len(header):
            shape = InputError(
                f"{len(row)} cells instead of {len(header)}", where=f"line {number}", hint="quote commas"
            )
            yield Faulty(number=number, mistakes=(shape,))
            continue
        yield _line(Cells(number, dict(zip(header, row, strict=True))), kind, rules, lists)


def _kind(name: str, header: list[str]) -> Kind:
    """Tell what a file holds.

    >>> _kind("audience/unsubscribed_members_export_1.csv", []), _kind("a.csv", ["email address", "clean_time"])
    (<Kind.UNSUBSCRIBED: 'unsubscribed'>, <Kind.CLEANED: 'cleaned'>)
    """
    file = PurePosixPath(name.replace("\\", "/")).name.lower()
    for kind in Kind:
        if file.startswith(kind):
            return kind
    if "clean_time" in header:
        return Kind.CLEANED
    return Kind.UNSUBSCRIBED if "unsub_time" in header else Kind.SUBSCRIBED


def _line(record: Cells, kind: Kind, rules: Rules, lists: Lists) -> Line | Faulty:
    cells = record.cells
    column = next(name for name in _EMAIL if name in cells)
    address = record.take(column, normalise, blank=None)
    if address is None and not record.mistakes:
        record.mistakes.append(InputError("there is no address", where=f"line {record.number}, {column}"))
    if record.mistakes or address is None:
        return Faulty(number=record.number, mistakes=tuple(record.mistakes))
    names = _tags(cells.get("tags", "")) if kind is Kind.SUBSCRIBED else None
    follows = lists.follows(names) if names is not None else ()
    status = SubscriberStatus.LEFT if kind is Kind.UNSUBSCRIBED else None
    terms = lists.terms(follows, rules, _zone(cells.get("timezone", ""), rules.timezone), status)
    return Line(record.number, address, _name(cells), terms, _record(cells, kind))


def _record(cells: dict[str, str], kind: Kind) -> Record:
    if kind is Kind.CLEANED:
        return Record(barred=Cause.BOUNCE, reason="cleaned by Mailchimp", since=_time(cells.get("clean_time", "")))
    for stage, how in (("confirm", "confirmed in Mailchimp"), ("optin", "opted in through Mailchimp")):
        if at := _time(cells.get(f"{stage}_time", "")):
            prefix = ip_prefix(cells.get(f"{stage}_ip", "").strip())
            return Record(evidence=Evidence(how=how, ip_prefix=prefix, at=at))
    return Record(evidence=Evidence(how="was in a Mailchimp audience"))


def _name(cells: dict[str, str]) -> str:
    parts = [next((cells[name] for name in names if cells.get(name)), "") for names in (_FIRST, _LAST)]
    whole = " ".join(part for part in parts if part) or next((cells[name] for name in _WHOLE if cells.get(name)), "")
    return read_name(whole[:MOST_NAME])


def _zone(text: str, otherwise: str) -> str:
    try:
        return read_zone(text) if text.strip() else otherwise
    except InputError:  # an old name, or a guess of theirs: not worth to refuse a list for
        return otherwise


def _tags(text: str) -> tuple[str, ...]:
    r"""Read a cell of tags, each in quotes, separated by commas.

    >>> _tags('"VIP","Blog, weekly"'), _tags("")
    (('VIP', 'Blog, weekly'), ())
    """
    if not text.strip():
        return ()
    line = " ".join(text.splitlines())
    return tuple(tag.strip() for row in csv.reader([line], skipinitialspace=True) for tag in row if tag.strip())


def _time(text: str) -> datetime | None:
    """Read `2023-05-06 07:08:09`, None for anything else.

    >>> _time("2023-05-06 07:08:09").isoformat(), _time("n/a")
    ('2023-05-06T07:08:09+00:00', None)
    """
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
