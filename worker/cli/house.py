"""How commands come by the installation, and how they print. Decides nothing."""

from __future__ import annotations

import getpass
import json
import os
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from worker.errors import InputError

if TYPE_CHECKING:
    from worker.store.people import Reader
    from worker.wiring import House

messages = Console(stderr=True, soft_wrap=True, highlight=False)

_PIPED_COLUMNS = 1000

Json = Annotated[bool, typer.Option("--json", help="Print JSON lines.")]


def choose_home(home: Path | None) -> None:
    """Let `--home` stand in for TOCSIN_HOME, for this process and its children."""
    if home is not None:
        os.environ["TOCSIN_HOME"] = str(home.absolute())


def opened_house() -> House:
    """Return the installation with its database checked. Raises `ConfigurationError`."""
    from worker.wiring import house

    found = house()
    _ = found.database
    return found


def reader_of(house: House, address: str) -> Reader:
    """Return the reader of an address, however it is spelt. Raises `InputError`."""
    from worker.signup.address import normalise
    from worker.store import people

    with house.database.read() as conn:
        reader = people.by_address(conn, house.address_hash(normalise(address).key))
    if reader is None:
        raise InputError(f"there is no reader {address}", hint="see `tocsin subscribers export`")
    return reader


def operator() -> str:
    """Return who types, as the audit has it."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # a container's account may have no name
        name = "somebody"
    return f"{name} at the command line"


def print_json(value: object) -> None:
    """Print one JSON line to standard output: times as UTC with Z, text as it is."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=_plain) + "\n")


def print_rows(
    rows: Iterable[Mapping[str, Any]], *, as_json: bool, columns: Iterable[str], to_stderr: bool = False
) -> None:
    """Print rows as JSON lines, or some of their columns as a table."""
    if as_json:
        for row in rows:
            print_json(dict(row))
        return
    names = list(columns)
    table = Table(box=None, header_style="bold")
    for name in names:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(row[name])) for name in names))  # plain: brackets in a headline are no markup
    stream = sys.stderr if to_stderr else sys.stdout
    width = None if stream.isatty() else _PIPED_COLUMNS  # a pipe has no edge to wrap at
    Console(width=width, stderr=to_stderr).print(table)


def stamp(at: datetime) -> str:
    """Return a time as the contracts want it.

    >>> stamp(datetime(2026, 11, 23, 7, tzinfo=UTC))
    '2026-11-23T07:00:00Z'
    """
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def _cell(value: object) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_cell, value))
    return str(value)
