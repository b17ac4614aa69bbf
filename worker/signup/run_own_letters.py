"""Asking for a letter about one's own business: a link to one's data, to be forgotten, or to change one's address.

A preferences link may be forwarded with the mail that it stands in, so that what must be the reader's alone needs a
link that is mailed to them first, good for an hour. Makes no mail: a letter that is due becomes one by planning's
sweep, for which the caller rings after the commit. Called by the pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from worker.model import LetterKind, SubscriberId, SubscriberStatus
from worker.signup import run_erasure
from worker.signup.decide_moving import DAY, Paper, may_write
from worker.signup.run_erasure import Erased
from worker.store import own_letters, people, personal, turns
from worker.store.database import Database, now
from worker.store.own_letters import Letter
from worker.store.people import Reader

ASKED_FOR: Final = (LetterKind.DATA, LetterKind.FORGET, LetterKind.MOVE)
_MAY_MOVE: Final = frozenset({SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED})


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """Whether a letter is under way, and why not: for the bell and the log, never for whoever asked."""

    is_due: bool
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """What a letter's link leads to: the reader, None once they are forgotten, and what has become of the letter."""

    reader: Reader | None
    paper: Paper
    letter: Letter | None


def ask_letter(database: Database, subscriber_id: SubscriberId, kind: LetterKind) -> Asked:
    """Have a letter written to a reader's own address. The caller must answer alike, whatever comes back.

    At most one in ten minutes and five a day, counted under the reader's row lock: the link by which it is asked for
    may be in anybody's hands.
    """
    with database.write() as conn:
        reader = people.locked(conn, subscriber_id)
        if reader is None or reader.address_hash is None:
            return Asked(is_due=False, reason="the reader is forgotten")
        if kind is LetterKind.MOVE and reader.status not in _MAY_MOVE:
            return Asked(is_due=False, reason="this reader gets no mail that could go elsewhere")
        if people.is_suppressed(conn, reader.address_hash) is not None:
            return Asked(is_due=False, reason="the address is suppressed")
        at = now(conn)
        if not may_write(own_letters.asked_lately(conn, ASKED_FOR, since=at - DAY, subscriber_id=reader.id), at):
            return Asked(is_due=False, reason="a letter was asked for not long ago")
        own_letters.put(conn, reader.id, kind)
        return Asked(is_due=True, reason="as asked")


def open_letter(conn: Connection, subscriber_id: SubscriberId, letter_id: int, kind: LetterKind) -> Opened:
    """Read what a letter's link leads to."""
    return opened(conn, people.by_id(conn, subscriber_id), letter_id, kind)


def opened(conn: Connection, reader: Reader | None, letter_id: int, kind: LetterKind) -> Opened:
    """Read a reader's letter."""
    if reader is None or reader.status is SubscriberStatus.ERASED:
        return Opened(reader=None, paper=Paper.GONE, letter=None)
    letter = own_letters.by_id(conn, letter_id)
    if letter is None or letter.subscriber_id != reader.id or letter.kind is not kind:
        return Opened(reader=reader, paper=Paper.GONE, letter=None)
    paper = Paper.VOID if letter.voided_at else Paper.USED if letter.used_at else Paper.OPEN
    return Opened(reader=reader, paper=paper, letter=letter)


def tell_all(database: Database, subscriber_id: SubscriberId, letter_id: int) -> dict[str, Any] | None:
    """Return everything that is held about a reader; None when the link is good no longer."""
    with database.read() as conn:
        found = open_letter(conn, subscriber_id, letter_id, LetterKind.DATA)
        if found.reader is None or found.paper is not Paper.OPEN:
            return None
        return personal.told(conn, run_erasure.whose_of(conn, found.reader))


def forget_by_letter(
    database: Database, subscriber_id: SubscriberId, letter_id: int, *, suppress: bool
) -> Erased | None:
    """Forget a reader at their own wish.

    None when the link is good no longer. With `suppress`, no sign-up and no list brings the address back.
    """
    with database.write() as conn:
        turns.alone(conn)
        found = opened(conn, people.locked(conn, subscriber_id), letter_id, LetterKind.FORGET)
        if found.reader is None or found.paper is not Paper.OPEN:
            return None
        return run_erasure.forget_reader(conn, found.reader, actor="the reader", suppress=suppress)


def forget_letters(database: Database) -> int:
    """Forget letters whose links have long stopped working, and return how many. Safe to repeat; called by a sweep."""
    with database.write() as conn:
        return own_letters.let_go(conn)
