"""Takes a few thousand lines of a list in one transaction: reads whom they are about, has it decided, writes it down.

A handful of statements for all of them, so that a list of a million goes in at the pace of the database. A rehearsal
stores nothing; it keeps what it would have stored in a file of its own, so that it counts what the import would do,
however far apart two lines about one address stand. Called by `run_import`.
"""

from __future__ import annotations

import dataclasses
import functools
import pickle
import sqlite3
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from worker.hearsay import Cause
from worker.model import SubscriberId, SubscriberStatus
from worker.signup.admitting import Dues, Fate, Held, House, Person, admit
from worker.signup.importing import Line, Record
from worker.store import asking, crowds, newsletters
from worker.store.database import now
from worker.store.house import MATCH_SEQ, reached

Hashed = tuple[Line, str]
"""A line, with the hash of its address."""

_SUPPRESSED: Final = b""


class Rehearsal:
    """What a dry run would have stored, in a file that has no name and goes with it."""

    def __init__(self) -> None:
        self._file = sqlite3.connect("")
        self._file.execute("CREATE TABLE seen (hash TEXT PRIMARY KEY, person BLOB NOT NULL) WITHOUT ROWID")

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def recall(self, hashes: Collection[str]) -> dict[str, Person | None]:
        """Return those whom earlier lines were about, None for who is suppressed by one."""
        marks = ",".join("?" * len(hashes))
        found = self._file.execute(f"SELECT hash, person FROM seen WHERE hash IN ({marks})", [*hashes])  # noqa: S608  marks
        return {key: None if blob == _SUPPRESSED else pickle.loads(blob) for key, blob in found}  # noqa: S301  our own

    def note(self, persons: Collection[Person], suppressed: Collection[str]) -> None:
        """Keep what has been made of readers, without what names them."""
        rows = [(one.address_hash, pickle.dumps(_nameless(one))) for one in persons]
        rows += [(address_hash, _SUPPRESSED) for address_hash in suppressed]
        self._file.executemany("INSERT OR REPLACE INTO seen VALUES (?, ?)", rows)


def _nameless(person: Person) -> Person:
    """Leave out what names somebody or tells what they want: no later line's fate rests on it."""
    asked_at = person.consent.get("asked_at", [])
    return dataclasses.replace(person, email="", name="", consent={"asked_at": asked_at}, holds={})


def take(
    conn: Connection, lines: Sequence[Hashed], *, is_confirmed: bool, dues: Dues, rehearsal: Rehearsal | None = None
) -> Counter[Fate]:
    """Store these lines, or only rehearse it, and return what became of them."""
    house = _house(conn, is_confirmed=is_confirmed, dues=dues)
    hashes = list(dict.fromkeys(address_hash for _, address_hash in lines))
    barred = _barred(conn, lines)
    suppressed = crowds.suppressed(conn, hashes) | barred.keys()
    persons = _persons(conn, [one for one in hashes if one not in suppressed])
    if rehearsal is not None:
        for address_hash, person in rehearsal.recall(hashes).items():
            if person is None:
                suppressed.add(address_hash)
            else:
                persons[address_hash] = person
    fates: Counter[Fate] = Counter()
    for line, address_hash in lines:
        if address_hash in suppressed:
            fates[Fate.SUPPRESSED] += 1
        elif line.record is not None and line.record.barred is not None:
            fates[Fate.KEPT] += 1
        elif line.record is not None and not line.terms.follows and line.status is not SubscriberStatus.LEFT:
            fates[Fate.UNMAPPED] += 1
        else:
            person = persons.get(address_hash)
            if person is None:
                person = persons[address_hash] = Person(line.address.text, address_hash)
            fates[admit(person, line, house)] += 1
    if rehearsal is not None:
        rehearsal.note(persons.values(), barred)
    else:
        crowds.bar(conn, barred, at=house.at)
        _write(conn, list(persons.values()), house)
    return fates


