"""The statements over digests that are due: when, whose, and the claim that gives each of them to one planner only.

Never decides and never sends. A subscription is claimed by moving its `next_due_at` on from the very instant that it
was read with: who changed their time or left meanwhile is not served. Called by the planning of digests.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection

from worker.model import Cadence, EditionId, EditionKind, SubscriberId, SubscriptionId, TopicId
from worker.store.database import now
from worker.store.editions import still_planning
from worker.store.followings import awake
from worker.store.mutes import passed
from worker.store.quick import Quick
from worker.store.schema import Edition, PlanningRun, Subscriber, Subscription

_RUNNING: Final = (Subscription.ended_at.is_(None), Subscription.topic_id.is_not(None))


class DueRow(NamedTuple):
    """One subscription that is due, with its reader's terms, as the driver gives them: a million are read in a run."""

    subscription_id: SubscriptionId
    subscriber_id: SubscriberId
    topic_id: TopicId
    cursor: int
    cadence: str
    times: str  # JSON
    weekday: int | None
    locale: str
    timezone: str
    recipient: str | None
    awake: bool
    is_back: bool  # a pause that began is over, or will be, and was not told of yet
    quiet_from: str | None
    quiet_to: str | None
    floor: int
    below_floor: str


class Claim(NamedTuple):
    """When a subscription is due next, and what it has been shown then."""

    subscription_id: SubscriptionId
    next_due_at: datetime | None
    cursor: int


class Missed(NamedTuple):
    """An immediate subscription of a reader who is back, and since when they had paused."""

    subscription_id: SubscriptionId
    subscriber_id: SubscriberId
    topic_id: TopicId
    cursor: int
    paused_at: datetime


def next_slot(conn: Connection, *, after: datetime | None, at: datetime) -> datetime | None:
    """Return the first instant after `after` at which anything is due by `at`; None when nothing is."""
    query = sa.select(sa.func.min(Subscription.next_due_at)).where(Subscription.next_due_at <= at, *_RUNNING)
    return conn.execute(query if after is None else query.where(Subscription.next_due_at > after)).scalar()


def window(conn: Connection, due_at: datetime, *, after: SubscriberId, limit: int) -> list[SubscriberId]:
    """Return the next readers due at an instant, in order of their numbers."""
    query = (
        sa.select(Subscription.subscriber_id)
        .where(Subscription.next_due_at == due_at, Subscription.subscriber_id > after, *_RUNNING)
        .group_by(Subscription.subscriber_id)
        .order_by(Subscription.subscriber_id)
        .limit(limit)
    )
    return [SubscriberId(reader) for reader in conn.execute(query).scalars()]


def coalesce(conn: Connection, due_at: datetime, first: SubscriberId, last: SubscriberId, *, at: datetime) -> None:
    """Move what is due of readers who have a later instant due as well to the latest one: that is one mail then."""
    other = sa.orm.aliased(Subscription)
    others = (
        other.subscriber_id == Subscription.subscriber_id,
        other.next_due_at <= at,
        other.ended_at.is_(None),
        other.topic_id.is_not(None),
    )
    latest = sa.select(sa.func.max(other.next_due_at)).where(*others).correlate(Subscription).scalar_subquery()
    conn.execute(
        sa.update(Subscription)
        .where(Subscription.next_due_at == due_at, Subscription.subscriber_id.between(first, last), *_RUNNING)
        .where(sa.exists().where(*others, other.next_due_at > due_at).correlate(Subscription))
        .values(next_due_at=latest)
        .execution_options(synchronize_session=False)
    )


def rows(conn: Connection, due_at: datetime, first: SubscriberId, last: SubscriberId, *, at: datetime) -> list[DueRow]:
    """Return what is due at an instant of the readers from `first` to `last`, reader by reader. Locks nothing."""
    found = _ROWS.tuples(conn, {"due_at": due_at, "first": first, "last": last, "at": at})
    return list(map(DueRow._make, found))


def claim(conn: Connection, due_at: datetime, claims: Sequence[Claim]) -> set[SubscriptionId]:
    """Move subscriptions on from an instant, and return those that this planner serves: all others were changed."""
    if not claims:
        return set()
    if conn.dialect.name == "sqlite":  # the one writer has read them in this very transaction
        _CLAIM.for_each(conn, [{**one._asdict(), "due_at": due_at} for one in claims])
        return {one.subscription_id for one in claims}
    times = {one.next_due_at for one in claims}  # few, of thousands of rows
    due = {time: json.dumps(time, default=str) for time in times}
    records = ",".join(
        [f'{{"id":{one.subscription_id},"due":{due[one.next_due_at]},"cursor":{one.cursor}}}' for one in claims]
    )
    claimed = conn.exec_driver_sql(_CLAIM_ALL, (f"[{records}]", due_at)).all()
    return {row[0] for row in claimed}


