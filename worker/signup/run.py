"""Signing up and confirming: who asks, who is asked, and what a yes sets in motion. One transaction an act.

Makes no mail. A question is `confirmation_due_at`, which planning's sweep turns into one; the caller rings for it after
the commit. Called by the pages and the API.

Two rules that a reader of this code should know:
- What a sign-up asks for is kept beside the question and becomes subscriptions only with the yes. So nothing that a
  stranger types changes what an active reader gets, or costs the matching engine a query.
- At most one unanswered question in ten minutes and five a day an address, counted under the reader's row lock; five a
  day a mailbox, whatever +tags lead to it, and so many an hour in all: beyond that, questions wait for their turn.
- A sign-up does the same statements for every address, whoever it is of: the time that it takes tells nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection

from worker.model import DeliveryId, SubscriberId, SubscriberStatus, SubscriptionId
from worker.signup import run_courtesies
from worker.signup.address import Address, normalise
from worker.signup.consent import Consent, Evidence, Question
from worker.signup.courtesies import NO_COURTESIES, Courtesies
from worker.signup.decide import Act, Standing, Step, Wishes, standing, step
from worker.signup.mailboxes import mailbox_of
from worker.signup.run_wishes import check_newsletters, check_topics, continue_with, fulfil, rhythm_of
from worker.signup.wishes import CheckQuery, Wish
from worker.store import asking, mutes, outbox, people
from worker.store.database import Database, now
from worker.store.mutes import MutedStory
from worker.store.people import Following, Reader
from worker.tidings import Tiding

HashAddress = Callable[[str], str]

_WRITTEN: Final = ("status", "locale", "timezone", "name", "consent", "confirmations", "confirmation_due_at")
_LONGEST_WAIT: Final = timedelta(hours=12)  # for one's turn to be asked: whoever signed up has forgotten it by then


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """How many questions a mailbox gets in a day, and all readers together in an hour (0: no limit)."""

    a_day: int = 5
    an_hour: int = 5_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """When a question may go; None: not at all, its mailbox has had enough."""

    due_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedUp:
    """Whether a question is under way, and why not: for the bell and the log, never for whoever signed up."""

    asked: bool
    reason: str


class Answer(StrEnum):
    """What a click on the confirmation's button led to."""

    CONFIRMED = "confirmed"
    ADDED = "added"  # an active reader's further wishes
    ALREADY = "already"
    LEFT = "left"
    GONE = "gone"


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """A reader as their own pages show them. `question` is the open one; mutes that are over are not among theirs."""

    reader: Reader
    standing: SubscriberStatus
    followings: list[Following]
    question: Question | None
    muted: dict[SubscriptionId, datetime]  # topics, by subscription, until when
    muted_stories: list[MutedStory]


def look_up(conn: Connection, subscriber_id: SubscriberId) -> Known | None:
    """Read a reader; None for one who is unknown, or forgotten."""
    reader = people.by_id(conn, subscriber_id)
    if reader is None or reader.status is SubscriberStatus.ERASED:
        return None
    at, followings = now(conn), people.followings(conn, subscriber_id)
    return Known(
        reader=reader,
        standing=_standing_of(reader, at),
        followings=followings,
        question=Consent.read(reader.consent).question,
        muted={one.id: one.muted_until for one in followings if one.muted_until and one.muted_until > at},
        muted_stories=mutes.of_reader(conn, subscriber_id, at=at),
    )


def sign_up(
    database: Database,
    *,
    address: Address,
    wish: Wish,
    evidence: Evidence,
    hash_address: HashAddress,
    check_query: CheckQuery,
    limits: Limits = Limits(),
) -> SignedUp:
    """Ask the owner of an address whether they want this. The caller must answer alike, whatever comes back.

    Raises `InputError` for an unknown topic and `QueryError` for a query that is refused, before anything is stored.
    """
    checked = wish.checked(check_query)
    address_hash, mailbox_hash = hash_address(address.key), hash_address(mailbox_of(address.key))
    with database.write() as conn:
        check_topics(conn, (follow.topic for follow in checked.follows if follow.topic))
        check_newsletters(conn, (follow.newsletter for follow in checked.follows if follow.newsletter))
        turn = _turn(conn, mailbox_hash, limits)
        suppressed = people.is_suppressed(conn, address_hash) is not None
        with conn.begin_nested() as tried:
            reader, is_new = people.ensure_reader(
                conn, address_hash=address_hash, email=address.text, status=SubscriberStatus.PENDING, **_about(checked)
            )
            at = now(conn)
            where = None if is_new else _standing_of(reader, at)
            signed = ask(conn, reader, where=where, act=Act.SIGN_UP, wish=checked, evidence=evidence, turn=turn)
            tell_asked(conn, reader.id, signed, checked)
            if suppressed:  # the same work for nothing: nobody can tell by the clock
                tried.rollback()
                signed = SignedUp(asked=False, reason="the address is suppressed")
        _note(conn, signed, reader.id, mailbox_hash, turn, at=at)
        return signed


