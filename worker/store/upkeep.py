"""The statements of planning's upkeep: in which zones readers live, whose next run a change of rules moves, what goes.

Decides nothing. Called by the runs that review zones and let old rows go.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.model import Cadence, SubscriptionId
from worker.store.asking import KEPT_FOR
from worker.store.requests import ANSWERS_KEPT
from worker.store.schema import (
    Asking,
    ContentStory,
    Delivery,
    EditionContent,
    Omission,
    PlanningRun,
    Request,
    StoryMute,
    Subscriber,
    Subscription,
    TokenUse,
)
from worker.store.seen import SEEN_FOR

_KEPT: Final = SEEN_FOR + timedelta(days=1)


class Scheduled(NamedTuple):
    """A subscription that is due in future, by a zone's clock."""

    subscription_id: SubscriptionId
    cadence: Cadence
    times: list[str]
    weekday: int | None
    next_due_at: datetime


def zones(conn: Connection) -> list[str]:
    """Return the zones that readers live in, by name."""
    return list(conn.execute(sa.select(Subscriber.timezone).distinct().order_by(Subscriber.timezone)).scalars())


def scheduled(conn: Connection, zone: str, *, at: datetime, after: SubscriptionId, limit: int) -> list[Scheduled]:
    """Return subscriptions due after `at` by a zone's clock, in order of their numbers."""
    query = (
        sa.select(
            Subscription.id, Subscription.cadence, Subscription.times, Subscription.weekday, Subscription.next_due_at
        )
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(Subscriber.timezone == zone, Subscription.next_due_at > at, Subscription.ended_at.is_(None))
        .where(Subscription.topic_id.is_not(None), Subscription.cadence != Cadence.HOURLY, Subscription.id > after)
        .order_by(Subscription.id)
        .limit(limit)
    )
    return [Scheduled._make(row) for row in conn.execute(query)]


def reschedule(conn: Connection, one: Scheduled, next_due_at: datetime) -> bool:
    """Move a subscription's next run; False when it is not due then any more."""
    as_read = (Subscription.id == one.subscription_id, Subscription.next_due_at == one.next_due_at)
    return conn.execute(sa.update(Subscription).where(*as_read).values(next_due_at=next_due_at)).rowcount == 1


def let_go(conn: Connection, *, at: datetime, limit: int) -> int:
    """Delete some of what nobody asks about any more, and return how many rows that were; 0 when nothing is left.

    What readers have seen counts for 35 days, and so do the reasons why they did not; a finished run tells no more than
    its editions do. Answers of the API are kept for a day, for whoever sends a request again. Of who was asked, a day
    counts; no link that works once is good for so long.
    """
    old = at - _KEPT
    recent = sa.exists().where(Delivery.content_id == ContentStory.content_id, Delivery.planned_at > old)
    contents = (
        sa.select(ContentStory.content_id)
        .join(EditionContent, EditionContent.id == ContentStory.content_id)
        .where(EditionContent.created_at < old, ~recent)
        .limit(limit)
    )
    first = sa.select(Asking.id).order_by(Asking.id).limit(limit)
    gone: list[tuple[Any, Any]] = [
        (ContentStory, ContentStory.content_id.in_(contents)),
        (Asking, sa.and_(Asking.id.in_(first), Asking.at < at - KEPT_FOR)),
        (TokenUse, TokenUse.token_hash.in_(sa.select(TokenUse.token_hash).where(TokenUse.used_at < old).limit(limit))),
        (Omission, Omission.id.in_(sa.select(Omission.id).where(Omission.at < old).limit(limit))),
        (
            PlanningRun,
            PlanningRun.id.in_(sa.select(PlanningRun.id).where(PlanningRun.finished_at < old).limit(limit)),
        ),
        (Request, Request.id.in_(sa.select(Request.id).where(Request.claimed_at < at - ANSWERS_KEPT).limit(limit))),
        (StoryMute, StoryMute.muted_until < old),
    ]
    _forget_mutes(conn, before=old, limit=limit)
    return sum(conn.execute(sa.delete(table).where(which)).rowcount for table, which in gone)


def _forget_mutes(conn: Connection, *, before: datetime, limit: int) -> None:
    """Take back mutes of topics that were over before planning looks back to; a trace has told of them until now."""
    over = sa.select(Subscription.id).where(Subscription.muted_until < before).limit(limit)
    conn.execute(sa.update(Subscription).where(Subscription.id.in_(over)).values(muted_until=None))
