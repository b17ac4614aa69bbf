"""The statements over owed stories: what comes to a reader later than by its own mail, and is settled when it came.

Decides nothing. An owed story counts as not seen, whatever showed it before. Called by planning, in its readers' turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.model import Lapse, Owing, StoryId, SubscriberId
from worker.store import mutes, omissions
from worker.store.database import insert_for
from worker.store.omissions import Omitted
from worker.store.schema import ContentStory, Delivery, OwedStory
from worker.store.seen import GIVEN_BACK


class Owed(NamedTuple):
    """One story that a reader is owed: by a mail of its own from `due_at` on, if no digest takes it along before."""

    subscriber_id: SubscriberId
    story_id: StoryId
    why: Owing
    due_at: datetime


def put(conn: Connection, owed: Iterable[Owed], *, at: datetime) -> None:
    """Note what readers are owed. Who is owed a story already stays owed it as before."""
    rows = [{**one._asdict(), "owed_at": at} for one in owed]
    if rows:
        pair = ["subscriber_id", "story_id"]
        conn.execute(insert_for(conn, OwedStory).on_conflict_do_nothing(index_elements=pair), rows)


def of(conn: Connection, first: SubscriberId, last: SubscriberId) -> dict[SubscriberId, dict[StoryId, Owing]]:
    """Return what the readers from `first` to `last` are owed, and why, in order of the stories' numbers.

    What another copy has shown since it was owed is not among it.
    """
    shown = sa.exists().where(
        Delivery.subscriber_id == OwedStory.subscriber_id,
        Delivery.planned_at > OwedStory.owed_at,
        Delivery.state.not_in(GIVEN_BACK),
        ContentStory.content_id == Delivery.content_id,
        ContentStory.story_id == OwedStory.story_id,
    )
    query = (
        sa.select(OwedStory.subscriber_id, OwedStory.story_id, OwedStory.why)
        .where(OwedStory.subscriber_id.between(first, last), ~shown)
        .order_by(OwedStory.subscriber_id, OwedStory.story_id)
    )
    found: dict[SubscriberId, dict[StoryId, Owing]] = {}
    for reader, story, why in conn.execute(query):
        found.setdefault(SubscriberId(reader), {})[StoryId(story)] = why
    return found


def settle(conn: Connection, owed: Iterable[tuple[SubscriberId, StoryId]]) -> None:
    """Take what has come, or never will, off the list."""
    pairs = [{"reader": reader, "story": story} for reader, story in owed]
    if pairs:
        which = (OwedStory.subscriber_id == sa.bindparam("reader"), OwedStory.story_id == sa.bindparam("story"))
        conn.execute(sa.delete(OwedStory).where(*which), pairs)


def postpone(conn: Connection, subscriber_id: SubscriberId, stories: Sequence[StoryId], *, due_at: datetime) -> None:
    """Give stories that a reader is owed a later instant: a digest ahead takes them along."""
    which = (OwedStory.subscriber_id == subscriber_id, OwedStory.story_id.in_(stories))
    conn.execute(sa.update(OwedStory).where(*which).values(due_at=due_at))


def due_of(
    conn: Connection, readers: Sequence[SubscriberId], *, at: datetime
) -> dict[SubscriberId, dict[StoryId, Owing]]:
    """Return what is due of what readers are owed, and why."""
    query = (
        sa.select(OwedStory.subscriber_id, OwedStory.story_id, OwedStory.why)
        .where(OwedStory.subscriber_id.in_(readers), OwedStory.due_at <= at)
        .order_by(OwedStory.subscriber_id, OwedStory.story_id)
    )
    found: dict[SubscriberId, dict[StoryId, Owing]] = {}
    for reader, story, why in conn.execute(query):
        found.setdefault(SubscriberId(reader), {})[StoryId(story)] = why
    return found


def due_readers(conn: Connection, *, at: datetime, after: SubscriberId, limit: int) -> list[SubscriberId]:
    """Return readers who are owed something that is due, in order of their numbers."""
    query = (
        sa.select(OwedStory.subscriber_id)
        .where(OwedStory.due_at <= at, OwedStory.subscriber_id > after)
        .group_by(OwedStory.subscriber_id)
        .order_by(OwedStory.subscriber_id)
        .limit(limit)
    )
    return [SubscriberId(reader) for reader in conn.execute(query).scalars()]


def let_go_of_muted(
    conn: Connection, first: SubscriberId, last: SubscriberId, *, at: datetime
) -> set[tuple[SubscriberId, StoryId]]:
    """Take off the list what readers have muted, note it as passed over, and return it."""
    query = sa.select(OwedStory.subscriber_id, OwedStory.story_id).where(
        OwedStory.subscriber_id.between(first, last), mutes.is_owed_in_vain(at)
    )
    found = {(SubscriberId(reader), StoryId(story)) for reader, story in conn.execute(query)}
    settle(conn, found)
    by_reader: dict[SubscriberId, list[StoryId]] = {}
    for reader, story in sorted(found):
        by_reader.setdefault(reader, []).append(story)
    omissions.note(conn, [Omitted(reader, Lapse.MUTED, some) for reader, some in by_reader.items()], at=at)
    return found
