"""A reader's change of address: named by one mailbox, agreed to by another, and taken back by the first if need be.

`decide_moving` says what each deed leads to. One transaction a deed, all safe to repeat; those that change an address
have the planners' turn alone, so that no copy is planned for the old one meanwhile. Called by the pages.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from worker.model import LetterKind, SubscriberId, SubscriberStatus
from worker.signup.address import Address
from worker.signup.consent import Consent, Evidence
from worker.signup.decide_moving import DAY, Deed, Move, Target, Turn, may_write, turn
from worker.signup.mailboxes import mailbox_of
from worker.signup.run import HashAddress, Limits
from worker.signup.run_erasure import forget_reader
from worker.signup.run_own_letters import ASKED_FOR, Opened, opened
from worker.store import asking, house, outbox, own_letters, people, turns
from worker.store.database import Database, now
from worker.store.own_letters import Letter
from worker.store.people import Reader
from worker.tidings import Tiding

_IN_TURN: Final = "own letters"  # a counter that nothing is drawn from: its row is the lock of all changes of address
_MAILED_THERE: Final = (*ASKED_FOR, LetterKind.NEW_ADDRESS)  # with a link that opens the reader's business
_LIMITS: Final = Limits()
_NOBODY: Final = Turn(Move.NOTHING, "the reader is forgotten")


def name_address(
    database: Database,
    subscriber_id: SubscriberId,
    letter_id: int,
    *,
    address: Address,
    hash_address: HashAddress,
    limits: Limits = _LIMITS,
) -> Turn:
    """Ask the owner of a new address. The caller must answer alike, but where it is the reader's own already.

    An address gets at most one such question in ten minutes and five a day, whoever names it, and its mailbox no more
    of them and of sign-ups' together than `limits` say; a reader may name five addresses a day, those that get no mail
    included. The last one named is the one that counts.
    """
    address_hash, mailbox_hash = hash_address(address.key), hash_address(mailbox_of(address.key))
    with database.write() as conn:
        asking.alone_with(conn, mailbox_hash)
        house.hold(conn, _IN_TURN)
        found = opened(conn, people.locked(conn, subscriber_id), letter_id, LetterKind.MOVE)
        if found.reader is None:
            return _NOBODY
        target, other = _target(conn, found.reader, address_hash)
        due = turn(Deed.NAME, found.paper, target, found.reader.status)
        if target is Target.OWN or found.letter is None or found.letter.voided_at or found.letter.used_at:
            return due
        at = now(conn)
        is_rested = asking.asked_lately(conn, mailbox_hash, at=at) < limits.a_day
        if not (is_rested and _may_name(conn, found.reader, address_hash, at)):
            return Turn(Move.NOTHING, "this address, or this reader, had its letters already")
        own_letters.overtake(conn, found.reader.id, [LetterKind.NEW_ADDRESS])
        own_letters.put(
            conn,
            found.reader.id,
            LetterKind.NEW_ADDRESS,
            recipient=address.text,
            recipient_hash=address_hash,
            is_due=due.does is Move.ASK,
        )
        # Nobody's row: no yes of the reader's, and no erasure, may give somebody else's mailbox its budget back.
        asking.note(conn, at=at, mailbox_hash=mailbox_hash, due_at=at)
        with conn.begin_nested() as tried:
            own_letters.put(conn, (other or found.reader).id, LetterKind.TAKEN)
            if due.does is not Move.WARN:  # the same work for nothing: nobody can tell by the clock
                tried.rollback()
        return due


def agree(database: Database, subscriber_id: SubscriberId, letter_id: int, *, evidence: Evidence) -> Turn:
    """Take the yes of a new address: mail goes there from now on, and the old one is told, with a way back."""
    return _in_spite_of_strangers(lambda: _agree(database, subscriber_id, letter_id, evidence))


def _agree(database: Database, subscriber_id: SubscriberId, letter_id: int, evidence: Evidence) -> Turn:
    with database.write() as conn:
        found = _alone(conn, subscriber_id, letter_id, LetterKind.NEW_ADDRESS)
        due, other = _turn(conn, found, Deed.AGREE)
        reader, letter = found.reader, found.letter
        if due.does is Move.CHANGE and reader is not None and letter is not None:
            _clear(conn, due, other, letter)
            own_letters.overtake(conn, reader.id, [kind for kind in _MAILED_THERE if kind is not letter.kind])
            _move(conn, reader, letter, evidence)
            own_letters.put(
                conn, reader.id, LetterKind.MOVED, recipient=reader.email, recipient_hash=reader.address_hash
            )
        return due


def take_back(database: Database, subscriber_id: SubscriberId, letter_id: int, *, evidence: Evidence) -> Turn:
    """Undo a change of address, and every later one: letters that went to the other addresses are void."""
    return _in_spite_of_strangers(lambda: _take_back(database, subscriber_id, letter_id, evidence))


def _take_back(database: Database, subscriber_id: SubscriberId, letter_id: int, evidence: Evidence) -> Turn:
    with database.write() as conn:
        found = _alone(conn, subscriber_id, letter_id, LetterKind.MOVED)
        due, other = _turn(conn, found, Deed.TAKE_BACK)
        reader, letter = found.reader, found.letter
        if due.does is Move.RESTORE and reader is not None and letter is not None:
            _clear(conn, due, other, letter)
            own_letters.overtake(conn, reader.id, _MAILED_THERE)
            own_letters.overtake(conn, reader.id, [LetterKind.MOVED], after=letter.id)
            _move(conn, reader, letter, evidence)
        return due


def _in_spite_of_strangers(settle: Callable[[], Turn]) -> Turn:
    """Settle once more where somebody has signed the address up between our look and our change (PostgreSQL only)."""
    try:
        return settle()
    except IntegrityError:
        return settle()


def _turn(conn: Connection, found: Opened, deed: Deed) -> tuple[Turn, Reader | None]:
    if found.reader is None:
        return _NOBODY, None
    if found.letter is None or found.letter.recipient_hash is None:
        return turn(deed, found.paper, Target.FREE, found.reader.status), None
    target, other = _target(conn, found.reader, found.letter.recipient_hash)
    return turn(deed, found.paper, target, found.reader.status), other


def _alone(conn: Connection, subscriber_id: SubscriberId, letter_id: int, kind: LetterKind) -> Opened:
    turns.alone(conn)
    house.hold(conn, _IN_TURN)  # before any row: two readers who take each other's addresses wait in one line
    return opened(conn, people.locked(conn, subscriber_id), letter_id, kind)


def _target(conn: Connection, reader: Reader, address_hash: str) -> tuple[Target, Reader | None]:
    if reader.address_hash == address_hash:
        return Target.OWN, None
    other, is_suppressed = people.by_address(conn, address_hash), people.is_suppressed(conn, address_hash) is not None
    if other is not None and (other.status is not SubscriberStatus.PENDING or other.confirmed_at is not None):
        return Target.TAKEN, other
    if is_suppressed:
        return Target.SUPPRESSED, other
    return (Target.FREE, None) if other is None else (Target.UNPROVEN, other)


def _may_name(conn: Connection, reader: Reader, address_hash: str, at: datetime) -> bool:
    asks = [LetterKind.NEW_ADDRESS]
    mine = own_letters.asked_lately(conn, asks, since=at - DAY, subscriber_id=reader.id)
    theirs = own_letters.asked_lately(conn, asks, since=at - DAY, recipient_hash=address_hash)
    return may_write(mine, at, apart=timedelta(0)) and may_write(theirs, at)


def _clear(conn: Connection, due: Turn, other: Reader | None, letter: Letter) -> None:
    if due.clears and other is not None:
        forget_reader(conn, other, actor="the owner of the address", spare_letter=letter.id)


def _move(conn: Connection, reader: Reader, letter: Letter, evidence: Evidence) -> None:
    """Make a letter's address the reader's; what has not gone out yet goes there."""
    assert letter.recipient is not None  # noqa: S101  for mypy: its hash is there, and both go together
    own_letters.use(conn, letter.id)
    consent = Consent.read(reader.consent).witnessed(evidence.noted(now(conn)))
    people.change_reader(
        conn, reader.id, email=letter.recipient, address_hash=letter.recipient_hash, consent=consent.stored()
    )
    if reader.email is not None:
        own_letters.redirect_unsent(conn, reader.id, old=reader.email, new=letter.recipient)
    outbox.tell(conn, Tiding.PREFERENCES_CHANGED, reader.id, changed=["email"])
    house.note(conn, actor="the reader", action="change address", subject=f"subscriber {reader.id}", why=letter.kind)
