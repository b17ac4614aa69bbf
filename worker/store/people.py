"""The statements over readers, what they follow, and addresses that must get nothing.

Never decides about consent: signup does, and planning reads. An address is found by its keyed hash: callers hash it
before they ask, and no statement needs the address itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.hearsay import Cause
from worker.model import BelowFloor, Cadence, DeliveryId, SubscriberId, SubscriberStatus, SubscriptionId, TopicId
from worker.store.database import insert_for, now, upsert
from worker.store.followings import is_served
from worker.store.house import MATCH_SEQ, reached
from worker.store.schema import (
    Delivery,
    Newsletter,
    Subscriber,
    Subscription,
    Suppression,
    Topic,
    TopicStory,
)
from worker.store.standing import let_sleep, wake


@dataclass(frozen=True, kw_only=True, slots=True)
class Reader:
    """A reader as signup and the pages see one."""

    id: SubscriberId
    email: str | None
    address_hash: str | None
    name: str
    locale: str
    timezone: str
    status: SubscriberStatus
    consent: dict[str, Any]  # signup's record: the open question, the evidence of every yes
    confirmations: int
    confirmation_due_at: datetime | None
    paused_until: datetime | None
    paused_at: datetime | None
    quiet_from: str | None  # local, "22:00"; both or neither
    quiet_to: str | None
    alert_budget: int | None  # None: the house's; 0: no limit
    digest_floor: int
    below_floor: BelowFloor
    created_at: datetime
    confirmed_at: datetime | None
    left_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Following:
    """One running subscription of a reader. `slug` is None for an own query, `name` then holds the query."""

    id: SubscriptionId
    topic_id: TopicId | None
    newsletter_id: int | None
    slug: str | None
    name: dict[str, str]
    query: str | None
    canonical: str | None
    cadence: Cadence
    times: tuple[str, ...]
    weekday: int | None
    next_due_at: datetime | None
    muted_until: datetime | None  # perhaps in the past


_READER = tuple(getattr(Subscriber, name) for name in Reader.__slots__)


_FOLLOWING = (
    sa.select(
        Subscription.id,
        Subscription.topic_id,
        Subscription.newsletter_id,
        sa.func.coalesce(Topic.slug, Newsletter.slug).label("slug"),
        Topic.name.label("topic_name"),
        Newsletter.name.label("newsletter_name"),
        Subscription.query,
        Topic.canonical,
        Subscription.cadence,
        Subscription.times,
        Subscription.weekday,
        Subscription.next_due_at,
        Subscription.muted_until,
    )
    .outerjoin(Topic, Topic.id == Subscription.topic_id)
    .outerjoin(Newsletter, Newsletter.id == Subscription.newsletter_id)
)


def by_address(conn: Connection, address_hash: str) -> Reader | None:
    """Find the reader of an address, locked until the transaction ends."""
    query = sa.select(*_READER).where(Subscriber.address_hash == address_hash).with_for_update(key_share=True)
    row = conn.execute(query).first()
    return Reader(**row._mapping) if row else None  # noqa: SLF001  Row's documented view


def by_id(conn: Connection, subscriber_id: SubscriberId) -> Reader | None:
    """Find a reader, erased or not."""
    row = conn.execute(sa.select(*_READER).where(Subscriber.id == subscriber_id)).first()
    return Reader(**row._mapping) if row else None  # noqa: SLF001  Row's documented view


def locked(conn: Connection, subscriber_id: SubscriberId) -> Reader | None:
    """Find a reader, erased or not, locked until the transaction ends."""
    row = conn.execute(
        # FOR NO KEY UPDATE: a planner that holds subscriptions may insert this reader's delivery meanwhile, no deadlock
        sa.select(*_READER).where(Subscriber.id == subscriber_id).with_for_update(key_share=True)
    ).first()
    return Reader(**row._mapping) if row else None  # noqa: SLF001  Row's documented view


def ensure_reader(conn: Connection, *, address_hash: str, **values: Any) -> tuple[Reader, bool]:  # noqa: ANN401  column values by name
    """Return the reader of an address, locked, made with these values if there is none; True when just made."""
    statement = (
        insert_for(conn, Subscriber)
        .values(created_at=now(conn), address_hash=address_hash, **values)
        .on_conflict_do_nothing(index_elements=["address_hash"])
    )
    is_new = conn.execute(statement.returning(Subscriber.id)).scalar() is not None
    reader = by_address(conn, address_hash)
    if reader is None:  # pragma: no cover  an erasure between the two statements, on PostgreSQL only
        return ensure_reader(conn, address_hash=address_hash, **values)
    return reader, is_new


def is_known(conn: Connection, address_hash: str) -> bool:
    """Tell whether an address is a reader's, without locking them."""
    return conn.execute(sa.select(Subscriber.id).where(Subscriber.address_hash == address_hash)).first() is not None


