"""The statements that planning asks: what is due, who follows it, who has seen it, what there is to say of it.

Never decides and never sends. `match_seq` numbers become visible in their own order: whoever reads the head first and
then all stories up to it misses none.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection
from sqlalchemy.orm import aliased

from worker.facts import Asked, Concern, DueStory, Followed, Telling
from worker.lifecycle import State
from worker.model import (
    Cadence,
    EditionId,
    EditionKind,
    EditionStatus,
    StoryId,
    SubscriberId,
    SubscriberStatus,
    SubscriptionId,
    TopicId,
)
from worker.store.database import now
from worker.store.schema import (
    Article,
    ContentStory,
    Delivery,
    DeliverySubscription,
    Edition,
    Match,
    Source,
    Story,
    Subscriber,
    Subscription,
    Topic,
    TopicStory,
)

SEEN_FOR = timedelta(days=35)
_GIVEN_BACK = (State.EXPIRED, State.CANCELLED)
_PLANNING_LOCK = 0x70C52


def take_turn(conn: Connection) -> None:
    """Wait until no other planner has a transaction open. To be asked first, so that all its work is then seen.

    Two that planned at once could give a reader the same story in two editions, or close each other's.
    """
    if conn.dialect.name != "sqlite":  # which has one writer anyway
        conn.execute(sa.select(sa.func.pg_advisory_xact_lock(_PLANNING_LOCK)))


def due_stories(conn: Connection, *, limit: int) -> list[StoryId]:
    """Return stories that are due to be alerted, the longest waiting first."""
    query = (
        sa.select(TopicStory.story_id)
        .where(TopicStory.alert_due_at <= now(conn))
        .group_by(TopicStory.story_id)
        .order_by(sa.func.min(TopicStory.match_seq))
        .limit(limit)
    )
    return [StoryId(story_id) for story_id in conn.execute(query).scalars()]


def due_story(conn: Connection, story_id: StoryId) -> DueStory | None:
    """Return the topics for which a story is due to be alerted now, None when it is not any more."""
    query = sa.select(TopicStory.topic_id, TopicStory.match_seq).where(
        TopicStory.story_id == story_id, TopicStory.alert_due_at <= now(conn)
    )
    topics = {TopicId(topic_id): match_seq for topic_id, match_seq in conn.execute(query)}
    return DueStory(story_id=story_id, topics=topics) if topics else None


def alerted(conn: Connection, story: DueStory) -> None:
    """Note that nobody is left to be alerted of these pairs."""
    conn.execute(
        sa.update(TopicStory)
        .where(TopicStory.story_id == story.story_id, TopicStory.topic_id.in_(list(story.topics)))
        .values(alert_due_at=None)
    )


def alert_followers(
    conn: Connection, story: DueStory, *, topics: Collection[TopicId], slot: str, limit: int
) -> list[Followed]:
    """Return immediate subscriptions to `topics` of up to `limit` readers who have no copy of the alert of `slot` yet.

    Whoever has seen the story in any other mail is left out.
    """
    at = now(conn)
    has_copy = sa.exists().where(
        Delivery.subscriber_id == Subscriber.id,
        Edition.id == Delivery.edition_id,
        Edition.kind == EditionKind.ALERT,
        Edition.slot == slot,
    )
    wanted = (
        Subscription.topic_id == TopicStory.topic_id,
        Subscription.cadence == Cadence.IMMEDIATE,
        Subscription.ended_at.is_(None),
        Subscription.cursor < TopicStory.match_seq,
        TopicStory.story_id == story.story_id,
        TopicStory.topic_id.in_(list(topics)),
    )
    readers = (
        sa.select(Subscriber.id)
        .where(_awake(at), ~has_copy, ~_seen(story_id=sa.literal(story.story_id), at=at))
        .where(sa.exists().where(Subscription.subscriber_id == Subscriber.id, *wanted))
        .order_by(Subscriber.id)
        .limit(limit)
    )
    query = _followed(at).join(TopicStory, sa.and_(*wanted)).where(Subscriber.id.in_(readers))
    return [_row(row) for row in conn.execute(query.order_by(Subscriber.id, Subscription.id))]


def due_slots(conn: Connection, *, limit: int) -> list[tuple[datetime, str]]:
    """Return (due instant, locale) of digests that are due, the oldest first, and of those left unfinished."""
    unfinished = sa.select(Edition.due_at, Edition.locale).where(
        Edition.kind == EditionKind.DIGEST, Edition.status == EditionStatus.PLANNING
    )
    due = (
        sa.select(Subscription.next_due_at, Subscriber.locale)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(
            Subscription.next_due_at <= now(conn), Subscription.ended_at.is_(None), Subscription.topic_id.is_not(None)
        )
        .distinct()
        .order_by(Subscription.next_due_at, Subscriber.locale)
        .limit(limit)
    )
    slots = [(due_at, locale) for due_at, locale in conn.execute(due) if due_at is not None]
    return list(dict.fromkeys([*slots, *((due_at, locale) for due_at, locale in conn.execute(unfinished))]))


def due_followings(conn: Connection, *, due_at: datetime, locale: str, limit: int) -> list[Followed]:
    """Return the subscriptions due at an instant of up to `limit` readers, locked until the transaction ends."""
    due = (Subscription.next_due_at == due_at, Subscription.ended_at.is_(None), Subscription.topic_id.is_not(None))
    readers = (
        sa.select(Subscriber.id)
        .where(Subscriber.locale == locale)
        .where(sa.exists().where(Subscription.subscriber_id == Subscriber.id, *due))
        .order_by(Subscriber.id)
        .limit(limit)
    )
    query = _followed(now(conn)).where(*due, Subscriber.id.in_(readers)).order_by(Subscriber.id, Subscription.id)
    return [_row(row) for row in conn.execute(query.with_for_update(of=Subscription))]


def fresh_stories(
    conn: Connection, subscriptions: Collection[SubscriptionId], *, head: int
) -> dict[SubscriptionId, list[StoryId]]:
    """Return for each subscription the stories after its cursor, up to `head`, that its reader has not seen.

    Stories before the cursor are among them when the delivery that was to show them never left the house.
    """
    at = now(conn)
    unseen = (
        sa.select(Subscription.id, TopicStory.story_id, TopicStory.match_seq)
        .join(TopicStory, TopicStory.topic_id == Subscription.topic_id)
        .join(Story, Story.id == TopicStory.story_id)
        .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
        .where(Subscription.id.in_(list(subscriptions)), Story.killed_at.is_(None))
        .where(~_seen(story_id=TopicStory.story_id, at=at))
    )
    new = unseen.where(TopicStory.match_seq > Subscription.cursor, TopicStory.match_seq <= head)
    unsent, meant = aliased(Delivery), aliased(ContentStory)
    given_back = (
        unseen.join(DeliverySubscription, DeliverySubscription.subscription_id == Subscription.id)
        .join(unsent, unsent.id == DeliverySubscription.delivery_id)
        .join(meant, meant.content_id == unsent.content_id)
        .where(meant.story_id == TopicStory.story_id, TopicStory.match_seq <= Subscription.cursor)
        .where(unsent.state.in_(_GIVEN_BACK), unsent.planned_at > at - SEEN_FOR)
    )
    fresh: dict[SubscriptionId, list[StoryId]] = {}
    for subscription_id, story_id, _ in conn.execute(sa.union(new, given_back).order_by(sa.text("match_seq"))):
        fresh.setdefault(SubscriptionId(subscription_id), []).append(StoryId(story_id))
    return fresh


def advance(
    conn: Connection, subscription_id: SubscriptionId, *, next_due_at: datetime | None, cursor: int | None
) -> None:
    """Set when a subscription is next due; move its cursor too, unless its run showed nothing of what is new."""
    values: dict[str, object] = {"next_due_at": next_due_at}
    if cursor is not None:
        values["cursor"] = cursor
    conn.execute(sa.update(Subscription).where(Subscription.id == subscription_id).values(**values))


def tellings(conn: Connection, stories: Collection[StoryId]) -> list[Telling]:
    """Return the articles that tell the stories, house copy first, then originals, then by time; killed ones do not."""
    query = (
        sa.select(
            Article.id.label("article_id"),
            Article.story_id,
            Article.revision,
            Article.title,
            Article.summary,
            Article.body,
            Article.url,
            Article.outlet,
            Source.house,
            Article.lang,
            Article.author,
            Article.section,
            Article.severity,
            Article.published_at,
            Article.seen_at,
            Article.copy_of_id.is_not(None).label("is_copy"),
        )
        .join(Source, Source.id == Article.source_id)
        .join(Story, Story.id == Article.story_id)
        .where(Article.story_id.in_(list(stories)), Article.killed_at.is_(None), Story.killed_at.is_(None))
        .order_by(Source.house.desc(), Article.copy_of_id.is_not(None), Article.id)
    )
    return [Telling(**row._mapping) for row in conn.execute(query)]  # noqa: SLF001  Row's documented view


def concerns(conn: Connection, stories: Collection[StoryId], topics: Collection[TopicId]) -> list[Concern]:
    """Return why the stories' articles concern the topics, strongest first."""
    query = (
        sa.select(
            Match.article_id,
            Match.story_id,
            Match.topic_id,
            Topic.slug,
            Topic.name.label("names"),
            Topic.query,
            Match.strength,
            Match.evidence,
            Match.matched_at,
        )
        .join(Topic, Topic.id == Match.topic_id)
        .join(Article, Article.id == Match.article_id)
        .where(Article.killed_at.is_(None))
        .where(Match.story_id.in_(list(stories)), Match.topic_id.in_(list(topics)))
        .order_by(Match.strength.desc(), Match.topic_id, Match.article_id)
    )
    return [Concern(**row._mapping) for row in conn.execute(query)]  # noqa: SLF001  Row's documented view


