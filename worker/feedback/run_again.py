"""Reads kept events again, with what we have learnt since, and lets those that changed have their consequences anew.

What an event did to its delivery stays, since a delivery never goes back; what it did to its address is undone when it
says something else now. Called by `tocsin feedback reclassify`; safe to repeat, and to break off.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

from sqlalchemy import Connection

from worker.errors import InputError
from worker.feedback.decide import decide
from worker.hearsay import EventKind, FeedbackEvent
from worker.store import events, suppressions
from worker.store.database import Database
from worker.store.events import Stored

_AT_ONCE: Final = 500
_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
_OF_ADDRESSES: Final = (EventKind.BOUNCED, EventKind.COMPLAINED, EventKind.REJECTED)


class Reader(Protocol):
    """What translates one provider's raw events, or returned mail."""

    def read(self, raw: str, *, received_at: datetime) -> Sequence[FeedbackEvent]:
        """As `EventParser.read`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """An event that is read in another way than before; `before` is None for one that was not seen at all."""

    before: FeedbackEvent | None
    after: FeedbackEvent


def classify_again(
    database: Database, readers: Mapping[str, Reader], *, provider: str | None = None, dry_run: bool = False
) -> Iterator[Change]:
    """Read all kept events again, of one provider or of all, and yield what has changed, oldest first.

    Those are to be settled afterwards, as are events that a defect had kept from leading to anything.
    """
    last = 0
    while True:
        with database.read() if dry_run else database.write() as conn:
            kept = events.kept(conn, after=last, limit=_AT_ONCE, provider=provider)
            changed = [change for one in kept for change in _again(conn, one, readers, dry_run=dry_run)]
        yield from changed
        if len(kept) < _AT_ONCE:
            return
        last = kept[-1].id


def _again(conn: Connection, one: Stored, readers: Mapping[str, Reader], *, dry_run: bool) -> Iterator[Change]:
    if one.has_failed and not dry_run:
        events.unsettle(conn, one.id)
    for event in _read(readers, one):
        if event.event_id == one.event.event_id and event != one.event:
            yield Change(before=one.event, after=event)
            if not dry_run:
                events.reread(conn, one.id, event)
                _undo(conn, one)
        elif event.event_id != one.event.event_id and not events.is_known(conn, event):
            yield Change(before=None, after=event)
            if not dry_run:
                events.put(conn, [(event, one.raw)], received_at=one.received_at)


def _read(readers: Mapping[str, Reader], one: Stored) -> Sequence[FeedbackEvent]:
    """Return what an event's raw form says; nothing where nobody can read it any more."""
    reader = readers.get(one.event.provider)
    try:
        return reader.read(one.raw, received_at=one.received_at) if reader else ()
    except InputError:
        return ()


def _undo(conn: Connection, one: Stored) -> None:
    """End the suppression that an event led to, and let all others about the address speak once more."""
    if one.address_hash is None or not suppressions.lift_event(conn, one.id):
        return
    for other in events.of_address(conn, one.address_hash, kinds=_OF_ADDRESSES, since=_BEGINNING):
        if decide(other.event).cause or other.event.kind is EventKind.BOUNCED:
            events.unsettle(conn, other.id)