def ask(
    conn: Connection,
    reader: Reader,
    *,
    where: Standing,
    act: Act,
    wish: Wish,
    evidence: Evidence,
    turn: Turn | None = None,
) -> SignedUp:
    """Put the question to a reader, if the budget allows; a pending one's open question takes the wish either way.

    `turn` is when it may go; now, where an operator asks. One statement writes, whatever comes of it.
    """
    at, consent, due = now(conn), Consent.read(reader.consent), step(where, act)
    if due is None or not due.asks:
        return SignedUp(asked=False, reason=due.reason if due else "there is nobody to ask")
    is_unproven, due_at = due.to is SubscriberStatus.PENDING, turn.due_at if turn else at
    values: dict[str, object] = {name: getattr(reader, name) for name in _WRITTEN}
    if due_at is not None and consent.may_ask(at):
        question = Question(number=reader.confirmations + 1, wish=wish, asked=evidence.noted(at))
        values |= {"consent": consent.asking(question, at).stored(), "confirmations": question.number}
        values |= {"confirmation_due_at": due_at} | _moved(due, where) | (_about(wish) if is_unproven else {})
        signed = SignedUp(asked=True, reason=due.reason)
    else:
        if where is SubscriberStatus.PENDING:
            values |= {"consent": consent.reworded(wish).stored(), **_about(wish)}
        signed = SignedUp(asked=False, reason="the address was asked not long ago")
    people.change_reader(conn, reader.id, **values)
    return signed


def confirm(
    database: Database,
    subscriber_id: SubscriberId,
    *,
    question: int,
    evidence: Evidence,
    courtesies: Courtesies = NO_COURTESIES,
) -> Answer:
    """Take the yes to a question. Safe to repeat.

    A pending reader may say yes to any of their questions, since all end in the same wishes; an active one only to the
    latest, so that an old mail changes nothing any more.
    """
    with database.write() as conn:
        reader = people.locked(conn, subscriber_id)
        if reader is None or reader.status is SubscriberStatus.ERASED:
            return Answer.GONE
        where = _standing_of(reader, now(conn))
        due = step(where, Act.CONFIRM)
        if due is None or due.wishes is Wishes.DROPPED:
            return Answer.LEFT
        asked = Consent.read(reader.consent).question
        if where is not SubscriberStatus.PENDING and (asked is None or question < asked.number):
            return Answer.ALREADY
        accept(conn, reader, where=where, due=due, wish=asked.wish if asked else None, evidence=evidence)
        outbox.tell(conn, Tiding.CONFIRMED, reader.id)
        if where is not SubscriberStatus.PENDING:
            return Answer.ADDED
        run_courtesies.welcome(conn, reader, courtesies)
        return Answer.CONFIRMED


def accept(
    conn: Connection, reader: Reader, *, where: Standing, due: Step, wish: Wish | None, evidence: Evidence | None
) -> None:
    """Make subscriptions of a wish, from this moment on, and write the yes down, unless it was said long ago."""
    at = now(conn)
    timezone = wish.timezone if wish else reader.timezone
    values: dict[str, object] = _moved(due, where) | (_about(wish) if wish else {})
    if evidence is not None:
        consent = Consent.read(reader.consent).answered(evidence.noted(at))
        values |= {"consent": consent.stored(), "confirmed_at": reader.confirmed_at or at}
        values |= {"confirmation_due_at": None, "left_at": None}
        asking.forget(conn, reader.id)
    people.change_reader(conn, reader.id, **values)
    for running in people.followings(conn, reader.id):
        if running.next_due_at is None or timezone != reader.timezone:
            continue_with(conn, reader, running, rhythm_of(running), timezone=timezone)
    fulfil(conn, reader.id, wish.follows if wish else (), timezone=timezone)


