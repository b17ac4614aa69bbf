"""The statements over letters about a reader's own business: links to their data, and to a change of their address.

Never decides: signup does, under the reader's row lock, and planning makes the mails. A letter to an address that is
not the reader's keeps it until the letter is let go, a few days later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection

from worker.content import Choices
from worker.facts import DueLetter
from worker.lifecycle import PRE_COMMIT, Happening, State, sources_of
from worker.model import EditionId, LetterKind, SubscriberId
from worker.store import events
from worker.store.database import now
from worker.store.leases import lock, reschedule
from worker.store.schema import Attempt, Delivery, Event, OwnLetter, Subscriber

KEPT_FOR: Final = timedelta(days=8)
"""So long a letter is remembered: the way back from a change of address is open for seven days. Those that tell a
reader's former addresses stay as long as the reader does, who could not be forgotten wholly without them."""
_VOID: Final = "the letter was overtaken by another"


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """A letter as signup sees it. `recipient` is None where it goes to the reader's own address."""

    id: int
    subscriber_id: SubscriberId
    kind: LetterKind
    recipient: str | None
    recipient_hash: str | None
    asked_at: datetime
    used_at: datetime | None
    voided_at: datetime | None


_LETTER: Final = tuple(getattr(OwnLetter, name) for name in Letter.__slots__)


def put(
    conn: Connection,
    subscriber_id: SubscriberId,
    kind: LetterKind,
    *,
    recipient: str | None = None,
    recipient_hash: str | None = None,
    is_due: bool = True,
) -> int:
    """Ask for a letter, and return its number. One that is not due is only remembered."""
    at = now(conn)
    values = {"subscriber_id": subscriber_id, "kind": kind, "recipient": recipient, "recipient_hash": recipient_hash}
    statement = sa.insert(OwnLetter).values(**values, asked_at=at, due_at=at if is_due else None)
    return int(conn.execute(statement.returning(OwnLetter.id)).scalar_one())


def put_change(conn: Connection, subscriber_id: SubscriberId, *, before: Choices, due_at: datetime) -> None:
    """Have a reader told, when it is due, what is otherwise by then than it was before."""
    values = {"subscriber_id": subscriber_id, "kind": LetterKind.CHANGED, "asked_at": now(conn), "due_at": due_at}
    conn.execute(sa.insert(OwnLetter).values(**values, before=before.model_dump(mode="json")))


def is_waiting(conn: Connection, subscriber_id: SubscriberId, kind: LetterKind) -> bool:
    """Tell whether a reader's letter of a kind is still to be written, and let no planner write it meanwhile."""
    mine = (OwnLetter.subscriber_id == subscriber_id, OwnLetter.kind == kind, OwnLetter.due_at.is_not(None))
    return conn.execute(sa.select(OwnLetter.id).where(*mine).with_for_update()).first() is not None


def by_id(conn: Connection, letter_id: int) -> Letter | None:
    """Find a letter; None for one that has been let go, or was never asked for."""
    row = conn.execute(sa.select(*_LETTER).where(OwnLetter.id == letter_id)).first()
    return Letter(**row._mapping) if row else None  # noqa: SLF001  Row's documented view


def asked_lately(
    conn: Connection,
    kinds: Sequence[LetterKind],
    *,
    since: datetime,
    subscriber_id: SubscriberId | None = None,
    recipient_hash: str | None = None,
    only_written: bool = False,
) -> list[datetime]:
    """Return when letters of some kinds were asked for, by a reader or to an address that is not the reader's."""
    wanted = {OwnLetter.subscriber_id: subscriber_id, OwnLetter.recipient_hash: recipient_hash}
    query = sa.select(OwnLetter.asked_at).where(
        OwnLetter.kind.in_(kinds),
        OwnLetter.asked_at > since,
        OwnLetter.edition_id.is_not(None) if only_written else sa.true(),
        *(column == value for column, value in wanted.items() if value is not None),
    )
    return list(conn.execute(query.order_by(OwnLetter.asked_at)).scalars())


def use(conn: Connection, letter_id: int) -> bool:
    """Mark a letter's link as used; False when it was before, or the letter is void."""
    mark = sa.update(OwnLetter).where(OwnLetter.id == letter_id, *_IS_OPEN).values(used_at=now(conn))
    return conn.execute(mark).rowcount == 1


def overtake(
    conn: Connection, subscriber_id: SubscriberId, kinds: Sequence[LetterKind], *, after: int = 0, why: str = _VOID
) -> None:
    """Make a reader's open letters of some kinds void, from the one that follows `after`; unsent ones do not go."""
    which = sa.and_(
        OwnLetter.subscriber_id == subscriber_id, OwnLetter.kind.in_(kinds), OwnLetter.id > after, *_IS_OPEN
    )
    _withdraw(conn, which, why=why)
    conn.execute(sa.update(OwnLetter).where(which).values(voided_at=now(conn), due_at=None, before=None))