def put_back(conn: Connection, claims: Iterable[Claim]) -> None:
    """Set what was claimed in this transaction otherwise: the few that floors and quiet hours keep back."""
    values = [one._asdict() for one in claims]
    if values:
        _PUT_BACK.for_each(conn, values)


def missed(conn: Connection, readers: Sequence[SubscriberId]) -> list[Missed]:
    """Return the immediate subscriptions of readers who are back from a pause."""
    query = (
        sa.select(
            Subscription.id,
            Subscription.subscriber_id,
            Subscription.topic_id,
            passed(),
            Subscriber.paused_at,
        )
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(Subscription.subscriber_id.in_(readers), Subscriber.paused_at.is_not(None), *_RUNNING)
        .where(Subscription.cadence == Cadence.IMMEDIATE)
        .order_by(Subscription.subscriber_id, Subscription.topic_id)
    )
    return [Missed._make(row) for row in conn.execute(query)]


def pauses_over(conn: Connection, readers: Iterable[SubscriberId]) -> None:
    """Note that readers were told what they missed."""
    for reader in readers:
        conn.execute(sa.update(Subscriber).where(Subscriber.id == reader).values(paused_at=None))


def open_digests(conn: Connection, slot: str) -> list[EditionId]:
    """Return the editions of one run that still take readers."""
    return still_planning(conn, Edition.kind == EditionKind.DIGEST, Edition.slot == slot)


def orphans(conn: Connection) -> list[EditionId]:
    """Return digests that still take readers, of which no open run knows."""
    known = sa.exists().where(PlanningRun.slot == Edition.slot, PlanningRun.finished_at.is_(None))
    return still_planning(conn, Edition.kind == EditionKind.DIGEST, ~known)


def make_all_digests_due(conn: Connection) -> int:
    """Make every scheduled subscription due now, as the demo does, and return how many there are."""
    statement = (
        sa.update(Subscription)
        .where(Subscription.cadence != Cadence.IMMEDIATE, Subscription.ended_at.is_(None))
        .where(Subscription.next_due_at.is_not(None), Subscription.topic_id.is_not(None))
        .values(next_due_at=now(conn))
    )
    return conn.execute(statement).rowcount


def _rows(_dialect: str) -> sa.Select[*tuple[Any, ...]]:
    at: sa.BindParameter[datetime] = sa.bindparam("at", type_=Subscription.next_due_at.type)
    return (
        sa.select(
            Subscription.id,
            Subscription.subscriber_id,
            Subscription.topic_id,
            passed(),
            Subscription.cadence,
            sa.cast(Subscription.times, sa.Text),
            Subscription.weekday,
            Subscriber.locale,
            Subscriber.timezone,
            Subscriber.email,
            awake(at),
            Subscriber.paused_at.is_not(None),
            Subscriber.quiet_from,
            Subscriber.quiet_to,
            Subscriber.digest_floor,
            Subscriber.below_floor,
        )
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(_is_due(), Subscription.subscriber_id.between(sa.bindparam("first"), sa.bindparam("last")), *_RUNNING)
        .order_by(Subscription.subscriber_id, Subscription.topic_id)
    )


def _is_due() -> ColumnElement[bool]:
    return Subscription.next_due_at == sa.bindparam("due_at", type_=Subscription.next_due_at.type)


def _moved() -> sa.Update:
    return (
        sa.update(Subscription)
        .where(Subscription.id == sa.bindparam("subscription_id"))
        .values(
            next_due_at=sa.bindparam("next_due_at", type_=Subscription.next_due_at.type), cursor=sa.bindparam("cursor")
        )
    )


_ROWS: Final = Quick(_rows)
_PUT_BACK: Final = Quick(lambda _: _moved())
_CLAIM: Final = Quick(lambda _: _moved().where(_is_due()))
_CLAIM_ALL: Final = (
    "UPDATE subscription AS s SET next_due_at = u.due, cursor = u.cursor"
    " FROM json_to_recordset(CAST(%s AS json)) AS u(id bigint, due timestamptz, cursor bigint)"
    " WHERE s.id = u.id AND s.next_due_at = %s AND s.ended_at IS NULL RETURNING s.id"
)
