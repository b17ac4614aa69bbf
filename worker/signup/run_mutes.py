"""Muting by whoever holds a link from the reader's mail: a story for good, a topic for a week. Safe to repeat.

What comes in a mute is passed over, not put off. Called by the page behind "not this" in mails; `run_preferences` goes
by its terms.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from worker.errors import InputError
from worker.model import StoryId, SubscriberId, SubscriberStatus, SubscriptionId
from worker.signup.decide import standing
from worker.store import mutes, people
from worker.store.database import Database, now
from worker.store.people import Following, Reader

MUTE_TOPIC_FOR: Final = timedelta(days=7)
MUTE_STORY_FOR: Final = timedelta(days=35)
"""As long as planning remembers what readers have seen: no news of the story reaches further than its update."""

_MAY_CHANGE: Final = frozenset({SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED})


@dataclass(frozen=True, kw_only=True, slots=True)
class Concerned:
    """A story as its reader may mute it: its title, and what they follow that it concerns, oldest first."""

    title: str
    followings: tuple[Following, ...]


def concerned(conn: Connection, subscriber_id: SubscriberId, story_id: StoryId) -> Concerned | None:
    """Look a story up for a reader; None when there is none that anything tells."""
    title = mutes.title(conn, story_id)
    if not title:
        return None
    topics = mutes.topics_of(conn, story_id)
    followings = tuple(one for one in people.followings(conn, subscriber_id) if one.topic_id in topics)
    return Concerned(title=title, followings=followings)


def mute_story(database: Database, subscriber_id: SubscriberId, story_id: StoryId) -> datetime:
    """Let a reader hear no more of a story, and return until when. Raises `InputError` for who gets no mail."""
    with database.write() as conn:
        may_change(conn, subscriber_id)
        if not mutes.title(conn, story_id):
            raise InputError("nothing tells this story any more", where="story")
        until = now(conn) + MUTE_STORY_FOR
        mutes.mute_story(conn, subscriber_id, story_id, until=until)
        return until


def mute_topic(database: Database, subscriber_id: SubscriberId, subscription_id: SubscriptionId) -> datetime:
    """Mute what one of the reader's subscriptions follows, and return until when. Raises `InputError`."""
    with database.write() as conn:
        may_change(conn, subscriber_id)
        mine = people.followings(conn, subscriber_id)
        if not any(one.id == subscription_id and one.topic_id is not None for one in mine):
            raise InputError("the reader does not follow this", where="topic")
        until = now(conn) + MUTE_TOPIC_FOR
        mutes.mute_topic(conn, subscription_id, until=until)
        return until


def may_change(conn: Connection, subscriber_id: SubscriberId) -> Reader:
    """Return a reader who gets mail, locked until the transaction ends. Raises `InputError` for anybody else."""
    reader = people.locked(conn, subscriber_id)
    stands = standing(reader.status, paused_until=reader.paused_until, now=now(conn)) if reader else None
    if reader is None or stands not in _MAY_CHANGE:
        raise InputError("this reader is not subscribed", hint="sign up again")
    return reader
