"""Stores lists of sources, all of a list or nothing of it, and gives them out again.

What a list does not say of a source that is known stays as it is; nothing is ever removed for standing in no list.
Called by the command line and the demo.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Row

from worker.feeds import SourceState
from worker.intake.listing.addresses import address_key
from worker.intake.listing.entries import COLUMNS, Entry, Fate, Listed
from worker.model import SourceId
from worker.store import house, sources, watching
from worker.store.database import Database
from worker.store.sources import host_of

_AT_ONCE: Final = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportedList:
    """What became of a list: how many entries met which fate, and where those stand that were told before."""

    fates: Counter[Fate] = field(default_factory=Counter)
    repeated: tuple[str, ...] = ()


def import_list(
    database: Database,
    listed: Listed,
    *,
    actor: str,
    dry_run: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> ImportedList:
    """Store a list in one transaction. `progress` is told how many entries are done. With `dry_run`, only count."""
    if dry_run:
        with database.read() as conn:
            return _summary(list(_judged(conn, listed.entries)))
    with database.write() as conn:
        judged = list(_judged(conn, listed.entries))
        new = [entry for entry, fate, _ in judged if fate is Fate.NEW]
        changed = [(entry, known) for entry, fate, known in judged if fate is Fate.CHANGED and known is not None]
        done = len(listed.entries) - len(new) - len(changed)
        progress(done)
        for begin in range(0, len(new), _AT_ONCE):
            watching.add_many(conn, [_row(entry, actor) for entry in new[begin : begin + _AT_ONCE]])
            progress(done := done + len(new[begin : begin + _AT_ONCE]))
        for number, (entry, known) in enumerate(changed, start=1):
            _bring_up_to_date(conn, entry, known, actor)
            if number % _AT_ONCE == 0:
                progress(done + number)
        summary = _summary(judged)
        if new or changed:
            counts = {str(fate): count for fate, count in summary.fates.items()}
            house.note(conn, actor=actor, action="source import", subject="sources", **counts)
        return summary


def export_entries(database: Database) -> list[Entry]:
    """Return all feeds and sitemaps that are kept, also paused and gone ones, by name, as a list tells them."""
    with database.read() as conn:
        return [_entry(row) for row in sources.every(conn) if row.url is not None and row.kind == "feed"]


def _judged(conn: Connection, entries: Sequence[Entry]) -> Iterator[tuple[Entry, Fate, Row[Any] | None]]:
    """Yield each entry with its fate, and the source that it is of where that is known."""
    known: dict[str, Row[Any]] = {}
    for row in watching.with_addresses(conn):
        key = address_key(row.url)
        if key not in known or known[key].state == SourceState.REMOVED:
            known[key] = row
    seen: set[str] = set()
    for entry in entries:
        key = address_key(entry.url)
        if key in seen:
            yield entry, Fate.REPEATED, known.get(key)
        elif key not in known:
            yield entry, Fate.NEW, None
        else:
            yield entry, Fate.CHANGED if _differs(entry, known[key]) else Fate.KNOWN, known[key]
        seen.add(key)


def _differs(entry: Entry, row: Row[Any]) -> bool:
    """Tell whether a list says something else of a source than what is stored. Its address' spelling is no matter."""
    if row.state == SourceState.REMOVED or (entry.paused is not None and _is_paused(row) != entry.paused):
        return True
    return any(getattr(row, name) != value for name, value in entry.told().items())


def _bring_up_to_date(conn: Connection, entry: Entry, row: Row[Any], actor: str) -> None:
    source_id = SourceId(row.id)
    if told := entry.told():
        sources.change(conn, source_id, **told)
    if entry.paused and not _is_paused(row):
        watching.pause(conn, source_id, reason=f"by {actor}")
    elif row.state == SourceState.REMOVED or (entry.paused is False and _is_paused(row)):
        watching.begin_again(conn, source_id)


def _is_paused(row: Row[Any]) -> bool:
    return bool(row.state == SourceState.PAUSED)


def _row(entry: Entry, actor: str) -> dict[str, Any]:
    row = {"name": host_of(entry.url), "url": entry.url, **entry.told()}
    if entry.paused:
        row |= {"state": SourceState.PAUSED, "state_reason": f"by {actor}", "next_poll_at": None}
    return row


def _summary(judged: Sequence[tuple[Entry, Fate, Row[Any] | None]]) -> ImportedList:
    repeated = tuple(entry.where for entry, fate, _ in judged if fate is Fate.REPEATED)
    return ImportedList(fates=Counter(fate for _, fate, _ in judged), repeated=repeated)


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        url=row.url,
        where=f"source {row.id}",
        paused=_is_paused(row) or None,
        **{name: getattr(row, name) for name in COLUMNS},
    )
