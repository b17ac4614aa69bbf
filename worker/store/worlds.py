"""The statements that read all news of a span, and readers page by page: what a simulation of planning walks through.

Plain rows, without texts. Decides nothing, changes nothing. Called by `planning.run_simulate`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.facts import StoredNewsletter
from worker.model import (
    BelowFloor,
    Cadence,
    EditionKind,
    Owing,
    StoryId,
    SubscriberId,
    SubscriberStatus,
    SubscriptionId,
    TopicId,
)
from worker.store.mutes import is_owed_in_vain, passed
from worker.store.news import Told, told_of
from worker.store.schema import (
    Article,
    Burst,
    Delivery,
    Edition,
    Match,
    Newsletter,
    OwedStory,
    Story,
    Subscriber,
    Subscription,
    Suppression,
    Topic,
    TopicStory,
)
from worker.store.seen import GIVEN_BACK


class MatchedPair(NamedTuple):
    """A story that concerns a topic. `alert_due_at` while it is still to be alerted, `rolls` when a summary has it.

    `alerted_at` is when it was alerted, or put off to a summary.
    """

    topic_id: TopicId
    seq: int
    story_id: StoryId
    matched_at: datetime
    alert_due_at: datetime | None
    alerted_at: datetime | None
    rolls: bool


class Strength(NamedTuple):
    """How strongly a story concerns a topic, and since when an article says so that may alert; None: none does."""

    story_id: StoryId
    topic_id: TopicId
    strength: int
    may_alert_since: datetime | None


class FollowedTopic(NamedTuple):
    """One running subscription to a topic."""

    subscription_id: SubscriptionId
    subscriber_id: SubscriberId
    topic_id: TopicId
    cadence: Cadence
    times: list[str]
    weekday: int | None
    cursor: int
    next_due_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ReaderRow:
    """A reader with an address who has confirmed, and has not left."""

    id: SubscriberId
    email: str
    locale: str
    timezone: str
    status: SubscriberStatus
    paused_at: datetime | None
    paused_until: datetime | None
    quiet_from: str | None
    quiet_to: str | None
    alert_budget: int | None
    digest_floor: int
    below_floor: BelowFloor
    suppressed: bool


def pairs(conn: Connection, *, since: datetime, until: datetime) -> list[MatchedPair]:
    """Return the pairs that were matched in a time, `until` not included, by topic and number; no killed story's."""
    query = (
        sa.select(
            TopicStory.topic_id,
            TopicStory.match_seq,
            TopicStory.story_id,
            TopicStory.matched_at,
            TopicStory.alert_due_at,
            TopicStory.alerted_at,
            TopicStory.rolls,
        )
        .join(Story, Story.id == TopicStory.story_id)
        .where(TopicStory.matched_at >= since, TopicStory.matched_at < until, Story.killed_at.is_(None))
        .order_by(TopicStory.topic_id, TopicStory.match_seq)
    )
    return [MatchedPair._make(row) for row in conn.execute(query)]


def strengths(conn: Connection, *, since: datetime, until: datetime) -> list[Strength]:
    """Return those of the pairs matched in a time that match still."""
    seen_at = sa.case((Article.may_alert, Article.seen_at))
    query = (
        sa.select(Match.story_id, Match.topic_id, sa.func.max(Match.strength), sa.func.min(seen_at))
        .join(Article, Article.id == Match.article_id)
        .join(TopicStory, sa.and_(TopicStory.story_id == Match.story_id, TopicStory.topic_id == Match.topic_id))
        .where(TopicStory.matched_at >= since, TopicStory.matched_at < until, Article.killed_at.is_(None))
        .group_by(Match.story_id, Match.topic_id)
    )
    return [Strength._make(row) for row in conn.execute(query)]


def told(conn: Connection, *, since: datetime, until: datetime) -> Iterator[Told]:
    """Yield the tellings of the stories matched in a time; see `news.told_of`."""
    matched = (TopicStory.matched_at >= since, TopicStory.matched_at < until)
    return told_of(conn, sa.exists().where(TopicStory.story_id == Story.id, *matched))


def newsletters(conn: Connection) -> list[StoredNewsletter]:
    """Return all newsletters but those that are disabled."""
    columns = [getattr(Newsletter, name) for name in StoredNewsletter.__slots__]
    rows = conn.execute(sa.select(*columns).where(Newsletter.disabled_reason == ""))
    return [StoredNewsletter(**row._mapping) for row in rows]  # noqa: SLF001  Row's documented view


