"""A story as a mail shows it, and a section of such cards: what contents are made of.

Decides nothing. Planning makes cards, the store interns them, contents hold them.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from worker.content.hashing import hash_of


class Frozen(BaseModel):
    """A value that never changes, and refuses what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Reason(Frozen):
    """Why a story is in the mail: the topic's name (in the reader's language) and the words that made it match."""

    topic: str
    slug: str | None = None  # None for a reader's own query
    words: tuple[str, ...] = ()  # as they stand in the article, unique, in order of appearance


class UpdateNote(Frozen):
    """What an editor says is new in a story that readers may have been shown before."""

    note: str
    at: datetime


class Image(Frozen):
    """A story's picture. Width and height are pixels of the original, 0 where nobody has told them."""

    url: str  # as its newspaper serves it; what shows it decides from where
    alt: str = ""  # what it shows, in words; "" where nobody has told
    credit: str = ""
    width: int = 0
    height: int = 0


class StoryCard(Frozen):
    """One story as a mail shows it. Text is plain; `highlights` are (start, end) code points into `summary`."""

    story_id: int
    article_id: int
    revision: int
    title: str
    summary: str
    url: str
    source: str
    lang: str = ""
    author: str = ""
    section: str = ""
    published_at: datetime
    also_in: tuple[str, ...] = ()  # names of other outlets that carry the same copy
    highlights: tuple[tuple[int, int], ...] = ()
    reasons: tuple[Reason, ...]
    update: UpdateNote | None = None
    image: Image | None = None

    def digest(self) -> str:
        """Return the hash under which equal cards are interned: 64 hex digits. Contents name their cards by it."""
        return hash_of(self.model_dump_json())


class Section(Frozen):
    """A part of a mail for one topic; never empty. `left_out` are stories that it had no room for."""

    topic: str
    slug: str | None = None
    cards: tuple[StoryCard, ...]
    left_out: tuple[int, ...] = ()

    @property
    def more(self) -> int:
        """How many stories the section had no room for."""
        return len(self.left_out)
