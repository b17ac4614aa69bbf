"""The statements that read all that a reader has chosen, as letters about it tell it.

Reads only. Called by signup, before and after a change, and by planning, which puts it into letters.
"""

from __future__ import annotations

from sqlalchemy import Connection

from worker.content import Choices, Subscribed
from worker.model import SubscriberId, SubscriberStatus, Timing
from worker.store import newsletters, people
from worker.store.database import now
from worker.store.people import Following, Reader

_CHOOSING = frozenset({SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED})


def choices_of(conn: Connection, subscriber_id: SubscriberId) -> Choices | None:
    """Read what a reader has chosen; None for one who gets no mail: left, forgotten, or not confirmed."""
    reader = people.by_id(conn, subscriber_id)
    if reader is None or reader.status not in _CHOOSING:
        return None
    follows = tuple(_subscribed(conn, one) for one in people.followings(conn, subscriber_id))
    return Choices(
        locale=reader.locale,
        timezone=reader.timezone,
        is_paused=reader.status is SubscriberStatus.PAUSED or reader.paused_until is not None,
        paused_until=reader.paused_until,
        quiet=_quiet(reader),
        alert_budget=reader.alert_budget,
        digest_floor=reader.digest_floor,
        below_floor=reader.below_floor,
        follows=follows,
    ).at(now(conn))


def _quiet(reader: Reader) -> tuple[str, str] | None:
    return (reader.quiet_from, reader.quiet_to) if reader.quiet_from and reader.quiet_to else None


def _subscribed(conn: Connection, one: Following) -> Subscribed:
    if one.newsletter_id is None:
        return Subscribed(
            target=f"topic {one.topic_id}",
            name=one.name if one.query is None else {"en": one.query},
            is_own=one.query is not None,
            cadence=one.cadence,
            times=one.times,
            weekday=one.weekday,
            next_at=one.next_due_at,
        )
    newsletter = newsletters.by_id(conn, one.newsletter_id)
    if newsletter is None:  # pragma: no cover  a newsletter is switched off, never deleted
        return Subscribed(target=f"newsletter {one.newsletter_id}", name=one.name)
    by_own_clock = newsletter.timing is Timing.READER
    return Subscribed(
        target=f"newsletter {newsletter.id}",
        name=one.name,
        schedule=newsletter.schedule,
        zone="" if by_own_clock else newsletter.timezone,
        next_at=one.next_due_at if by_own_clock else newsletter.next_due_at,
    )
