"""The statements over alerts: which pairs are due, who follows them immediately, and what these have been sent lately.

Never decides and never sends. Called by the planning of alerts and of rolling summaries.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection

from worker.model import (
    EVERY_UPDATE,
    Cadence,
    EditionId,
    EditionKind,
    RunId,
    StoryId,
    SubscriberId,
    SubscriptionId,
    TopicId,
)
from worker.store import mutes
from worker.store.database import now
from worker.store.editions import still_planning
from worker.store.followings import awake
from worker.store.mutes import passed
from worker.store.schema import ContentStory, Delivery, Edition, OwedStory, Story, Subscriber, Subscription, TopicStory
from worker.store.seen import GIVEN_BACK, SEEN_FOR

_LONGEST_DAY = timedelta(hours=26)  # a reader's day has up to 25 hours


class DuePair(NamedTuple):
    """A topic for which a story is due to be alerted, under its number."""

    topic_id: TopicId
    seq: int
    due_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """What editors have made of a story."""

    story_id: StoryId
    created_at: datetime
    boost: int
    update_no: int
    updated_at: datetime | None


class Follower(NamedTuple):
    """One immediate subscription with its reader's terms: a row of `following`."""

    subscriber_id: SubscriberId
    recipient: str | None
    locale: str
    timezone: str
    awake: bool
    paused_at: datetime | None
    quiet_from: str | None
    quiet_to: str | None
    alert_budget: int | None
    subscription_id: SubscriptionId
    topic_id: TopicId
    cursor: int


class Shown(NamedTuple):
    """That a reader has a copy of a story: at which update, and under which Message-ID the last one goes."""

    update_no: int
    message_id: str


def due_stories(conn: Connection, *, at: datetime, limit: int) -> list[StoryId]:
    """Return stories that are due to be alerted, the longest waiting first."""
    query = (
        sa.select(TopicStory.story_id)
        .where(TopicStory.alert_due_at <= at, TopicStory.rolls.is_(False))
        .group_by(TopicStory.story_id)
        .order_by(sa.func.min(TopicStory.match_seq))
        .limit(limit)
    )
    return [StoryId(story_id) for story_id in conn.execute(query).scalars()]


def due_pairs(conn: Connection, story_id: StoryId, *, at: datetime) -> list[DuePair]:
    """Return the topics for which a story is due now, by number, locked: what another planner has locked is its own."""
    query = (
        sa.select(TopicStory.topic_id, TopicStory.match_seq, TopicStory.alert_due_at)
        .where(TopicStory.story_id == story_id, TopicStory.alert_due_at <= at, TopicStory.rolls.is_(False))
        .order_by(TopicStory.match_seq)
        .with_for_update(skip_locked=True)
    )
    return [DuePair(TopicId(topic), seq, due_at or at) for topic, seq, due_at in conn.execute(query)]


def claimed(conn: Connection, story_id: StoryId, topics: Collection[TopicId], *, at: datetime) -> None:
    """Note that a run has these pairs on, so that nobody else plans them."""
    conn.execute(
        sa.update(TopicStory)
        .where(TopicStory.story_id == story_id, TopicStory.topic_id.in_(list(topics)))
        .values(alert_due_at=None, alerted_at=at, rolls=False)
    )


def standing(conn: Connection, stories: Collection[StoryId]) -> dict[StoryId, Standing]:
    """Return what editors have made of stories; killed ones are not among them."""
    columns = (Story.created_at, Story.boost, Story.update_no, Story.updated_at)
    query = sa.select(Story.id.label("story_id"), *columns).where(
        Story.id.in_(list(stories)), Story.killed_at.is_(None)
    )
    rows = [Standing(**row._mapping) for row in conn.execute(query)]  # noqa: SLF001  Row's documented view
    return {row.story_id: row for row in rows}


def next_readers(
    conn: Connection, story_id: StoryId, topics: Collection[TopicId], *, after: SubscriberId, limit: int
) -> list[SubscriberId]:
    """Return the next readers who follow one of a story's topics immediately, and did before it came, by number."""
    query = (
        sa.select(Subscription.subscriber_id)
        .join(TopicStory, TopicStory.topic_id == Subscription.topic_id)
        .where(*_immediate(topics), *_met(story_id), Subscription.subscriber_id > after)
        .group_by(Subscription.subscriber_id)
        .order_by(Subscription.subscriber_id)
        .limit(limit)
    )
    return [SubscriberId(reader) for reader in conn.execute(query).scalars()]


def followers(
    conn: Connection, story_id: StoryId, topics: Collection[TopicId], *, first: SubscriberId, last: SubscriberId
) -> list[Follower]:
    """Return the immediate subscriptions to a story's topics of the readers from the first to the last, by reader."""
    query = (
        following(now(conn))
        .join(TopicStory, TopicStory.topic_id == Subscription.topic_id)
        .where(*_immediate(topics), *_met(story_id), Subscription.subscriber_id.between(first, last))
    )
    return read_followers(conn, query)


def _met(story_id: StoryId) -> tuple[ColumnElement[bool], ...]:
    return TopicStory.story_id == story_id, Subscription.cursor < TopicStory.match_seq, mutes.lets_through()