def add_reader(conn: Connection, **values: Any) -> SubscriberId:  # noqa: ANN401  column values by name
    """Store a new reader; `address_hash` must be free (IntegrityError otherwise)."""
    statement = sa.insert(Subscriber).values(created_at=now(conn), **values).returning(Subscriber.id)
    return SubscriberId(conn.execute(statement).scalar_one())


def change_reader(conn: Connection, subscriber_id: SubscriberId, **values: Any) -> None:  # noqa: ANN401  column values by name
    """Set columns of one reader."""
    conn.execute(sa.update(Subscriber).where(Subscriber.id == subscriber_id).values(**values))


def pause_begins(conn: Connection, subscriber_id: SubscriberId) -> None:
    """Note since when a reader rests; one who rests longer than planned has rested since the same moment."""
    resting = (Subscriber.id == subscriber_id, Subscriber.paused_at.is_(None))
    conn.execute(sa.update(Subscriber).where(*resting).values(paused_at=now(conn)))


def follow(
    conn: Connection,
    subscriber_id: SubscriberId,
    *,
    topic_id: TopicId | None = None,
    newsletter_id: int | None = None,
    query: str | None = None,
    cadence: Cadence,
    times: Sequence[str],
    weekday: int | None,
    next_due_at: datetime | None,
) -> SubscriptionId:
    """Start, restart or change a subscription. A new or restarted one begins at the head: it gets no old stories.

    Nor does one that was immediate until now, but for those whose alert is still to come.
    """
    if topic_id is not None and query is not None:
        wake(conn, topic_id)
    target = Subscription.topic_id == topic_id if topic_id is not None else Subscription.newsletter_id == newsletter_id
    known = conn.execute(
        sa.select(Subscription.id, Subscription.ended_at, Subscription.cadence).where(
            Subscription.subscriber_id == subscriber_id, target
        )
    ).first()
    wish = {"cadence": cadence, "times": list(times), "weekday": weekday, "next_due_at": next_due_at, "query": query}
    if known is None:
        statement = sa.insert(Subscription).values(
            subscriber_id=subscriber_id,
            topic_id=topic_id,
            newsletter_id=newsletter_id,
            cursor=reached(conn, MATCH_SEQ),
            created_at=now(conn),
            **wish,
        )
        return SubscriptionId(conn.execute(statement.returning(Subscription.id)).scalar_one())
    if known.ended_at is not None:
        wish |= {"ended_at": None, "muted_until": None, "cursor": reached(conn, MATCH_SEQ)}
    elif known.cadence is Cadence.IMMEDIATE and cadence is not Cadence.IMMEDIATE:
        wish["cursor"] = _before_pending_alerts(conn, topic_id)
    conn.execute(sa.update(Subscription).where(Subscription.id == known.id).values(**wish))
    return SubscriptionId(known.id)


def _before_pending_alerts(conn: Connection, topic_id: TopicId | None) -> int:
    """Return the cursor before which nothing of a topic waits to be alerted."""
    pending = sa.select(sa.func.min(TopicStory.match_seq)).where(
        TopicStory.topic_id == topic_id, TopicStory.alert_due_at.is_not(None)
    )
    first: int | None = conn.execute(pending).scalar()
    return reached(conn, MATCH_SEQ) if first is None else first - 1


