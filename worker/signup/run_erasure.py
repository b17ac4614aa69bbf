"""Forgets a reader, and tells a reader all that is held about them.

What stays is a tombstone for the books and, where the address was suppressed, its keyed hash. Called by the command
line and the pages; a sweep forgets what the wire brings in late.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from worker.model import SubscriberId
from worker.signup.address import Address, normalise
from worker.signup.decide import Act, step
from worker.signup.run import Known, look_up
from worker.store import editions, house, outbox, own_letters, people, personal, turns
from worker.store.database import Database, now
from worker.store.people import Reader
from worker.store.personal import Whose
from worker.tidings import Tiding

_REPLIES_COME_WITHIN = timedelta(minutes=30)
_BY_REQUEST = "erased at the reader's wish, who wants no mail again"


@dataclass(frozen=True, kw_only=True, slots=True)
class Erased:
    """What was forgotten: whether there was a reader, how many mails and events told of them.

    `spellings` are those of all their addresses, for what lies outside the tables.
    """

    was_known: bool
    spellings: frozenset[str] = frozenset()
    unsent: int = 0
    mails: int = 0
    events: int = 0


def erase(database: Database, address: Address, address_hash: str, *, actor: str, suppress: bool) -> Erased:
    """Forget an address's reader for good, and whatever else is held about it. Safe to repeat.

    The address may come again as a stranger, unless it is suppressed.
    """
    with database.write() as conn:
        turns.alone(conn)  # no planner has copies for this reader under its pen
        reader = people.by_address(conn, address_hash)
        due = step(reader.status if reader else None, Act.ERASE)
        if suppress:
            people.suppress(conn, address_hash, reason=_BY_REQUEST)
        whose = _whose(conn, address, address_hash, reader)
        if reader is None or due is None:
            own_letters.forget(conn, None, address_hash)
            editions.finish_settled(conn)
            return Erased(was_known=False, spellings=whose.spellings, events=personal.scrub_events(conn, whose))
        return _forget(conn, reader.id, whose, actor=actor)


def erase_reader(
    database: Database,
    subscriber_id: SubscriberId,
    *,
    actor: str,
    suppress: bool,
    expects: Callable[[Connection, Known], None] | None = None,
) -> Erased:
    """`erase` for a reader by their number, whatever their address is by now.

    `expects` sees the reader as they are, locked, and raises what it likes if they are not what its caller has seen.
    """
    with database.write() as conn:
        turns.alone(conn)
        reader, known = people.locked(conn, subscriber_id), look_up(conn, subscriber_id)
        if reader is None or known is None:
            return Erased(was_known=False)
        if expects is not None:
            expects(conn, known)
        return forget_reader(conn, reader, actor=actor, suppress=suppress)


def forget_reader(
    conn: Connection, reader: Reader, *, actor: str, suppress: bool = False, spare_letter: int = 0
) -> Erased:
    """`erase` in a transaction that does more, and has the planners' turn alone; the reader is locked and not erased.

    The spared letter is another reader's to the same address.
    """
    if reader.email is None or reader.address_hash is None:
        return Erased(was_known=False)
    if suppress:
        people.suppress(conn, reader.address_hash, reason=_BY_REQUEST)
    return _forget(conn, reader.id, whose_of(conn, reader), actor=actor, spare_letter=spare_letter)


def whose_of(conn: Connection, reader: Reader) -> Whose:
    """Return whom it is about when it is about a reader who is not forgotten, and all that is theirs."""
    assert reader.email is not None  # noqa: S101  for mypy: an address and its hash go together
    assert reader.address_hash is not None  # noqa: S101  as above
    return _whose(conn, normalise(reader.email), reader.address_hash, reader)


def sweep(database: Database) -> None:
    """Forget what has been written down since of readers that were erased a moment ago: replies quote addresses."""
    with database.read() as conn:
        erased = personal.erased_since(conn, now(conn) - _REPLIES_COME_WITHIN)
    for subscriber_id in erased:
        with database.write() as conn:
            personal.scrub_mails(conn, subscriber_id)
            outbox.scrub(conn, subscriber_id)


def export(database: Database, address: Address, address_hash: str) -> dict[str, Any]:
    """Return everything that is held about an address."""
    with database.read() as conn:
        reader = people.by_address(conn, address_hash)
        return personal.told(conn, _whose(conn, address, address_hash, reader))


def _forget(
    conn: Connection, subscriber_id: SubscriberId, whose: Whose, *, actor: str, spare_letter: int = 0
) -> Erased:
    people.unfollow(conn, subscriber_id)
    unsent = personal.withdraw_unsent(conn, subscriber_id)
    events = personal.scrub_events(conn, whose)
    mails = personal.scrub_mails(conn, subscriber_id)
    outbox.scrub(conn, subscriber_id)
    own_letters.forget(conn, subscriber_id, whose.address_hash, spare=spare_letter)
    personal.scrub_reader(conn, subscriber_id)
    outbox.tell(conn, Tiding.ERASED, subscriber_id)
    editions.finish_settled(conn)
    house.note(conn, actor=actor, action="erase", subject=f"subscriber {subscriber_id}")
    return Erased(was_known=True, spellings=whose.spellings, unsent=unsent, mails=mails, events=events)


def _whose(conn: Connection, address: Address, address_hash: str, reader: Reader | None) -> Whose:
    """Return whom it is about: addresses that were the reader's once too, unless another reader has them now."""
    if reader is None:
        return Whose(subscriber_id=None, address_hash=address_hash, spellings=frozenset({address.text, address.key}))
    former = {
        written: hashed
        for written, hashed in own_letters.former_addresses(conn, reader.id).items()
        if hashed != address_hash and not people.is_known(conn, hashed)
    }
    written = {reader.email, *former} if reader.email else set(former)
    keys = {normalise(one).key for one in former}
    return Whose(
        subscriber_id=reader.id,
        address_hash=address_hash,
        spellings=frozenset({address.text, address.key} | written | keys),
        former_hashes=frozenset(former.values()),
    )
