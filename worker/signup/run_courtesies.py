"""Has the letters written that go unasked, in the transaction of what they tell, under the reader's row lock.

Makes no mail: planning's sweep does, for which the caller rings after the commit. Nothing is written for a suppressed
address, nor of a kind that the house does not write. Called by the other `run*` modules of this room.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import Connection

from worker.content import Choices
from worker.model import LetterKind, SubscriberId
from worker.signup.courtesies import Courtesies, changed_due_at
from worker.store import own_letters, people
from worker.store.choices import choices_of
from worker.store.database import now
from worker.store.people import Reader

_DAY: Final = timedelta(days=1)
_OF_SUBSCRIBED: Final = (LetterKind.WELCOME, LetterKind.CHANGED)


def welcome(conn: Connection, reader: Reader, courtesies: Courtesies) -> None:
    """Welcome a reader who has said yes just now; a farewell that is still to be written is not."""
    own_letters.overtake(conn, reader.id, [LetterKind.GOODBYE], why="the reader has come back")
    if _may_write(conn, reader, LetterKind.WELCOME, courtesies):
        own_letters.put(conn, reader.id, LetterKind.WELCOME)


def say_goodbye(conn: Connection, reader: Reader, courtesies: Courtesies) -> None:
    """Tell a reader who has left just now that it is done. What was to be told to a subscriber is not told any more."""
    own_letters.overtake(conn, reader.id, _OF_SUBSCRIBED, why="the reader has left")
    if _may_write(conn, reader, LetterKind.GOODBYE, courtesies):
        own_letters.put(conn, reader.id, LetterKind.GOODBYE)


def before_change(conn: Connection, subscriber_id: SubscriberId, courtesies: Courtesies) -> Choices | None:
    """Return what a reader has chosen before it is changed, for `tell_change`; None where nobody is to be told."""
    return choices_of(conn, subscriber_id) if LetterKind.CHANGED in courtesies.kinds else None


def tell_change(conn: Connection, reader: Reader, before: Choices | None, courtesies: Courtesies) -> None:
    """Have a reader told what has been changed since, if anything has.

    A letter that still waits tells of it, too: it compares what is then with what was before the first change.
    """
    if before is None or not _may_write(conn, reader, LetterKind.CHANGED, courtesies):
        return
    after = choices_of(conn, reader.id)
    if after is None or after.wishes() == before.wishes():
        return
    if own_letters.is_waiting(conn, reader.id, LetterKind.CHANGED):
        return
    at = now(conn)
    written = own_letters.asked_lately(
        conn, [LetterKind.CHANGED], since=at - _DAY, subscriber_id=reader.id, only_written=True
    )
    due_at = changed_due_at(written, at, gather=courtesies.changed_after)
    own_letters.put_change(conn, reader.id, before=before, due_at=due_at)


def _may_write(conn: Connection, reader: Reader, kind: LetterKind, courtesies: Courtesies) -> bool:
    if kind not in courtesies.kinds or reader.address_hash is None:
        return False
    return people.is_suppressed(conn, reader.address_hash) is None