def unfollow(
    conn: Connection, subscriber_id: SubscriberId, subscriptions: Sequence[SubscriptionId] | None = None
) -> int:
    """End the given subscriptions of a reader, or all of them, and return how many were running.

    An own query that nobody follows any more is asked no longer.
    """
    statement = sa.update(Subscription).where(
        Subscription.subscriber_id == subscriber_id, Subscription.ended_at.is_(None)
    )
    if subscriptions is not None:
        statement = statement.where(Subscription.id.in_(subscriptions))
    ending = statement.values(ended_at=now(conn), next_due_at=None).returning(Subscription.topic_id)
    ended = conn.execute(ending).scalars().all()
    let_sleep(conn, [TopicId(topic_id) for topic_id in ended if topic_id is not None])
    return len(ended)


def followings(conn: Connection, subscriber_id: SubscriberId) -> list[Following]:
    """Return a reader's running subscriptions, oldest first."""
    query = _FOLLOWING.where(Subscription.subscriber_id == subscriber_id, Subscription.ended_at.is_(None))
    return [_following(row) for row in conn.execute(query.order_by(Subscription.id))]


def served_by(conn: Connection, subscriber_id: SubscriberId, delivery_id: DeliveryId) -> list[tuple[Following, bool]]:
    """Return the subscriptions of this reader that a delivery serves, oldest first, and whether each still runs."""
    query = (
        _FOLLOWING.add_columns(Subscription.ended_at)
        .join(Delivery, is_served(conn.dialect.name))
        .where(Delivery.id == delivery_id, Subscription.subscriber_id == subscriber_id)
        .order_by(Subscription.id)
    )
    return [(_following(row), row.ended_at is None) for row in conn.execute(query)]


def asked_for(conn: Connection, subscriber_id: SubscriberId) -> list[dict[str, str]]:
    """Return the names, by locale, of the shared topics and newsletters that a reader's open question is about.

    Topics come first, each in the order asked.

    `worker.signup.consent` has the shape of the record. A reader's own query is not named: it is theirs to see only.
    """
    record = conn.execute(sa.select(Subscriber.consent).where(Subscriber.id == subscriber_id)).scalar() or {}
    follows = record.get("question", {}).get("wish", {}).get("follows", [])
    slugs = [follow["topic"] for follow in follows if follow.get("topic")]
    names = topic_names(conn, slugs)
    wanted = [follow["newsletter"] for follow in follows if follow.get("newsletter")]
    letters = dict(conn.execute(sa.select(Newsletter.slug, Newsletter.name).where(Newsletter.slug.in_(wanted))).all())
    return [names[slug] for slug in slugs if slug in names] + [
        {"en": letters[slug]} for slug in wanted if slug in letters
    ]


def topic_names(conn: Connection, slugs: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return shared topics' names by locale, by slug; unknown slugs are left out."""
    rows = conn.execute(sa.select(Topic.slug, Topic.name).where(Topic.slug.in_(slugs)))
    return {slug: name for slug, name in rows if slug is not None}


def suppress(conn: Connection, address_hash: str, *, reason: str) -> None:
    """Make sure that an address gets nothing any more, by somebody's decision: that stands above any event."""
    row = {"address_hash": address_hash, "cause": Cause.OPERATOR, "reason": reason, "event_id": None}
    upsert(conn, Suppression, {**row, "created_at": now(conn)}, key=("address_hash",))


def is_suppressed(conn: Connection, address_hash: str) -> str | None:
    """Return why an address gets nothing, None when it may."""
    return conn.execute(sa.select(Suppression.reason).where(Suppression.address_hash == address_hash)).scalar()


def has_any(conn: Connection) -> bool:
    """Tell whether there is a reader with an address."""
    return conn.execute(sa.select(Subscriber.id).where(Subscriber.email.is_not(None)).limit(1)).first() is not None


def _following(row: Any) -> Following:  # noqa: ANN401  a Row of the query above
    name = row.topic_name or ({"en": row.newsletter_name} if row.newsletter_name else {"en": row.query})
    return Following(
        id=row.id,
        topic_id=row.topic_id,
        newsletter_id=row.newsletter_id,
        slug=row.slug,
        name=name,
        query=row.query,
        canonical=row.canonical,
        cadence=row.cadence,
        times=tuple(row.times),
        weekday=row.weekday,
        next_due_at=row.next_due_at,
        muted_until=row.muted_until,
    )
