"""What people and programs do to a source: add, change, pause, resume, remove. Each is written in the audit.

Fetches nothing: `run_discovery` looks at an address first, where somebody wants that. Called by the command line and
the API.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row

from worker.errors import InputError
from worker.feeds import SourceState
from worker.intake.listing.addresses import address_key, with_hidden_password, without_password
from worker.intake.listing.entries import Entry
from worker.model import SourceId
from worker.store import house, sources, watching
from worker.store.database import Database
from worker.store.sources import host_of

_SEE: Final = "see `tocsin sources list`"


class Adding(StrEnum):
    """What came of adding a source."""

    NEW = "new"
    KNOWN = "known"  # it is watched already: nothing has been changed
    AGAIN = "again"  # it was removed once: it is watched again, with the articles that it had


@dataclass(frozen=True, kw_only=True, slots=True)
class AddedSource:
    """A source that was to be added; `row` has all its columns."""

    row: Row[Any] = field(repr=False)
    came: Adding


def add(database: Database, entry: Entry, *, actor: str) -> AddedSource:
    """Watch a source from now on, unless some spelling of its address is watched already. Raises `InputError`."""
    with database.write() as conn:
        known = same_address(conn, entry.url)
        with_hidden_password(entry.url, known.url if known is not None else "")
        if known is not None and known.state != SourceState.REMOVED:
            return AddedSource(row=known, came=Adding.KNOWN)
        told = entry.told()
        if known is not None:
            source_id = SourceId(known.id)
            watching.begin_again(conn, source_id)
            sources.change(conn, source_id, **told)
            if entry.url != known.url:
                watching.move(conn, source_id, entry.url)
        else:
            told.setdefault("name", host_of(entry.url))
            source_id = sources.put(conn, kind="feed", url=entry.url, **told)
        if entry.paused:
            watching.pause(conn, source_id, reason=f"by {actor}")
        _note(conn, actor, "add", source_id, url=without_password(entry.url))
        return AddedSource(row=_found(conn, source_id), came=Adding.NEW if known is None else Adding.AGAIN)


def look_up(database: Database, source_id: SourceId) -> Row[Any]:
    """Return a source that was not removed, with all its columns. Raises `InputError`."""
    with database.read() as conn:
        return _found(conn, source_id)


def find(database: Database, url: str) -> Row[Any] | None:
    """Return the source that is watched at an address, however it is spelt."""
    with database.read() as conn:
        known = same_address(conn, url)
    return known if known is not None and known.state != SourceState.REMOVED else None


def same_address(conn: Connection, url: str) -> Row[Any] | None:
    """Return the source at an address, however it is spelt, also one that was removed."""
    key = address_key(url)
    same = [row for row in watching.at_host(conn, url) if address_key(row.url) == key]
    return min(same, key=lambda row: row.state == SourceState.REMOVED, default=None)


def change(
    database: Database, source_id: SourceId, *, url: str | None = None, actor: str, **columns: object
) -> Row[Any]:
    """Change what is given, by the names of the columns of `Entry`. `every_s` None: as it publishes.

    At another `url`, nothing that was known of the old one holds. Raises `InputError`.
    """
    with database.write() as conn:
        before = _found(conn, source_id)
        if url is not None and before.url is not None:
            url = with_hidden_password(url, before.url)
        if url is not None and url != before.url:
            _polled(before)
            _refuse_taken(conn, url, source_id)
            watching.move(conn, source_id, url)
        differing = {name: value for name, value in columns.items() if getattr(before, name) != value}
        if differing:
            sources.change(conn, source_id, **differing)
        if "pages" in differing:  # what its document names is looked at anew, though it stays as it is
            sources.change(conn, source_id, etag="", last_modified="", body_hash="")
        if "every_s" in differing:
            watching.make_due(conn, [source_id])  # the next poll was chosen by the old word
        after = _found(conn, source_id)
        if after != before:
            _note(conn, actor, "change", source_id, **_told(differing, url))
        return after


def pause(database: Database, source_id: SourceId, *, actor: str, reason: str = "") -> Row[Any]:
    """Poll a source no more until somebody resumes it. Raises `InputError`."""
    with database.write() as conn:
        before = _polled(_found(conn, source_id))
        if before.state != SourceState.PAUSED:
            watching.pause(conn, source_id, reason=reason or f"by {actor}")
            _note(conn, actor, "pause", source_id)
        return _found(conn, source_id)


def resume(database: Database, source_id: SourceId, *, actor: str) -> Row[Any]:
    """Poll a source again that is paused or gone, at once. One that fails is tried at once too. Raises `InputError`."""
    with database.write() as conn:
        before = _polled(_found(conn, source_id))
        if before.state != SourceState.ACTIVE or before.failures:
            watching.begin_again(conn, source_id)
            _note(conn, actor, "resume", source_id)
        return _found(conn, source_id)


def remove(database: Database, source_id: SourceId, *, actor: str) -> int:
    """Watch a source no more, and return how many articles of it stay. Raises `InputError`."""
    with database.write() as conn:
        _polled(_found(conn, source_id))
        watching.remove(conn, source_id, reason=f"by {actor}")
        _note(conn, actor, "remove", source_id)
        return watching.article_count(conn, source_id)


def _found(conn: Connection, source_id: SourceId) -> Row[Any]:
    row = sources.by_id(conn, source_id)
    if row is None or row.state == SourceState.REMOVED:
        raise InputError(f"there is no source {source_id}", hint=_SEE)
    return row


def _polled(row: Row[Any]) -> Row[Any]:
    if row.url is None:
        what = f"source {row.id}, {row.name}, is not polled: it keeps the articles that were handed in under this name"
        raise InputError(what, hint=_SEE)
    return row


def _refuse_taken(conn: Connection, url: str, source_id: SourceId) -> None:
    """Raise `InputError` where another source has this address, in any spelling."""
    taken = same_address(conn, url)
    if taken is not None and taken.id != source_id:
        is_removed = taken.state == SourceState.REMOVED
        hint = "add it again with `tocsin sources add`" if is_removed else f"remove source {taken.id} first, or keep it"
        which = f"source {taken.id}, {taken.name}" + ", which was removed" * is_removed
        raise InputError(f"this is the address of {which}", where="url", hint=hint)


def _told(differing: dict[str, object], url: str | None) -> dict[str, object]:
    return differing | ({"url": without_password(url)} if url is not None else {})


def _note(conn: Connection, actor: str, what: str, source_id: SourceId, **detail: object) -> None:
    house.note(conn, actor=actor, action=f"source {what}", subject=f"source {source_id}", **detail)
