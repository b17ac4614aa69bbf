"""What a reader has seen: the stories of their deliveries of the last weeks, but of those that never left the house.

A condition for other statements; decides nothing.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from worker.lifecycle import State
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
