"""The statements over stories: what the latest articles say, in the order in which they were placed, and who moves.

Never judges what belongs together: matching does. A turn is a number of a counter whose row stays locked until the
transaction ends, so whoever has it sees all that was placed before, and nobody places anything meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.model import ArticleId, StoryId
from worker.store.database import upsert
from worker.store.house import draw
from worker.store.schema import Article, Match, Story, StoryReading, TopicStory

_READING_SEQ: Final = "story_reading_seq"


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredReading:
    """One row of the log. `terms` are separated by spaces; `marks` has a letter for each."""

    article_id: ArticleId
    seq: int
    story_id: StoryId
    published_at: datetime
    begins_at: datetime
    language: str
    terms: str
    marks: str


_COLUMNS: Final = tuple(getattr(StoryReading, name) for name in StoredReading.__slots__)


def take_turn(conn: Connection) -> int:
    """Wait until nobody else places an article, and return the number of the reading to come.

    To be asked before any article's row is locked: whoever moves a story's articles locks theirs after it.
    """
    return draw(conn, _READING_SEQ)[0]


def readings_after(conn: Connection, seq: int, *, since: datetime) -> Iterator[StoredReading]:
    """Go through what was placed after `seq` and published since, in the order of placing."""
    query = sa.select(*_COLUMNS).where(StoryReading.seq > seq, StoryReading.published_at >= since)
    for row in conn.execute(query.order_by(StoryReading.seq)):
        yield StoredReading(**row._mapping)  # noqa: SLF001  Row's documented view


def keep_reading(conn: Connection, reading: StoredReading) -> None:
    """Add an article to the log, in place of its earlier version."""
    upsert(conn, StoryReading, asdict(reading), key=("article_id",))


def forget_readings(conn: Connection, *, before: datetime) -> None:
    """Forget what was published before `before`: no article to come can be near it."""
    conn.execute(sa.delete(StoryReading).where(StoryReading.published_at < before))


def story_of(conn: Connection, article_id: ArticleId) -> StoryId:
    """Return the story that an article is in at this moment."""
    return StoryId(conn.execute(sa.select(Article.story_id).where(Article.id == article_id)).scalar_one())


def exists(conn: Connection, story_id: StoryId) -> bool:
    """Tell whether a story is still there: somebody may have deleted it since it was learnt of."""
    return conn.execute(sa.select(Story.id).where(Story.id == story_id)).first() is not None


def original_story(conn: Connection, article_id: ArticleId) -> StoryId | None:
    """Return the story that a copy's original is in at this moment, None for what is no copy."""
    copy = sa.select(Article.copy_of_id).where(Article.id == article_id).scalar_subquery()
    found = conn.execute(sa.select(Article.story_id).where(Article.id == copy)).scalar()
    return None if found is None else StoryId(found)


def begins_at(conn: Connection, story_id: StoryId) -> datetime | None:
    """Return when a story begins of which an article has been placed lately."""
    return conn.execute(
        sa.select(sa.func.min(StoryReading.begins_at)).where(StoryReading.story_id == story_id)
    ).scalar()


def is_settled(conn: Connection, story_id: StoryId) -> bool:
    """Tell whether anything has been made of a story: an article placed in it, a topic matched. Then it stays.

    Readers know a story by its number: one that may have been shown must never turn into another.
    """
    made = sa.or_(
        sa.exists().where(StoryReading.story_id == story_id),
        sa.exists().where(TopicStory.story_id == story_id),
        sa.exists().where(Match.story_id == story_id),
    )
    return bool(conn.execute(sa.select(made)).scalar())


def move(conn: Connection, *, source: StoryId, target: StoryId) -> None:
    """Put all articles of an unsettled story, an original and its copies, into another. The empty one stays behind.

    It is not deleted: intake may be storing a copy in it at this moment, which then follows its original when matched.
    """
    conn.execute(sa.update(Article).where(Article.story_id == source).values(story_id=target))
