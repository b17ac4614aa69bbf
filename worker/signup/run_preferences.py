"""Changing and leaving, by whoever holds a link from the reader's mail. One transaction an act, all safe to repeat.

Called by the preferences and unsubscribe pages, and by the mail providers' one-click POST (RFC 8058).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from pydantic import ValidationError
from sqlalchemy import Connection

from worker.errors import InputError
from worker.model import DeliveryId, SubscriberId, SubscriberStatus
from worker.schedule import resolve
from worker.signup import run_courtesies
from worker.signup.consent import Consent
from worker.signup.courtesies import NO_COURTESIES, Courtesies
from worker.signup.decide import Act, standing, step
from worker.signup.run_mutes import MUTE_TOPIC_FOR
from worker.signup.run_wishes import check_newsletters, check_topics, continue_with, fulfil, rhythm_of, wish_of
from worker.signup.wishes import Change, CheckQuery, Muting, Preferences, Wish
from worker.store import mutes, outbox, people
from worker.store.database import Database, now
from worker.store.people import Following, Reader
from worker.tidings import Tiding

_MAY_CHANGE = frozenset({SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED})


@dataclass(frozen=True, kw_only=True, slots=True)
class Parted:
    """What an act has ended, and whether the reader follows nothing any more and so has left."""

    ended: tuple[Following, ...]
    has_left: bool


def change_preferences(
    database: Database,
    subscriber_id: SubscriberId,
    preferences: Preferences,
    *,
    check_query: CheckQuery,
    courtesies: Courtesies = NO_COURTESIES,
) -> Parted:
    """Do what the preferences page says. A reader who ends the last of their subscriptions has left.

    Raises `InputError` for an unknown topic or newsletter, a pause into the past, or a reader who gets nothing that
    could be changed.
    """
    wish = Wish(follows=preferences.follows, locale=preferences.locale, timezone=preferences.timezone)
    wish = wish.checked(check_query)
    with database.write() as conn:
        check_topics(conn, (follow.topic for follow in wish.follows if follow.topic))
        check_newsletters(conn, (follow.newsletter for follow in wish.follows if follow.newsletter))
        reader = people.locked(conn, subscriber_id)
        if reader is None or _standing_of(conn, reader) not in _MAY_CHANGE:
            raise InputError("this reader is not subscribed", hint="sign up again")
        paused_until = pause_until(preferences.paused_until, wish.timezone, now(conn))
        before, had = outbox.before_change(conn, reader.id), run_courtesies.before_change(conn, reader.id, courtesies)
        people.change_reader(
            conn,
            reader.id,
            locale=wish.locale,
            timezone=wish.timezone,
            paused_until=paused_until,
            status=SubscriberStatus.ACTIVE,
            **(preferences.terms.columns if preferences.terms else {}),
        )
        if paused_until is not None:
            people.pause_begins(conn, reader.id)
        ended = _change(conn, reader, preferences.changes, timezone=wish.timezone)
        fulfil(conn, reader.id, wish.follows, timezone=wish.timezone)
        mutes.hear_again(conn, reader.id, preferences.hear_again)
        parted = _parted(conn, reader, ended, was_asked_to_leave=False, courtesies=courtesies)
        if not parted.has_left:
            outbox.tell_change(conn, reader.id, before)
            run_courtesies.tell_change(conn, reader, had, courtesies)
        return parted


def unsubscribe(
    database: Database,
    subscriber_id: SubscriberId,
    *,
    delivery_id: DeliveryId | None = None,
    courtesies: Courtesies = NO_COURTESIES,
) -> Parted:
    """End what one mail serves, or everything: where no mail is given, or it serves no subscription.

    Works for every reader at any time, also for one who has left or is forgotten, and then changes nothing.
    `courtesies` are for who has pressed a button: a mail program's click is not answered by mail.
    """
    with database.write() as conn:
        return part(conn, subscriber_id, delivery_id, courtesies=courtesies)


def part(
    conn: Connection,
    subscriber_id: SubscriberId,
    delivery_id: DeliveryId | None,
    *,
    courtesies: Courtesies = NO_COURTESIES,
) -> Parted:
    """`unsubscribe` in a transaction that does more: a provider may bring us a reader's farewell."""
    reader = people.locked(conn, subscriber_id)
    if reader is None or reader.status is SubscriberStatus.ERASED:
        return Parted(ended=(), has_left=True)
    ending = ending_with(conn, reader.id, delivery_id)
    had = run_courtesies.before_change(conn, reader.id, courtesies)
    parted = _parted(conn, reader, ending, was_asked_to_leave=True, courtesies=courtesies)
    if not parted.has_left:
        run_courtesies.tell_change(conn, reader, had, courtesies)
    return parted


