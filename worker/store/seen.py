"""What readers have seen: the stories of their deliveries of the last weeks, but of those that never left the house.

`of` answers it for a chunk of readers, `seen` is a condition for other statements. Decides nothing.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection
from sqlalchemy.dialects.postgresql import ARRAY

from worker.lifecycle import State
from worker.model import EVERY_UPDATE, StoryId, SubscriberId
from worker.store import mutes
from worker.store.schema import ContentStory, Delivery, Subscriber

SEEN_FOR: Final = timedelta(days=35)
GIVEN_BACK: Final = (State.EXPIRED, State.CANCELLED)


def seen(*, story_id: ColumnElement[Any] | sa.orm.InstrumentedAttribute[int], at: datetime) -> ColumnElement[bool]:
    """Return the condition that the enclosing query's reader has a copy that shows the story."""
    # Under names of its own: an enclosing query that reads these tables too must not lend its rows to this one.
    mail, told = sa.orm.aliased(Delivery), sa.orm.aliased(ContentStory)
    return sa.exists().where(
        mail.subscriber_id == Subscriber.id,
        mail.planned_at > at - SEEN_FOR,
        mail.state.not_in(GIVEN_BACK),
        told.content_id == mail.content_id,
        told.story_id == story_id,
    )


def of(
    conn: Connection,
    first: SubscriberId,
    last: SubscriberId,
    stories: Collection[StoryId],
    *,
    since: datetime,
    at: datetime,
) -> dict[SubscriberId, dict[StoryId, int]]:
    """Return which of the stories the readers from `first` to `last` have seen since, each at its latest update.

    `since` bounds the work: no copy can show a story that is younger than the copy. What a reader has muted at `at`
    counts as seen at every update.
    """
    if not stories:
        return {}
    query = (
        sa.select(Delivery.subscriber_id, ContentStory.story_id, sa.func.max(ContentStory.update_no))
        .join(ContentStory, ContentStory.content_id == Delivery.content_id)
        .where(Delivery.subscriber_id.between(first, last), Delivery.planned_at > since)
        .where(Delivery.state.not_in(GIVEN_BACK), _is_among(conn, stories))
        .group_by(Delivery.subscriber_id, ContentStory.story_id)
    )
    found: dict[SubscriberId, dict[StoryId, int]] = {}
    for reader, story, update_no in conn.execute(query):
        found.setdefault(SubscriberId(reader), {})[StoryId(story)] = update_no
    if muted := mutes.stories(conn, first, last, at=at):
        asked = set(stories)
        for reader, story in muted:
            if story in asked:
                found.setdefault(reader, {})[story] = EVERY_UPDATE
    return found


def _is_among(conn: Connection, stories: Collection[StoryId]) -> ColumnElement[bool]:
    """Return the condition that a story is one of these, all of which are one parameter: there may be thousands."""
    if conn.dialect.name == "sqlite":
        listed = sa.func.json_each(json.dumps(sorted(stories))).table_valued("value")
        # "+ 0" keeps SQLite from beginning with all contents that show one of the stories: these readers have few.
        return (ContentStory.story_id + 0).in_(sa.select(listed.c.value))
    return ContentStory.story_id == sa.any_(sa.literal(sorted(stories), ARRAY(sa.BigInteger)))
