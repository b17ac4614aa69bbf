"""Changes by the newspaper's own programs, which look after its readers: preferences, farewells, consent given to them.

One transaction an act, under the reader's row lock. Called by the API, whose key must have the scope for it. Two rules
hold here too: who has left comes back only from their own mailbox, and a suppressed address stays so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection

from worker.model import SubscriberId, SubscriberStatus
from worker.signup.address import Address
from worker.signup.consent import Consent, Evidence
from worker.signup.decide import Act, Standing, Wishes, standing, standing_on_a_list, step
from worker.signup.run import HashAddress, Known, accept, ask, look_up, tell_asked
from worker.signup.run_preferences import part, pause_until
from worker.signup.run_wishes import check_newsletters, check_topics, continue_with, fulfil, rhythm_of
from worker.signup.wishes import CheckQuery, Follow, Wish
from worker.store import house, outbox, people
from worker.store.database import Database, now
from worker.store.people import Following, Reader
from worker.tidings import Tiding

_GET_MAIL: Final = frozenset({SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED})


@dataclass(frozen=True, kw_only=True, slots=True)
class Changes:
    """What is to be otherwise. `values` are columns of the reader's own terms, checked; `given` is None: as before.

    `follows` is all that the reader is to follow: what is not in it ends. `pause` names the local day on whose
    beginning mail comes again, None in it for no pause.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    locale: str | None = None
    timezone: str | None = None
    name: str | None = None
    pause: tuple[date | None] | None = None
    follows: tuple[Follow, ...] | None = None
    leaves: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Changed:
    """The reader as they are now; None: there is none. `refused` says why nothing was changed."""

    known: Known | None
    refused: str = ""


def change(
    database: Database,
    subscriber_id: SubscriberId,
    changes: Changes,
    *,
    actor: str,
    expects: Callable[[Connection, Known], None],
    check_query: CheckQuery,
) -> Changed:
    """Change a reader's preferences, or let them leave.

    `expects` sees the reader as they are, locked, and raises what it likes if they are not what its caller has seen.
    Raises `InputError` for an unknown topic, newsletter, zone or language, and for a pause into the past.
    """
    wanted = Wish(
        follows=changes.follows or (),
        locale=changes.locale or "en",
        timezone=changes.timezone or "UTC",
        name=changes.name or "",
    ).checked(check_query)
    with database.write() as conn:
        _check(conn, wanted)
        reader, known = people.locked(conn, subscriber_id), look_up(conn, subscriber_id)
        if reader is None or known is None:
            return Changed(known=None)
        expects(conn, known)
        before = outbox.before_change(conn, reader.id)
        if changes.leaves:
            part(conn, reader.id, None)
        elif known.standing not in _GET_MAIL:
            return Changed(known=known, refused=f"this reader is {known.standing}: there is nothing to change")
        else:
            _apply(conn, reader, changes, wanted)
        house.note(conn, actor=actor, action="change", subject=f"subscriber {reader.id}")
        now_is = look_up(conn, subscriber_id)
        if now_is is not None and now_is.standing in _GET_MAIL:
            outbox.tell_change(conn, reader.id, before)
        return Changed(known=now_is)


def _check(conn: Connection, wanted: Wish) -> None:
    check_topics(conn, (follow.topic for follow in wanted.follows if follow.topic))
    check_newsletters(conn, (follow.newsletter for follow in wanted.follows if follow.newsletter))


def _apply(conn: Connection, reader: Reader, changes: Changes, wanted: Wish) -> None:
    timezone = wanted.timezone if changes.timezone is not None else reader.timezone
    values: dict[str, Any] = dict(changes.values) | {"timezone": timezone}
    values |= {"locale": wanted.locale} if changes.locale is not None else {}
    values |= {"name": wanted.name} if changes.name is not None else {}
    if changes.pause is not None:
        until = pause_until(changes.pause[0], timezone, now(conn))
        values |= {"paused_until": until, "status": SubscriberStatus.ACTIVE}
    people.change_reader(conn, reader.id, **values)
    if values.get("paused_until") is not None:
        people.pause_begins(conn, reader.id)
    running = people.followings(conn, reader.id)
    follows = None if changes.follows is None else {follow.target: follow for follow in wanted.follows}
    if follows is not None and not follows:
        part(conn, reader.id, None)
        return
    for one in running:
        rhythm = rhythm_of(one)
        if follows is not None and one.newsletter_id is None and _target(one) in follows:
            rhythm = follows[_target(one)].rhythm
        if timezone != reader.timezone or rhythm != rhythm_of(one):  # what stays as it is keeps its next run
            continue_with(conn, reader, one, rhythm, timezone=timezone)
    if follows is None:
        return
    had = {_target(one) for one in running}
    fulfil(conn, reader.id, (follow for target, follow in follows.items() if target not in had), timezone=timezone)
    ended = [one for one in running if _target(one) not in follows]
    people.unfollow(conn, reader.id, [one.id for one in ended])
    if ended:
        outbox.tell(conn, Tiding.UNSUBSCRIBED, reader.id, ended=outbox.targets(ended), left=False)


def _target(following: Following) -> tuple[str, str]:
    """Return what `Follow.target` is for the same thing."""
    if following.query is not None:
        return "query", following.canonical or following.query
    return ("topic" if following.newsletter_id is None else "newsletter"), following.slug or ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Vouched:
    """What became of a wish that came with consent; None where nobody may know more than of any address."""

    subscriber_id: SubscriberId | None
    is_new: bool = False
    asked: bool = False


def vouch(
    database: Database,
    *,
    address: Address,
    wish: Wish,
    evidence: Evidence,
    hash_address: HashAddress,
    check_query: CheckQuery,
) -> Vouched:
    """Make an address's owner a reader at once, since whoever asks has their consent, and keeps its evidence here.

    Who has left is asked first, and a suppressed address gets nothing. Raises as `sign_up` does.
    """
    checked = wish.checked(check_query)
    address_hash = hash_address(address.key)
    with database.write() as conn:
        _check(conn, checked)
        if people.is_suppressed(conn, address_hash) is not None:
            return Vouched(subscriber_id=None)
        about = {"locale": checked.locale, "timezone": checked.timezone, "name": checked.name}
        reader, is_new = people.ensure_reader(
            conn, address_hash=address_hash, email=address.text, status=SubscriberStatus.PENDING, **about
        )
        stands = standing(reader.status, paused_until=reader.paused_until, now=now(conn))
        where: Standing = None if is_new else standing_on_a_list(stands, left_at=reader.left_at)
        due = step(where, Act.VOUCH)
        if due is None or due.wishes is Wishes.DROPPED:
            signed = ask(conn, reader, where=stands, act=Act.SIGN_UP, wish=checked, evidence=evidence)
            tell_asked(conn, reader.id, signed, checked)
            return Vouched(subscriber_id=None, asked=signed.asked)
        if where in _GET_MAIL:
            accept(conn, reader, where=where, due=due, wish=checked, evidence=None)
            consent = Consent.read(reader.consent).witnessed(evidence)
            people.change_reader(conn, reader.id, consent=consent.stored())
        else:
            accept(conn, reader, where=where, due=due, wish=checked, evidence=evidence)
        outbox.tell(conn, Tiding.CONFIRMED, reader.id)
        return Vouched(subscriber_id=reader.id, is_new=where not in _GET_MAIL)
