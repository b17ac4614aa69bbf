"""Places stored articles into stories: reads on in the log of what was placed, asks `stories`, stores the answer.

One article at a time in the whole installation, since two articles of one story may come at the same moment: whoever
has the turn sees all that was placed before. An article that is in a story stays in it, whatever its later versions
say; a copy is where its original is; a killed story takes its later articles along into silence. Called by `run`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from worker.matching.analyser import ArticleText
from worker.matching.stories import Told, Window
from worker.matching.stories_reading import Reading, read
from worker.model import ArticleId, StoryId
from worker.sameness import STORY_WINDOW
from worker.store import stories
from worker.store.articles import StoredArticle
from worker.store.database import Database, now
from worker.store.stories import StoredReading

_KEPT_FOR: Final = STORY_WINDOW + timedelta(days=1)  # a day more, so that a late article finds its own time
_CLEANED_EVERY: Final = 500  # articles
_NO_MARK: Final = ord("0")


class Places:
    """One process's view of the stories of the last days; SQL is the truth, this only knows it by heart."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._window = Window[ArticleId, StoryId]()
        self._seq = 0

    def get_ready(self) -> None:
        """Read what was placed before this process began, so that the next article need not wait for it."""
        with self._database.read() as conn:
            self._catch_up(conn)

    def prepare(self, text: ArticleText) -> Reading:
        """Read an article, and what others have placed meanwhile, while no turn is taken and nobody waits."""
        self.get_ready()
        return read(text)

    def take_turn(self, conn: Connection) -> int:
        """Wait for the turn to place; first of all in a transaction."""
        return stories.take_turn(conn)

    def place(self, conn: Connection, article: StoredArticle, reading: Reading, *, turn: int) -> StoryId:
        """Return the story of an article, moved there with its copies if it was in none yet."""
        self._catch_up(conn)
        story_id = stories.story_of(conn, article.id)
        begins_at = stories.begins_at(conn, story_id)
        if begins_at is None and not stories.is_settled(conn, story_id):
            found = self._find(conn, article, reading)
            if found is not None and found[0] != story_id:
                stories.move(conn, source=story_id, target=found[0])
                story_id, begins_at = found
        stories.keep_reading(
            conn,
            StoredReading(
                article_id=article.id,
                seq=turn,
                story_id=story_id,
                published_at=article.published_at,
                begins_at=begins_at or article.published_at,
                language=reading.language,
                terms=" ".join(reading.terms),
                marks=bytes(_NO_MARK + mark for mark in reading.marks).decode("ascii"),
            ),
        )
        if turn % _CLEANED_EVERY == 0:
            stories.forget_readings(conn, before=now(conn) - _KEPT_FOR)
        return story_id

    def _find(
        self, conn: Connection, article: StoredArticle, reading: Reading
    ) -> tuple[StoryId, datetime | None] | None:
        original = stories.original_story(conn, article.id)
        if original is not None:
            return original, stories.begins_at(conn, original)
        told = self._window.closest(reading, at_s=article.published_at.timestamp())
        if told is None or not stories.exists(conn, told.story):
            return None
        begins_at_s = told.begins_at_s
        return told.story, None if begins_at_s is None else datetime.fromtimestamp(begins_at_s, UTC)

    def _catch_up(self, conn: Connection) -> None:
        for row in stories.readings_after(conn, self._seq, since=now(conn) - _KEPT_FOR):
            self._window.add(_told(row))
            self._seq = row.seq


def _told(row: StoredReading) -> Told[ArticleId, StoryId]:
    marks = bytes(letter - _NO_MARK for letter in row.marks.encode("ascii"))
    return Told(
        article=row.article_id,
        story=row.story_id,
        at_s=row.published_at.timestamp(),
        begins_at_s=row.begins_at.timestamp(),
        reading=Reading(language=row.language, terms=tuple(row.terms.split()), marks=marks),
    )
