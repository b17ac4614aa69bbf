"""The statements over bursts: topics with more news than alerts are good for, and the pairs that wait for a summary.

Never decides when one opens or ends: planning does. Called by the planning of alerts and of rolling summaries.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.model import Cadence, StoryId, SubscriberId, TopicId
from worker.store.alerting import Follower, following, read_followers
from worker.store.database import insert_for, now
from worker.store.schema import Burst, Subscription, Topic, TopicStory

_LATEST: Final = 64  # of a topic's pairs: more than any sensible count of a burst


class BurstRow(NamedTuple):
    """A topic's burst as stored. The next summary begins after `from_seq`."""

    topic_id: TopicId
    opened_at: datetime
    summary_due_at: datetime
    from_seq: int


class Rolled(NamedTuple):
    """A pair that has waited for a summary."""

    topic_id: TopicId
    seq: int
    story_id: StoryId
    matched_at: datetime


_COLUMNS = tuple(getattr(Burst, name) for name in BurstRow._fields)


def standing(conn: Connection, topics: Collection[TopicId]) -> dict[TopicId, BurstRow]:
    """Return the bursts of those topics that have one."""
    rows = conn.execute(sa.select(*_COLUMNS).where(Burst.topic_id.in_(list(topics))))
    return {TopicId(row.topic_id): BurstRow(*row) for row in rows}


def crowded(conn: Connection, topics: Collection[TopicId], *, since: datetime, least: int) -> set[TopicId]:
    """Return those topics of whose latest pairs at least so many were alerted or put off since."""
    latest = (
        sa.select(TopicStory.alerted_at)
        .where(TopicStory.topic_id == Topic.id)
        .order_by(TopicStory.match_seq.desc())
        .limit(max(least, _LATEST))
        .correlate(Topic)
        .subquery()
    )
    count = sa.select(sa.func.count()).where(latest.c.alerted_at > since).correlate(Topic).scalar_subquery()
    query = sa.select(Topic.id).where(Topic.id.in_(list(topics)), count >= least)
    return {TopicId(topic) for topic in conn.execute(query).scalars()}


def alerted(conn: Connection, topic_id: TopicId, *, least: int) -> list[datetime]:
    """Return when a topic's latest pairs were alerted or put off, the latest pair first."""
    query = (
        sa.select(TopicStory.alerted_at)
        .where(TopicStory.topic_id == topic_id, TopicStory.alerted_at.is_not(None))
        .order_by(TopicStory.match_seq.desc())
        .limit(max(least, _LATEST))
    )
    return [at for at in conn.execute(query).scalars() if at is not None]


def open_burst(
    conn: Connection, topic_id: TopicId, *, opened_at: datetime, summary_due_at: datetime, from_seq: int
) -> None:
    """Open a topic's burst; one that another planner has opened meanwhile stays as it is."""
    values = {"opened_at": opened_at, "summary_due_at": summary_due_at, "from_seq": from_seq}
    conn.execute(
        insert_for(conn, Burst).values(topic_id=topic_id, **values).on_conflict_do_nothing(index_elements=["topic_id"])
    )


def roll(conn: Connection, topic_id: TopicId, story_id: StoryId, *, summary_due_at: datetime, at: datetime) -> None:
    """Put a pair off to its topic's next summary."""
    conn.execute(
        sa.update(TopicStory)
        .where(TopicStory.topic_id == topic_id, TopicStory.story_id == story_id)
        .values(alert_due_at=summary_due_at, alerted_at=at, rolls=True)
    )


def due(conn: Connection, *, at: datetime) -> list[BurstRow]:
    """Return bursts whose summary is due, by topic, locked: what another planner has locked is its own."""
    query = sa.select(*_COLUMNS).where(Burst.summary_due_at <= at).order_by(Burst.topic_id)
    return [BurstRow(*row) for row in conn.execute(query.with_for_update(skip_locked=True))]


def are_due(conn: Connection, *, at: datetime) -> bool:
    """Tell whether any summary is due."""
    return conn.execute(sa.select(Burst.topic_id).where(Burst.summary_due_at <= at).limit(1)).first() is not None


def take_rolled(conn: Connection, topics: Collection[TopicId]) -> list[Rolled]:
    """Take the pairs of some topics that have waited for a summary, by number; nobody else takes them again."""
    waited = (TopicStory.topic_id.in_(list(topics)), TopicStory.rolls.is_(True))
    columns = (TopicStory.topic_id, TopicStory.match_seq, TopicStory.story_id, TopicStory.matched_at)
    rows = conn.execute(sa.select(*columns).where(*waited).order_by(TopicStory.match_seq).with_for_update())
    found = [Rolled(TopicId(topic), seq, StoryId(story), matched_at) for topic, seq, story, matched_at in rows]
    conn.execute(sa.update(TopicStory).where(*waited).values(alert_due_at=None, rolls=False))
    return found


def go_on(conn: Connection, topic_id: TopicId, *, summary_due_at: datetime, from_seq: int) -> None:
    """Set when a burst's next summary is due, and after which number it begins."""
    values = {"summary_due_at": summary_due_at, "from_seq": from_seq}
    conn.execute(sa.update(Burst).where(Burst.topic_id == topic_id).values(**values))


def close(conn: Connection, topic_id: TopicId) -> None:
    """End a topic's burst: from now on its stories are alerted one by one again."""
    conn.execute(sa.delete(Burst).where(Burst.topic_id == topic_id))


def next_readers(
    conn: Connection, latest: Mapping[TopicId, int], *, after: SubscriberId, limit: int
) -> list[SubscriberId]:
    """Return the next readers who follow one of the topics immediately, and did before its latest number, by number."""
    query = (
        sa.select(Subscription.subscriber_id)
        .where(*_immediate(latest), Subscription.subscriber_id > after)
        .group_by(Subscription.subscriber_id)
        .order_by(Subscription.subscriber_id)
        .limit(limit)
    )
    return [SubscriberId(reader) for reader in conn.execute(query).scalars()]


def followers(
    conn: Connection, latest: Mapping[TopicId, int], *, first: SubscriberId, last: SubscriberId
) -> list[Follower]:
    """Return the immediate subscriptions to the topics of the readers from the first to the last, by reader."""
    within = Subscription.subscriber_id.between(first, last)
    return read_followers(conn, following(now(conn)).where(*_immediate(latest), within))


def _immediate(latest: Mapping[TopicId, int]) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        Subscription.topic_id.in_(list(latest)),
        Subscription.cadence == Cadence.IMMEDIATE,
        Subscription.ended_at.is_(None),
        Subscription.cursor < max(latest.values()),
    )
