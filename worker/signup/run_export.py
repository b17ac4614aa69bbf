"""Writes the readers down as a list that `run_import` can read again, here or in another house.

Reads only. Called by `tocsin subscribers export`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from worker.model import SubscriberStatus
from worker.signup.consent import Consent
from worker.signup.decide import standing
from worker.signup.importing import COLUMNS, NEWSLETTER, STATUS
from worker.signup.run_wishes import wish_of
from worker.signup.wishes import Rhythm, Wish
from worker.store import people
from worker.store.database import Database, now
from worker.store.people import Following, Reader

HEADER: Final = (*COLUMNS, STATUS)


def export_readers(database: Database) -> Iterator[tuple[str, ...]]:
    """Yield a row under `HEADER` for each reader and rhythm, readers in order of id; pending ones with their wishes.

    A newsletter stands among the topics; own queries have no column in such a list and are left out.
    """
    with database.read() as conn:
        at = now(conn)
        for reader, followings in people.export(conn):
            where = standing(reader.status, paused_until=reader.paused_until, now=at)
            yield from _rows(reader, where, _wish(reader, where, followings))


def _wish(reader: Reader, where: SubscriberStatus, followings: list[Following]) -> Wish:
    question = Consent.read(reader.consent).question
    if where is SubscriberStatus.PENDING and question is not None:
        return question.wish
    return wish_of(reader, followings)


def _rows(reader: Reader, where: SubscriberStatus, wish: Wish) -> Iterator[tuple[str, ...]]:
    shelves: dict[Rhythm | None, list[str]] = {}
    for follow in wish.follows:
        if follow.topic is not None:
            shelves.setdefault(follow.rhythm, []).append(follow.topic)
    # Their rhythm says nothing: they stand in the first of the reader's lines.
    letters = [NEWSLETTER + follow.newsletter for follow in wish.follows if follow.newsletter is not None]
    if letters:
        shelves.setdefault(next(iter(shelves), None), []).extend(letters)
    for rhythm, slugs in (shelves or {None: []}).items():
        cadence, at = (rhythm.cadence, rhythm.times) if rhythm else ("", ())
        yield (
            reader.email or "",
            reader.name,
            reader.locale,
            reader.timezone,
            ";".join(slugs),
            cadence,
            ";".join(at),
            where,
        )