def due_letters(conn: Connection, *, limit: int) -> list[DueLetter]:
    """Return letters that wait to be written, locked until the transaction ends."""
    # Looked up one by one: of a join, SQLite would go through all readers to find that no letter is due.
    of_reader = [
        sa.select(column).where(Subscriber.id == OwnLetter.subscriber_id).scalar_subquery().label(column.key)
        for column in (Subscriber.email, Subscriber.locale)
    ]
    query = (
        sa.select(OwnLetter.id, OwnLetter.kind, OwnLetter.subscriber_id, OwnLetter.recipient, OwnLetter.asked_at)
        .add_columns(OwnLetter.before)
        .add_columns(*of_reader)
        .where(OwnLetter.due_at <= now(conn))
        .order_by(OwnLetter.due_at, OwnLetter.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [
        DueLetter(
            id=row.id,
            kind=row.kind,
            subscriber_id=SubscriberId(row.subscriber_id),
            recipient=row.recipient or row.email,
            locale=row.locale,
            asked_at=row.asked_at,
            before=row.before,
        )
        for row in conn.execute(query)
    ]


def planned(conn: Connection, letter_id: int, edition_id: EditionId | None) -> None:
    """Note in which edition a letter goes; none when there is nobody to write to, or nothing to tell, any more."""
    values = {"due_at": None, "edition_id": edition_id, "before": None}
    conn.execute(sa.update(OwnLetter).where(OwnLetter.id == letter_id).values(**values))


def redirect_unsent(conn: Connection, subscriber_id: SubscriberId, *, old: str, new: str) -> int:
    """Send a reader's copies that are not on the wire to their new address, and return how many there were.

    A leased one is taken away from its worker, who has perhaps written the old address on it, and is due again. Letters
    to one address are for that address only, and stay.
    """
    letters = sa.select(OwnLetter.edition_id).where(
        OwnLetter.subscriber_id == subscriber_id, OwnLetter.edition_id.is_not(None)
    )
    mine = (
        Delivery.subscriber_id == subscriber_id,
        Delivery.recipient == old,
        Delivery.state.in_(PRE_COMMIT),
        Delivery.edition_id.not_in(letters),
    )
    batches = sa.select(Delivery.edition_id, Delivery.batch_no).where(*mine).distinct()
    where = sorted((row.edition_id, row.batch_no) for row in conn.execute(batches))
    for edition_id, batch_no in where:
        lock(conn, edition_id, batch_no)
    leased = (Delivery.state.in_(sources_of(Happening.RELEASED)), State.PLANNED)
    values = {"recipient": new, "domain": new.rpartition("@")[2].lower(), "avoid": ""}
    moved = conn.execute(sa.update(Delivery).where(*mine).values(**values, state=sa.case(leased, else_=Delivery.state)))
    for edition_id, batch_no in where:
        reschedule(conn, edition_id, batch_no)
    return moved.rowcount


def to_others(subscriber_id: SubscriberId | None = None) -> sa.Select[int | None]:
    """Return the editions of letters to addresses that have not become their reader's: what is in them is another's."""
    query = sa.select(OwnLetter.edition_id).where(
        OwnLetter.kind == LetterKind.NEW_ADDRESS, OwnLetter.used_at.is_(None), OwnLetter.edition_id.is_not(None)
    )
    return query if subscriber_id is None else query.where(OwnLetter.subscriber_id == subscriber_id)


def former_addresses(conn: Connection, subscriber_id: SubscriberId) -> dict[str, str]:
    """Return the addresses that were a reader's once, each with its hash; perhaps the present one too."""
    mine = OwnLetter.subscriber_id == subscriber_id
    query = sa.select(OwnLetter.recipient, OwnLetter.recipient_hash).where(mine, _was_the_readers())
    return {str(row.recipient): str(row.recipient_hash) for row in conn.execute(query)}


def told(conn: Connection, subscriber_id: SubscriberId | None, address_hash: str) -> list[dict[str, Any]]:
    """Return what is remembered of letters that a reader has asked for, and of others' letters to an address.

    Whether a mail went to an address that a reader has named would tell them whether it is another reader's, and is not
    told.
    """
    mine = OwnLetter.subscriber_id == subscriber_id
    columns = (OwnLetter.kind, OwnLetter.recipient, OwnLetter.asked_at, OwnLetter.used_at, OwnLetter.voided_at)
    asked = mine if subscriber_id is not None else sa.false()
    query = (
        sa.select(*columns, OwnLetter.before)
        .where(sa.or_(asked, OwnLetter.recipient_hash == address_hash))
        .order_by(OwnLetter.id)
    )
    return [dict(row._mapping) for row in conn.execute(query)]  # noqa: SLF001  Row's documented view


def forget(conn: Connection, subscriber_id: SubscriberId | None, address_hash: str, *, spare: int = 0) -> None:
    """Delete a reader's letters; take an address out of all others' letters and their mails, but for one of them."""
    named = sa.and_(OwnLetter.recipient_hash == address_hash, OwnLetter.id != spare)
    scrub(conn, named)
    spared = sa.select(OwnLetter.subscriber_id).where(OwnLetter.id == spare)
    _scrub_former(conn, sa.and_(named, OwnLetter.subscriber_id.not_in(spared)))
    blank = {"recipient": None, "recipient_hash": None, "due_at": None}
    voided_at = sa.func.coalesce(OwnLetter.voided_at, now(conn))
    conn.execute(sa.update(OwnLetter).where(named).values(**blank, voided_at=voided_at))
    if subscriber_id is not None:
        conn.execute(sa.delete(OwnLetter).where(OwnLetter.subscriber_id == subscriber_id))


def let_go(conn: Connection) -> int:
    """Delete letters that nobody can follow any more, with the addresses in them that never became their reader's.

    What was told of a mail to such an address quotes it, and goes too.
    """
    old = sa.and_(OwnLetter.asked_at < now(conn) - KEPT_FOR, sa.not_(_was_the_readers()))
    numbers = scrub(conn, sa.and_(old, OwnLetter.kind == LetterKind.NEW_ADDRESS))
    quoting = sa.select(Event.id).join(Delivery, Delivery.id == Event.delivery_id)
    for event_id in conn.execute(quoting.where(Delivery.edition_id.in_(numbers))).scalars().all():
        events.forget(conn, event_id)
    return conn.execute(sa.delete(OwnLetter).where(old)).rowcount


def scrub(conn: Connection, which: ColumnElement[bool]) -> list[int | None]:
    """Take the address of some letters out of their mails and the tries; an unsent one does not go any more.

    Return the editions of these letters.
    """
    numbers = _withdraw(conn, which)
    mails = Delivery.edition_id.in_(numbers)
    tries = Attempt.delivery_id.in_(sa.select(Delivery.id).where(mails))
    conn.execute(sa.update(Attempt).where(tries).values(text="", provider_message_id=""))
    reason = sa.case((Delivery.reason == _VOID, Delivery.reason), else_="")
    blank = {"recipient": None, "addressee": None, "domain": "", "provider_message_id": "", "reason": reason}
    conn.execute(sa.update(Delivery).where(mails).values(**blank))
    return numbers


def _scrub_former(conn: Connection, which: ColumnElement[bool]) -> None:
    """Take an address that is a reader's no longer out of the mails that went there, and out of their tries."""
    told = sa.select(OwnLetter.subscriber_id, OwnLetter.recipient).where(which, _was_the_readers()).distinct()
    for subscriber_id, recipient in conn.execute(told).all():
        mails = sa.and_(Delivery.subscriber_id == subscriber_id, Delivery.recipient == recipient)
        tries = Attempt.delivery_id.in_(sa.select(Delivery.id).where(mails))
        conn.execute(sa.update(Attempt).where(tries).values(text="", provider_message_id=""))
        blank = {"recipient": None, "addressee": None, "domain": "", "provider_message_id": ""}
        conn.execute(sa.update(Delivery).where(mails, Delivery.state.not_in(PRE_COMMIT)).values(**blank))


def _was_the_readers() -> ColumnElement[bool]:
    """Return the condition that a letter tells an address that is, or was, its reader's own."""
    has_been = sa.or_(OwnLetter.kind == LetterKind.MOVED, OwnLetter.used_at.is_not(None))
    return sa.and_(OwnLetter.recipient.is_not(None), has_been)


def _withdraw(conn: Connection, which: ColumnElement[bool], *, why: str = _VOID) -> list[int | None]:
    """End the copies of some letters that are not on the wire; return the editions of all of these letters."""
    numbers = list(
        conn.execute(sa.select(OwnLetter.edition_id).where(which, OwnLetter.edition_id.is_not(None))).scalars()
    )
    unsent = (Delivery.edition_id.in_(numbers), Delivery.state.in_(PRE_COMMIT))
    batches = sa.select(Delivery.edition_id, Delivery.batch_no).where(*unsent).distinct()
    where = sorted((row.edition_id, row.batch_no) for row in conn.execute(batches)) if numbers else []
    for edition_id, batch_no in where:
        lock(conn, edition_id, batch_no)
    values = {"state": State.SUPPRESSED, "reason": why, "next_attempt_at": None, "ended_at": now(conn)}
    if where:
        conn.execute(sa.update(Delivery).where(*unsent).values(**values))
    for edition_id, batch_no in where:
        reschedule(conn, edition_id, batch_no)
    return numbers


_IS_OPEN: Final = (OwnLetter.used_at.is_(None), OwnLetter.voided_at.is_(None))