def due_confirmations(conn: Connection, *, limit: int) -> list[Asked]:
    """Return readers who wait for the question whether it was them, locked until the transaction ends."""
    query = (
        sa.select(Subscriber.id, Subscriber.email, Subscriber.locale, Subscriber.confirmations)
        .where(Subscriber.confirmation_due_at <= now(conn))
        .order_by(Subscriber.confirmation_due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [
        Asked(subscriber_id=SubscriberId(subscriber_id), recipient=email, locale=locale, question=confirmations)
        for subscriber_id, email, locale, confirmations in conn.execute(query)
        if email is not None
    ]


def open_alerts(conn: Connection, story_id: StoryId) -> list[EditionId]:
    """Return a story's alerts that still take readers: one a locale, and what a dead planner may have left."""
    return _still_planning(
        conn, Edition.kind == EditionKind.ALERT, Edition.slot.startswith(alert_slots(story_id), autoescape=True)
    )


def alert_slots(story_id: StoryId) -> str:
    """Return what the slots of all alerts of a story begin with.

    >>> alert_slots(StoryId(12))
    'story 12 from '
    """
    return f"story {story_id} from "


def open_digests(conn: Connection, *, due_at: datetime, locale: str) -> list[EditionId]:
    """Return the editions of one due instant and locale that still take readers."""
    return _still_planning(conn, Edition.kind == EditionKind.DIGEST, Edition.due_at == due_at, Edition.locale == locale)


def make_all_digests_due(conn: Connection) -> int:
    """Make every scheduled subscription due now, as the demo does, and return how many there are."""
    statement = (
        sa.update(Subscription)
        .where(Subscription.cadence != Cadence.IMMEDIATE, Subscription.ended_at.is_(None))
        .where(Subscription.next_due_at.is_not(None), Subscription.topic_id.is_not(None))
        .values(next_due_at=now(conn))
    )
    return conn.execute(statement).rowcount


def _still_planning(conn: Connection, *which: ColumnElement[bool]) -> list[EditionId]:
    query = sa.select(Edition.id).where(Edition.status == EditionStatus.PLANNING, *which)
    return [EditionId(edition_id) for edition_id in conn.execute(query).scalars()]


def _awake(at: datetime) -> ColumnElement[bool]:
    unpaused = sa.or_(Subscriber.paused_until.is_(None), Subscriber.paused_until <= at)
    return sa.and_(Subscriber.status == SubscriberStatus.ACTIVE, Subscriber.email.is_not(None), unpaused)


def _seen(*, story_id: ColumnElement[Any] | sa.orm.InstrumentedAttribute[int], at: datetime) -> ColumnElement[bool]:
    """Return the condition that the enclosing query's reader has a copy that shows the story."""
    # Under names of its own: an enclosing query that reads these tables too must not lend its rows to this one.
    mail, told = sa.orm.aliased(Delivery), sa.orm.aliased(ContentStory)
    return sa.exists().where(
        mail.subscriber_id == Subscriber.id,
        mail.planned_at > at - SEEN_FOR,
        mail.state.not_in(_GIVEN_BACK),
        told.content_id == mail.content_id,
        told.story_id == story_id,
    )


def _followed(at: datetime) -> Any:  # noqa: ANN401  a Select of nine columns, whose type says nothing to its two readers
    return sa.select(
        Subscriber.id.label("subscriber_id"),
        Subscriber.email.label("recipient"),
        Subscriber.locale,
        Subscriber.timezone,
        _awake(at).label("awake"),
        Subscription.id.label("subscription_id"),
        Subscription.topic_id,
        Subscription.cadence,
        Subscription.times,
        Subscription.weekday,
    ).join(Subscription, Subscription.subscriber_id == Subscriber.id)


def _row(row: sa.Row[Any]) -> Followed:
    return Followed(**row._mapping)  # noqa: SLF001  Row's documented view