def ending_with(conn: Connection, subscriber_id: SubscriberId, delivery_id: DeliveryId | None) -> list[Following]:
    """Return the running subscriptions that `unsubscribe` would end."""
    served = people.served_by(conn, subscriber_id, delivery_id) if delivery_id is not None else []
    if served:
        return [following for following, is_running in served if is_running]
    return people.followings(conn, subscriber_id)


def _change(conn: Connection, reader: Reader, changes: tuple[Change, ...], *, timezone: str) -> list[Following]:
    """Give running subscriptions their new rhythm, begin and end mutes, and return those that are to end.

    One that keeps rhythm and zone is not touched: a run that is due this very minute must not be lost.
    """
    asked = {change.subscription_id: change for change in changes}
    ending = []
    for following in people.followings(conn, reader.id):
        change = asked.get(following.id)
        rhythm = change.rhythm if change and following.newsletter_id is None else rhythm_of(following)
        if change and change.muting is not Muting.KEEP:
            until = now(conn) + MUTE_TOPIC_FOR if change.muting is Muting.BEGIN else None
            mutes.mute_topic(conn, following.id, until=until)
        if change and change.end:
            ending.append(following)
        elif rhythm != rhythm_of(following) or timezone != reader.timezone:
            continue_with(conn, reader, following, rhythm, timezone=timezone)
    return ending


def _parted(
    conn: Connection, reader: Reader, ending: list[Following], *, was_asked_to_leave: bool, courtesies: Courtesies
) -> Parted:
    before = people.followings(conn, reader.id)
    people.unfollow(conn, reader.id, [following.id for following in ending])
    has_left = len(ending) == len(before) and (was_asked_to_leave or bool(ending))
    due = step(_standing_of(conn, reader), Act.LEAVE)
    leaves = has_left and due is not None and due.to is not reader.status
    if leaves and due is not None:
        people.change_reader(
            conn,
            reader.id,
            status=due.to,
            left_at=now(conn),
            paused_until=None,
            paused_at=None,
            confirmation_due_at=None,
            consent=_remembering(reader, before),
        )
        # Who has never said yes was promised that nobody writes again.
        is_known = reader.status is not SubscriberStatus.PENDING
        run_courtesies.say_goodbye(conn, reader, courtesies if is_known else NO_COURTESIES)
    if leaves or ending:
        outbox.tell(conn, Tiding.UNSUBSCRIBED, reader.id, ended=outbox.targets(ending), left=has_left)
    return Parted(ended=tuple(ending), has_left=has_left)


def _remembering(reader: Reader, before: list[Following]) -> dict[str, object]:
    """Return the consent record with what the reader followed, as far as it can be kept: leaving never fails for it."""
    try:
        return Consent.read(reader.consent).left(wish_of(reader, before)).stored()
    except ValidationError:  # more than a wish may hold, or written under other rules: then there is no coming back
        return {**reader.consent, "question": None, "farewell": None}


def pause_until(day: date | None, timezone: str, at: datetime) -> datetime | None:
    """Return when a pause until the beginning of a local day is over, None for no pause. Raises `InputError`."""
    if day is None:
        return None
    # Not every day of year 1 has a time in UTC.
    until = resolve(day, time(0), ZoneInfo(timezone)) if day.year >= at.year else None
    if until is None or until <= at:
        raise InputError(f"{day} has begun already", where="paused_until", hint="choose a day to come")
    return until


def _standing_of(conn: Connection, reader: Reader) -> SubscriberStatus:
    return standing(reader.status, paused_until=reader.paused_until, now=now(conn))