def letters_of(
    conn: Connection, first: SubscriberId, last: SubscriberId
) -> dict[SubscriberId, dict[str, datetime | None]]:
    """Return which newsletters the readers from `first` to `last` follow, by slug in order.

    Of those that go by readers' clocks, with when each is due to them.
    """
    query = (
        sa.select(Subscription.subscriber_id, Newsletter.slug, Subscription.next_due_at)
        .join(Newsletter, Newsletter.id == Subscription.newsletter_id)
        .where(Subscription.subscriber_id.between(first, last), Subscription.ended_at.is_(None))
        .order_by(Subscription.subscriber_id, Newsletter.slug)
    )
    found: dict[SubscriberId, dict[str, datetime | None]] = {}
    for reader, slug, due_at in conn.execute(query):
        found.setdefault(SubscriberId(reader), {})[slug] = due_at
    return found


def topic_names(conn: Connection) -> dict[TopicId, str]:
    """Return the slugs of shared topics."""
    query = sa.select(Topic.id, Topic.slug).where(Topic.slug.is_not(None))
    return {TopicId(topic): str(slug) for topic, slug in conn.execute(query)}


def bursts(conn: Connection) -> dict[TopicId, tuple[datetime, datetime]]:
    """Return which topics burst: since when, and when their next summaries are due."""
    query = sa.select(Burst.topic_id, Burst.opened_at, Burst.summary_due_at)
    return {TopicId(topic): (opened_at, due_at) for topic, opened_at, due_at in conn.execute(query)}


def readers(
    conn: Connection, *, after: SubscriberId, limit: int, only: SubscriberId | None = None
) -> list[tuple[ReaderRow, list[FollowedTopic]]]:
    """Return the next readers in order of their numbers, with what they follow: those who follow no topic, too."""
    suppressed = sa.exists().where(Suppression.address_hash == Subscriber.address_hash).label("suppressed")
    columns = [getattr(Subscriber, name) for name in ReaderRow.__slots__ if name != "suppressed"]
    query = (
        sa.select(*columns, suppressed)
        .where(Subscriber.id > after, Subscriber.email.is_not(None))
        .where(Subscriber.status.in_([SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED]))
        .order_by(Subscriber.id)
        .limit(limit)
    )
    if only is not None:
        query = query.where(Subscriber.id == only)
    found = [ReaderRow(**row._mapping) for row in conn.execute(query)]  # noqa: SLF001  Row's documented view
    follows: dict[SubscriberId, list[FollowedTopic]] = {reader.id: [] for reader in found}
    if found:
        for one in _followed(conn, found[0].id, found[-1].id):
            follows.get(one.subscriber_id, []).append(one)
    return [(reader, follows[reader.id]) for reader in found]


def _followed(conn: Connection, first: SubscriberId, last: SubscriberId) -> Iterator[FollowedTopic]:
    columns = (
        Subscription.id,
        Subscription.subscriber_id,
        Subscription.topic_id,
        Subscription.cadence,
        Subscription.times,
        Subscription.weekday,
        passed().label("cursor"),
        Subscription.next_due_at,
    )
    query = (
        sa.select(*columns)
        .where(Subscription.subscriber_id.between(first, last))
        .where(Subscription.ended_at.is_(None), Subscription.topic_id.is_not(None))
        .order_by(Subscription.subscriber_id, Subscription.id)
    )
    for row in conn.execute(query):
        yield FollowedTopic._make(row)


def owed(
    conn: Connection, first: SubscriberId, last: SubscriberId, *, at: datetime
) -> dict[SubscriberId, dict[StoryId, tuple[Owing, datetime]]]:
    """Return what the readers from `first` to `last` are owed: why, and until when it waits for a digest."""
    query = sa.select(OwedStory.subscriber_id, OwedStory.story_id, OwedStory.why, OwedStory.due_at).where(
        OwedStory.subscriber_id.between(first, last), ~is_owed_in_vain(at)
    )
    found: dict[SubscriberId, dict[StoryId, tuple[Owing, datetime]]] = {}
    for reader, story, why, due_at in conn.execute(query):
        found.setdefault(SubscriberId(reader), {})[StoryId(story)] = (why, due_at)
    return found


def alerted(
    conn: Connection, first: SubscriberId, last: SubscriberId, *, since: datetime
) -> dict[SubscriberId, list[datetime]]:
    """Return when the readers from `first` to `last` were alerted since, summaries counted as one."""
    query = (
        sa.select(Delivery.subscriber_id, Delivery.planned_at)
        .join(Edition, Edition.id == Delivery.edition_id)
        .where(Delivery.subscriber_id.between(first, last), Delivery.planned_at > since)
        .where(Edition.kind.in_([EditionKind.ALERT, EditionKind.ROLLING]), Delivery.state.not_in(GIVEN_BACK))
    )
    found: dict[SubscriberId, list[datetime]] = {}
    for reader, at in conn.execute(query):
        found.setdefault(SubscriberId(reader), []).append(at)
    return found