def _house(conn: Connection, *, is_confirmed: bool, dues: Dues) -> House:
    head = reached(conn, MATCH_SEQ)
    return House(
        at=now(conn),
        head=head,
        topics=crowds.shared_topics(conn),
        newsletters=newsletters.all_by_slug(conn),
        before_alerts=functools.cache(functools.partial(crowds.before_alerts, conn, head=head)),
        is_confirmed=is_confirmed,
        dues=dues,
    )


def _barred(conn: Connection, lines: Sequence[Hashed]) -> dict[str, tuple[Cause, str]]:
    """Return whom another house no longer sends to, but for those who were let off, or said yes here, after that."""
    claimed = {
        address_hash: line.record
        for line, address_hash in lines
        if line.record is not None and line.record.barred is not None
    }
    if not claimed:
        return {}
    later = crowds.sayings_since(conn, claimed)
    return {
        address_hash: (record.barred, record.reason)
        for address_hash, record in claimed.items()
        if record.barred is not None and not _is_outdated(record, later.get(address_hash))
    }


def _is_outdated(record: Record, later: datetime | None) -> bool:
    return later is not None and (record.since is None or later > record.since)


def _persons(conn: Connection, hashes: Sequence[str]) -> dict[str, Person]:
    """Read the readers that there are, with all that they follow or have followed."""
    persons: dict[str, Person] = {}
    by_id: dict[int, Person] = {}
    for address_hash, row in crowds.readers(conn, hashes).items():
        persons[address_hash] = by_id[row.id] = Person(**row._mapping, is_new=False)  # noqa: SLF001  Row's documented view
    for row in crowds.subscriptions(conn, by_id):
        by_id[row.subscriber_id].holds[row.topic_id, row.newsletter_id] = Held(
            topic_id=row.topic_id,
            newsletter_id=row.newsletter_id,
            cadence=row.cadence,
            times=tuple(row.times),
            weekday=row.weekday,
            next_due_at=row.next_due_at,
            cursor=row.cursor,
            id=row.id,
            ended_at=row.ended_at,
        )
    return persons


def _write(conn: Connection, persons: Sequence[Person], house: House) -> None:
    """Add and change what has to be; who is as before costs nothing."""
    strangers = [person for person in persons if person.is_new]
    for person, number in zip(strangers, crowds.new_ids(conn, len(strangers)), strict=True):
        person.id = number
    crowds.add_readers(conn, map(_row, strangers), at=house.at)
    crowds.change_readers(conn, [_row(person) for person in persons if person.is_changed and not person.is_new])
    asking.forget(conn, *(SubscriberId(person.id) for person in persons if person.is_answered))
    held = [(person.id, one) for person in persons for one in person.holds.values()]
    crowds.add_subscriptions(conn, (_held(whose, one) for whose, one in held if one.id is None), at=house.at)
    crowds.restart(conn, [(*_rhythm(one), one.cursor) for _, one in held if one.id is not None and one.is_moved])
    crowds.unmute(conn, [one.id for _, one in held if one.id is not None and one.is_restarted])
    crowds.change_rhythms(
        conn, [_rhythm(one) for _, one in held if one.id is not None and one.is_changed and not one.is_moved]
    )


def _row(person: Person) -> tuple[Any, ...]:
    """Return the values of `crowds.READER`."""
    return (
        person.id,
        person.address_hash,
        person.email,
        person.status,
        person.name,
        person.locale,
        person.timezone,
        person.consent,
        person.confirmations,
        person.confirmation_due_at,
        person.paused_until,
        person.paused_at,
        person.confirmed_at,
        person.left_at,
    )


def _held(whose: int, held: Held) -> tuple[Any, ...]:
    """Return the values of `crowds.SUBSCRIPTION` between its id and its end."""
    about = (whose, held.topic_id, held.newsletter_id)
    return (*about, held.cadence, held.times, held.weekday, held.cursor, held.next_due_at)


def _rhythm(held: Held) -> tuple[Any, ...]:
    """Return the values of `crowds.RHYTHM`."""
    return held.id, held.cadence, held.times, held.weekday, held.next_due_at
