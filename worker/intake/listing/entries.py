"""What a list says of a source: an `Entry`; and what becomes of it where some sources are known already.

Pure. `opml` and `yaml_list` make entries, `writing` writes them, `run_lists` stores them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Final

from worker.adapters.sources.plain import one_line
from worker.errors import InputError, ManyFaultsError

MAX_ENTRIES: Final = 100_000
MAX_LIST_BYTES: Final = 50_000_000
MAX_NAME_CHARS: Final = 200
_FAULTS_TOLD: Final = 20


class Fate(StrEnum):
    """What an import makes of an entry."""

    NEW = "new"
    CHANGED = "changed"  # known, and now as the list says
    KNOWN = "known"
    REPEATED = "repeated"  # its address stands in the list before


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A source as a list tells it. `None`: the list does not say, and what is stored stays.

    `url` is an address that can be fetched. `folder` is where its reader keeps it, "World/Asia"; it groups, and means
    nothing for articles. `where` is its place in the list.
    """

    url: str
    where: str = ""
    name: str | None = None
    homepage: str | None = None
    outlet: str | None = None
    lang: str | None = None
    house: bool | None = None
    pages: bool | None = None
    every_s: float | None = None
    folder: str | None = None
    paused: bool | None = None

    def told(self) -> dict[str, Any]:
        """Return the columns of a source that the list says something of, apart from its address and state.

        >>> Entry(url="https://a.example/", name="A", house=True).told()
        {'name': 'A', 'house': True}
        """
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: value for name, value in values.items() if value is not None and name in COLUMNS}


COLUMNS: Final = ("name", "homepage", "outlet", "lang", "house", "pages", "every_s", "folder")


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """A list that was read: its entries in its order, addresses as they stand there, and how many lines told none."""

    entries: tuple[Entry, ...]
    format: str
    without_feed: int = 0


def read_name(text: str) -> str:
    r"""Return a name on one line.

    >>> read_name("  The\n Wire ")
    'The Wire'
    """
    return one_line(text, MAX_NAME_CHARS)


def read_folder(text: str) -> str:
    """Return a folder's path, without what is empty in it.

    >>> read_folder(" World // Asia/")
    'World/Asia'
    """
    parts = (read_name(part) for part in text.split("/"))
    return "/".join(part for part in parts if part)[:MAX_NAME_CHARS].rstrip("/ ")


def refuse(faults: Sequence[InputError]) -> None:
    """Raise what is wrong with a list: one `InputError`, or the first twenty together."""
    if len(faults) == 1:
        raise faults[0]
    if len(faults) > _FAULTS_TOLD:
        rest = InputError(f"and {len(faults) - _FAULTS_TOLD} more", hint="mend these first")
        raise ManyFaultsError((*faults[:_FAULTS_TOLD], rest))
    if faults:
        raise ManyFaultsError(tuple(faults))