def come_back(
    database: Database,
    subscriber_id: SubscriberId,
    *,
    delivery_id: DeliveryId | None = None,
    evidence: Evidence,
    hash_address: HashAddress,
    limits: Limits = Limits(),
    courtesies: Courtesies = NO_COURTESIES,
) -> SignedUp:
    """Undo a farewell said in one mail, or ask again where the reader has left, or has never said yes.

    What one mail's link ended, the same link may restart; a whole farewell is undone only from the mailbox.
    """
    with database.write() as conn:
        asked = people.by_id(conn, subscriber_id)
        if asked is None or asked.email is None:
            return SignedUp(asked=False, reason="the reader is forgotten")
        mailbox_hash = hash_address(mailbox_of(normalise(asked.email).key))
        turn = _turn(conn, mailbox_hash, limits)
        reader = people.locked(conn, subscriber_id)
        if reader is None or reader.address_hash is None:
            return SignedUp(asked=False, reason="the reader is forgotten")
        if people.is_suppressed(conn, reader.address_hash) is not None:
            return SignedUp(asked=False, reason="the address is suppressed")
        where = _standing_of(reader, now(conn))
        if where in {SubscriberStatus.PENDING, SubscriberStatus.LEFT}:
            wish = _last_wish(reader)
            signed = ask(conn, reader, where=where, act=Act.SIGN_UP, wish=wish, evidence=evidence, turn=turn)
            _note(conn, signed, reader.id, mailbox_hash, turn, at=now(conn))
            tell_asked(conn, reader.id, signed, wish)
            return signed
        before, had = outbox.before_change(conn, reader.id), run_courtesies.before_change(conn, reader.id, courtesies)
        for following, is_running in people.served_by(conn, reader.id, delivery_id) if delivery_id else ():
            if not is_running:
                continue_with(conn, reader, following, rhythm_of(following), timezone=reader.timezone)
        outbox.tell_change(conn, reader.id, before)
        run_courtesies.tell_change(conn, reader, had, courtesies)
        return SignedUp(asked=False, reason="what this mail's link had ended runs again")


def _turn(conn: Connection, mailbox_hash: str, limits: Limits) -> Turn:
    """Return when a mailbox may be asked. Nobody else asks it before this transaction ends.

    Nobody waits for one that has had its fill, which only time empties: else whoever bombs it would hold up all other
    readers, too. The same statements are made for it, with a lock that nobody else wants.
    """
    at = now(conn)
    is_full = asking.asked_lately(conn, mailbox_hash, at=at) >= limits.a_day
    asking.alone_with(conn, secrets.token_hex() if is_full else mailbox_hash)
    asked = asking.asked_lately(conn, mailbox_hash, at=at)
    due_at = asking.next_turn(conn, an_hour=limits.an_hour, at=at)
    is_free = not is_full and asked < limits.a_day and due_at <= at + _LONGEST_WAIT
    return Turn(due_at=due_at if is_free else None)


def _note(
    conn: Connection, signed: SignedUp, reader: SubscriberId, mailbox_hash: str, turn: Turn, *, at: datetime
) -> None:
    if signed.asked:
        asking.note(conn, at=at, subscriber_id=reader, mailbox_hash=mailbox_hash, due_at=turn.due_at)
    else:
        asking.note(conn, at=at)


def tell_asked(conn: Connection, subscriber_id: SubscriberId, signed: SignedUp, wish: Wish) -> None:
    """Tell the newspaper's own endpoints who is being asked; the same work for nothing where nobody is."""
    if not outbox.is_heard(conn, Tiding.SUBSCRIBED):
        return
    wanted = [outbox.target(topic=follow.topic, newsletter=follow.newsletter) for follow in wish.follows]
    with conn.begin_nested() as tried:
        outbox.tell(conn, Tiding.SUBSCRIBED, subscriber_id, asked_for=wanted)
        if not signed.asked:
            tried.rollback()


def _last_wish(reader: Reader) -> Wish:
    consent = Consent.read(reader.consent)
    if consent.question is not None:
        return consent.question.wish
    return consent.farewell or Wish(locale=reader.locale, timezone=reader.timezone, name=reader.name)


def _standing_of(reader: Reader, at: datetime) -> SubscriberStatus:
    return standing(reader.status, paused_until=reader.paused_until, now=at)


def _moved(due: Step, where: Standing) -> dict[str, object]:
    """Return the status to store: none where the step leads nowhere, since a pause may not be in that column."""
    return {"status": due.to} if due.to is not where else {}


def _about(wish: Wish) -> dict[str, object]:
    about: dict[str, object] = {"locale": wish.locale, "timezone": wish.timezone}
    return about | {"name": wish.name} if wish.name else about