def _immediate(topics: Collection[TopicId]) -> tuple[ColumnElement[bool], ...]:
    return (
        Subscription.topic_id.in_(list(topics)),
        Subscription.cadence == Cadence.IMMEDIATE,
        Subscription.ended_at.is_(None),
    )


def following(at: datetime) -> sa.Select[*tuple[Any, ...]]:
    """Return the query for subscriptions with their readers' terms, whose rows `read_followers` reads."""
    return sa.select(
        Subscriber.id.label("subscriber_id"),
        Subscriber.email.label("recipient"),
        Subscriber.locale,
        Subscriber.timezone,
        awake(at).label("awake"),
        Subscriber.paused_at,
        Subscriber.quiet_from,
        Subscriber.quiet_to,
        Subscriber.alert_budget,
        Subscription.id.label("subscription_id"),
        Subscription.topic_id,
        passed(),
    ).join(Subscription, Subscription.subscriber_id == Subscriber.id)


def read_followers(conn: Connection, query: sa.Select[*tuple[Any, ...]]) -> list[Follower]:
    """Run the query, in order of readers and subscriptions."""
    rows = conn.execute(query.order_by(Subscription.subscriber_id, Subscription.id))
    return [Follower._make(row) for row in rows]


def shown(
    conn: Connection, stories: Collection[StoryId], *, first: SubscriberId, last: SubscriberId, at: datetime
) -> dict[tuple[SubscriberId, StoryId], Shown]:
    """Return what of some stories the readers from the first to the last have been shown: at its latest, by which mail.

    What never left the house was shown to nobody; what a reader has muted counts as shown at every update.
    """
    query = (
        sa.select(Delivery.subscriber_id, ContentStory.story_id, ContentStory.update_no, Delivery.message_id)
        .join(ContentStory, ContentStory.content_id == Delivery.content_id)
        .where(ContentStory.story_id.in_(list(stories)), Delivery.subscriber_id.between(first, last))
        .where(Delivery.planned_at > at - SEEN_FOR, Delivery.state.not_in(GIVEN_BACK))
        .order_by(ContentStory.update_no, Delivery.id)
    )
    found = {
        (SubscriberId(reader), StoryId(story)): Shown(update_no, message_id)
        for reader, story, update_no, message_id in conn.execute(query)
    }
    wanted = set(stories)
    muted = [pair for pair in mutes.stories(conn, first, last, at=at) if pair[1] in wanted]
    return found | dict.fromkeys(muted, Shown(EVERY_UPDATE, ""))


def alerted_lately(
    conn: Connection, readers: Collection[SubscriberId], *, at: datetime
) -> dict[SubscriberId, list[datetime]]:
    """Return when readers were alerted in the longest day that may be behind them, without alerts that never went."""
    query = (
        sa.select(Delivery.subscriber_id, Delivery.planned_at)
        .join(Edition, Edition.id == Delivery.edition_id)
        .where(Delivery.subscriber_id.in_(list(readers)), Delivery.planned_at > at - _LONGEST_DAY)
        .where(Edition.kind.in_((EditionKind.ALERT, EditionKind.ROLLING)), Delivery.state.not_in(GIVEN_BACK))
        .order_by(Delivery.planned_at)
    )
    times: dict[SubscriberId, list[datetime]] = {}
    for reader, planned_at in conn.execute(query):
        times.setdefault(SubscriberId(reader), []).append(planned_at)
    return times


def digests_due(conn: Connection, readers: Collection[SubscriberId]) -> dict[SubscriberId, list[datetime]]:
    """Return when the digests of readers are next due; those without any are left out."""
    query = (
        sa.select(Subscription.subscriber_id, Subscription.next_due_at)
        .where(Subscription.subscriber_id.in_(list(readers)), Subscription.ended_at.is_(None))
        .where(Subscription.topic_id.is_not(None), Subscription.next_due_at.is_not(None))
        .distinct()
        .order_by(Subscription.next_due_at)
    )
    times: dict[SubscriberId, list[datetime]] = {}
    for reader, due_at in conn.execute(query):
        if due_at is not None:  # for mypy: the query says so
            times.setdefault(SubscriberId(reader), []).append(due_at)
    return times


def no_longer_owed(
    conn: Connection,
    stories: Collection[StoryId],
    *,
    first: SubscriberId,
    last: SubscriberId,
    readers: Iterable[SubscriberId],
) -> None:
    """Forget that some of the readers from the first to the last are owed stories, since a copy brings them now."""
    told = set(readers)
    owed = sa.select(OwedStory.subscriber_id).where(
        OwedStory.story_id.in_(list(stories)), OwedStory.subscriber_id.between(first, last)
    )
    paid = sorted(told.intersection(conn.execute(owed).scalars()))
    if paid:
        which = (OwedStory.story_id.in_(list(stories)), OwedStory.subscriber_id.in_(paid))
        conn.execute(sa.delete(OwedStory).where(*which))


def editions_of(conn: Connection, run_id: RunId) -> list[EditionId]:
    """Return the editions of a run that still take readers."""
    return still_planning(conn, Edition.run_id == run_id)


def alert_slots(story_id: StoryId) -> str:
    """Return what the slots of all alerts of a story begin with.

    >>> alert_slots(StoryId(12))
    'story 12 from '
    """
    return f"story {story_id} from "
