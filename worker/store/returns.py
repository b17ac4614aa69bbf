"""The statements over copies that never reached their reader because of us: their stories are given back, once.

Never decides. Called by planning, in the readers' turn.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.lifecycle import Happening, State
from worker.model import DeliveryId, EditionKind, Owing, StoryId, SubscriberId
from worker.store.quick import any_of
from worker.store.schema import UNRETURNED, Attempt, ContentStory, Delivery, Edition, OwedStory, Story
from worker.store.seen import GIVEN_BACK, SEEN_FOR

_TELLING = (EditionKind.ALERT, EditionKind.DIGEST, EditionKind.NEWSLETTER, EditionKind.ROLLING)
_WHY = {State.EXPIRED: Owing.EXPIRED, State.CANCELLED: Owing.CANCELLED, State.REFUSED: Owing.REFUSED}


class GivenBack(NamedTuple):
    """A story that a copy was to show."""

    subscriber_id: SubscriberId
    story_id: StoryId
    why: Owing


def unreturned(conn: Connection, *, limit: int) -> list[tuple[DeliveryId, SubscriberId]]:
    """Return copies that have ended without their reader, whose stories were not given back yet."""
    query = (
        sa.select(Delivery.id, Delivery.subscriber_id)
        .where(any_of(Delivery.state, UNRETURNED), Delivery.returned_at.is_(None))  # as its index says it
        .order_by(Delivery.id)
        .limit(limit)
    )
    return [(DeliveryId(row[0]), SubscriberId(row[1])) for row in conn.execute(query)]


def give_back(conn: Connection, copies: Collection[DeliveryId], *, at: datetime) -> list[GivenBack]:
    """Mark copies as given back, and return what their readers have not been shown by another.

    A refusal is for the recipient's own sake, and owes nothing, unless a person says that we were to blame: their word
    on a message in doubt.
    """
    claimed = conn.execute(
        sa.update(Delivery)
        .where(Delivery.id.in_(list(copies)), Delivery.state.in_(list(_WHY)), Delivery.returned_at.is_(None))
        .values(returned_at=at)
        .returning(Delivery.id)
    )
    mine = [row[0] for row in claimed]
    by_hand = sa.exists().where(
        Attempt.delivery_id == Delivery.id, Attempt.provider == "", Attempt.outcome == Happening.REFUSED
    )
    other, told = sa.orm.aliased(Delivery), sa.orm.aliased(ContentStory)
    seen = sa.exists().where(
        other.subscriber_id == Delivery.subscriber_id,
        other.planned_at > at - SEEN_FOR,
        other.state.not_in(GIVEN_BACK),
        other.id != Delivery.id,
        told.content_id == other.content_id,
        told.story_id == ContentStory.story_id,
        told.update_no >= ContentStory.update_no,
    )
    query = (
        sa.select(Delivery.subscriber_id, ContentStory.story_id, Delivery.state)
        .join(Edition, Edition.id == Delivery.edition_id)
        .join(ContentStory, ContentStory.content_id == Delivery.content_id)
        .join(Story, Story.id == ContentStory.story_id)
        .where(Delivery.id.in_(mine), Edition.kind.in_(_TELLING), Delivery.planned_at > at - SEEN_FOR)
        .where(sa.or_(Delivery.state != State.REFUSED, by_hand), Story.killed_at.is_(None), ~seen)
        .order_by(Delivery.subscriber_id, ContentStory.story_id)
    )
    if not mine:
        return []
    return [
        GivenBack(SubscriberId(reader), StoryId(story), _WHY[state]) for reader, story, state in conn.execute(query)
    ]


def settled_otherwise(conn: Connection, first: SubscriberId, last: SubscriberId) -> list[tuple[SubscriberId, StoryId]]:
    """Return what readers are owed, but were shown by a copy since, and what no editor wants to be told any more."""
    shown = sa.exists().where(
        Delivery.subscriber_id == OwedStory.subscriber_id,
        Delivery.planned_at > OwedStory.owed_at,
        Delivery.state.not_in(GIVEN_BACK),
        ContentStory.content_id == Delivery.content_id,
        ContentStory.story_id == OwedStory.story_id,
    )
    killed = sa.exists().where(Story.id == OwedStory.story_id, Story.killed_at.is_not(None))
    query = sa.select(OwedStory.subscriber_id, OwedStory.story_id).where(
        OwedStory.subscriber_id.between(first, last), sa.or_(shown, killed)
    )
    return [(SubscriberId(reader), StoryId(story)) for reader, story in conn.execute(query)]
