"""The statements over mutes: topics of which a reader hears nothing for a while, stories of which they hear no more.

A mute passes over, it does not put off. Of a muted topic comes nothing that had met it by the mute's end, then or
later; a muted story counts as seen at every update. Most readers mute nothing: the conditions ask for a mute first.
Never decides. Called by signup, planning, the last check and traces.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection

from worker.model import StoryId, SubscriberId, SubscriptionId, TopicId
from worker.store.database import now, upsert
from worker.store.schema import Article, OwedStory, Source, Story, StoryMute, Subscription, TopicStory


@dataclass(frozen=True, kw_only=True, slots=True)
class MutedStory:
    """A story that a reader has muted, with the title of what tells it first; "" when nothing does any more."""

    story_id: StoryId
    title: str
    muted_at: datetime
    muted_until: datetime


# Conditions ----------------------------------------------------------------------------------------------------------


def passed() -> ColumnElement[int]:
    """Return the number up to which a subscription shows nothing any more: its cursor's or, if later, a mute's last.

    For a query over `Subscription`. Bounded by the cursor, so that only what is new is looked at.
    """
    last = (
        sa.select(TopicStory.match_seq)
        .where(TopicStory.topic_id == Subscription.topic_id, TopicStory.match_seq > Subscription.cursor, _is_over())
        .order_by(TopicStory.match_seq.desc())
        .limit(1)
        .correlate(Subscription)
        .scalar_subquery()
    )
    muted = sa.func.coalesce(last, Subscription.cursor)
    return sa.case((Subscription.muted_until.is_(None), Subscription.cursor), else_=muted)


def lets_through() -> ColumnElement[bool]:
    """Return the condition that no mute keeps a pair from a subscription: over `Subscription` and `TopicStory`."""
    return sa.or_(Subscription.muted_until.is_(None), ~_is_over())


def _is_over() -> ColumnElement[bool]:
    """Return the condition that a pair had come by the end of the mute, and no editor has made it new since."""
    renewed = sa.exists().where(Story.id == TopicStory.story_id, Story.updated_at > Subscription.muted_until)
    return sa.and_(TopicStory.matched_at <= Subscription.muted_until, ~renewed.correlate(TopicStory, Subscription))


# What planning asks --------------------------------------------------------------------------------------------------


def stories(
    conn: Connection, first: SubscriberId, last: SubscriberId, *, at: datetime
) -> list[tuple[SubscriberId, StoryId]]:
    """Return the stories that the readers from `first` to `last` have muted."""
    query = sa.select(StoryMute.subscriber_id, StoryMute.story_id).where(
        StoryMute.subscriber_id.between(first, last), StoryMute.muted_until > at
    )
    return [(SubscriberId(reader), StoryId(story)) for reader, story in conn.execute(query)]


def is_owed_in_vain(at: datetime) -> ColumnElement[bool]:
    """Return the condition that a reader has muted what they are owed: over `OwedStory`.

    A story that also concerns a topic which they have not muted is owed still.
    """
    follows = (
        Subscription.subscriber_id == OwedStory.subscriber_id,
        Subscription.ended_at.is_(None),
        TopicStory.topic_id == Subscription.topic_id,
        TopicStory.story_id == OwedStory.story_id,
    )
    by_itself = sa.exists().where(
        StoryMute.subscriber_id == OwedStory.subscriber_id,
        StoryMute.story_id == OwedStory.story_id,
        StoryMute.muted_until > at,
    )
    by_topic = sa.and_(sa.exists().where(*follows, ~lets_through()), ~sa.exists().where(*follows, lets_through()))
    return sa.or_(by_itself, by_topic)


# What readers do and see ---------------------------------------------------------------------------------------------


def mute_topic(conn: Connection, subscription_id: SubscriptionId, *, until: datetime | None) -> None:
    """Mute what a subscription follows, or end its mute."""
    one = sa.update(Subscription).where(Subscription.id == subscription_id, Subscription.topic_id.is_not(None))
    conn.execute(one.values(muted_until=until))


def mute_story(conn: Connection, subscriber_id: SubscriberId, story_id: StoryId, *, until: datetime) -> None:
    """Mute a story; one that is muted already, until then."""
    row = {"subscriber_id": subscriber_id, "story_id": story_id, "muted_until": until, "muted_at": now(conn)}
    upsert(conn, StoryMute, row, key=("subscriber_id", "story_id"))


def hear_again(conn: Connection, subscriber_id: SubscriberId, stories: Collection[StoryId]) -> None:
    """End the mutes of some stories."""
    mine = (StoryMute.subscriber_id == subscriber_id, StoryMute.story_id.in_(list(stories)))
    conn.execute(sa.delete(StoryMute).where(*mine))


def of_reader(conn: Connection, subscriber_id: SubscriberId, *, at: datetime) -> list[MutedStory]:
    """Return the stories that a reader has muted, the latest mute first."""
    query = (
        sa.select(StoryMute.story_id, title_of(StoryMute.story_id), StoryMute.muted_at, StoryMute.muted_until)
        .where(StoryMute.subscriber_id == subscriber_id, StoryMute.muted_until > at)
        .order_by(StoryMute.muted_at.desc(), StoryMute.story_id.desc())
    )
    return [
        MutedStory(story_id=StoryId(story), title=title or "", muted_at=muted_at, muted_until=until)
        for story, title, muted_at, until in conn.execute(query)
    ]


def title(conn: Connection, story_id: StoryId) -> str:
    """Return a story's title, "" when nothing tells it (any more)."""
    query = sa.select(title_of(Story.id)).where(Story.id == story_id, Story.killed_at.is_(None))
    return conn.execute(query).scalar() or ""


def topics_of(conn: Connection, story_id: StoryId) -> set[TopicId]:
    """Return the topics that a story concerns, readers' own queries among them."""
    query = sa.select(TopicStory.topic_id).where(TopicStory.story_id == story_id)
    return {TopicId(topic) for topic in conn.execute(query).scalars()}


def title_of(story_id: Any) -> Any:  # noqa: ANN401  columns, whose types say nothing here
    """Return the column with the title of what tells a story first, as mails do: the house's own before others."""
    return (
        sa.select(Article.title)
        .join(Source, Source.id == Article.source_id)
        .where(Article.story_id == story_id, Article.killed_at.is_(None))
        .order_by(Source.house.desc(), Article.copy_of_id.is_not(None), Article.id)
        .limit(1)
        .scalar_subquery()
    )


def is_anybody_muting(at: Any) -> ColumnElement[bool]:  # noqa: ANN401  a time, or a parameter
    """Return the condition, asked once a statement, that any reader mutes a topic."""
    return _is_any_later(Subscription.muted_until, at)


def is_any_story_muted(at: Any) -> ColumnElement[bool]:  # noqa: ANN401  a time, or a parameter
    """Return the condition, asked once a statement, that any reader mutes a story."""
    return _is_any_later(StoryMute.muted_until, at)


def _is_any_later(column: sa.orm.InstrumentedAttribute[Any], at: Any) -> ColumnElement[bool]:  # noqa: ANN401  as above
    # By the newest of its index. PostgreSQL, which plans before it knows the time, expects a third of all rows to be
    # later than it, whatever they hold: it would rather read a whole table until the first such row, and there is none.
    newest = sa.select(column.label("until")).where(column.is_not(None)).order_by(column.desc())
    last = newest.limit(sa.literal_column("1")).subquery()
    return sa.exists(sa.select(last.c.until).where(last.c.until > at))
