"""Writes sources as OPML 2.0, which any feed reader takes, and as YAML: what is written is read as the same again.

Pure. What OPML has no words for stands in a namespace of our own, which other programs pass over. `run_lists` calls it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

import yaml

from worker.adapters.sources.plain import sound
from worker.intake.listing.entries import Entry
from worker.intake.listing.opml import PREFIX
from worker.intake.listing.spans import write_span

_NAMESPACE: Final = "urn:tocsin:sources"
_ESCAPED: Final = {"\n": "&#10;", "\t": "&#9;", "\r": "&#13;"}


def write_opml(entries: Sequence[Entry], *, title: str, at: datetime) -> Iterator[str]:
    """Yield the lines of an OPML document; folders become outlines around their sources."""
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f'<opml version="2.0" xmlns:{PREFIX[:-1]}="{_NAMESPACE}">\n  <head>\n'
    yield f"    <title>{escape(sound(title))}</title>\n"
    yield f"    <dateCreated>{format_datetime(at)}</dateCreated>\n  </head>\n  <body>\n"
    open_folders: tuple[str, ...] = ()
    for entry in sorted(entries, key=_folders):
        wanted = _folders(entry)
        shared = _shared(open_folders, wanted)
        yield from ("  " * (depth + 2) + "</outline>\n" for depth in range(len(open_folders) - 1, shared - 1, -1))
        for depth in range(shared, len(wanted)):
            yield "  " * (depth + 2) + f"<outline text={_quoted(wanted[depth])}>\n"
        open_folders = wanted
        attributes = " ".join(f"{name}={_quoted(value)}" for name, value in _attributes(entry))
        yield "  " * (len(wanted) + 2) + f"<outline {attributes}/>\n"
    yield from ("  " * (depth + 2) + "</outline>\n" for depth in range(len(open_folders) - 1, -1, -1))
    yield "  </body>\n</opml>\n"


def write_yaml(entries: Iterable[Entry]) -> Iterator[str]:
    """Yield a YAML document, one source after the other."""
    written = False
    for entry in entries:
        written = True
        yield yaml.safe_dump([_mapping(entry)], allow_unicode=True, sort_keys=False, width=1_000_000)
    if not written:
        yield "[]\n"


def _folders(entry: Entry) -> tuple[str, ...]:
    return tuple(part for part in (entry.folder or "").split("/") if part)


def _shared(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """Return how many folders two paths have in common.

    >>> _shared(("World", "Asia"), ("World", "Africa"))
    1
    """
    count = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        count += 1
    return count


def _attributes(entry: Entry) -> Iterator[tuple[str, str]]:
    name = entry.name or entry.url
    told = {"type": "rss", "text": name, "title": name, "xmlUrl": entry.url}
    told |= {"htmlUrl": entry.homepage or "", "language": entry.lang or "", f"{PREFIX}outlet": entry.outlet or ""}
    told |= {f"{PREFIX}{flag}": "true" for flag in ("house", "pages", "paused") if getattr(entry, flag)}
    told |= {f"{PREFIX}every": write_span(entry.every_s)} if entry.every_s else {}
    yield from ((name, value) for name, value in told.items() if value)


def _mapping(entry: Entry) -> dict[str, Any]:
    told = {"name": entry.name, "url": entry.url, "homepage": entry.homepage, "outlet": entry.outlet}
    told |= {"lang": entry.lang, "folder": entry.folder, "every": write_span(entry.every_s) if entry.every_s else None}
    flags = {"house": entry.house, "pages": entry.pages, "paused": entry.paused}
    return {name: value for name, value in (told | flags).items() if value}


def _quoted(value: str) -> str:
    return quoteattr(sound(value), _ESCAPED)
