"""The statements over omissions: stories that a reader follows and will not get, with the reason that a trace tells.

Decides nothing. Called by planning.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.model import EditionId, Lapse, StoryId, SubscriberId
from worker.store.schema import Omission


class Omitted(NamedTuple):
    """Stories that one reader will not get, and why; `edition_id` names the mail that they are missing in."""

    subscriber_id: SubscriberId
    why: Lapse
    stories: Sequence[StoryId]
    edition_id: EditionId | None = None


def note(conn: Connection, omitted: Iterable[Omitted], *, at: datetime) -> None:
    """Write down what readers will not get; who misses nothing has no row."""
    rows = [{**one._asdict(), "stories": list(one.stories), "at": at} for one in omitted if one.stories]
    if rows:
        conn.execute(sa.insert(Omission), rows)


def of(conn: Connection, subscriber_id: SubscriberId) -> list[tuple[datetime, Omitted]]:
    """Return what a reader did not get, in order of time."""
    query = sa.select(Omission.at, Omission.why, Omission.stories, Omission.edition_id)
    rows = conn.execute(query.where(Omission.subscriber_id == subscriber_id).order_by(Omission.at, Omission.id))
    return [
        (at, Omitted(subscriber_id, why, [StoryId(story) for story in stories], EditionId(mail) if mail else None))
        for at, why, stories, mail in rows
    ]
