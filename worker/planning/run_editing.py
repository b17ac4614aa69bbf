"""What editors do to a story that is out already: break it, or say that it is new again.

One transaction each; planning finds what has become due. Called by the command line and the API.
"""

from __future__ import annotations

from dataclasses import dataclass

from worker.errors import InputError
from worker.model import ArticleId, Severity, StoryId
from worker.planning.rules import Policy
from worker.store import editing, house
from worker.store.database import Database

NOTE_CHARS = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Broken:
    """What breaking an article's story has led to. `readers` follow one of its topics immediately."""

    article_id: ArticleId
    story_id: StoryId
    changed: bool
    readers: int

    @property
    def says(self) -> str:
        """The answer in a line."""
        head = "is breaking news" if self.changed else "was breaking news before"
        return f"article {self.article_id} {head}: it goes at once to whoever of {self.readers} readers has not had it"

    def told(self) -> dict[str, object]:
        """Return the answer for programs."""
        return {
            "article": self.article_id,
            "story": self.story_id,
            "changed": self.changed,
            "readers": self.readers,
            "says": self.says,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Updated:
    """That a story is new again: its `update`, counted from 1."""

    article_id: ArticleId
    story_id: StoryId
    update: int

    @property
    def says(self) -> str:
        """The answer in a line."""
        return f"the story of article {self.article_id} is new again to everybody: update {self.update}"

    def told(self) -> dict[str, object]:
        """Return the answer for programs."""
        return {"article": self.article_id, "story": self.story_id, "update": self.update, "says": self.says}


def break_news(database: Database, article_id: ArticleId, *, actor: str, reason: str = "") -> Broken | None:
    """Make an article breaking: no gathering, no quiet hours, no budget. None: there is none, or it was stopped."""
    with database.write() as conn:
        story_id = editing.story_of(conn, article_id)
        if story_id is None:
            return None
        changed = editing.set_severity(conn, article_id, Severity.BREAKING)
        editing.make_due(conn, story_id)
        if changed:
            detail = {"article": article_id, "reason": reason[:NOTE_CHARS]}
            house.note(conn, actor=actor, action="story break", subject=f"story {story_id}", **detail)
        readers = editing.followers(conn, story_id)
    return Broken(article_id=article_id, story_id=story_id, changed=changed, readers=readers)


def update_materially(
    database: Database, policy: Policy, article_id: ArticleId, *, note: str, actor: str
) -> Updated | None:
    """Mark a material update: whoever was shown the story may be shown it once more, with the note.

    None: there is no such article, or it was stopped. Raises `InputError` for a note that says nothing.
    """
    told = " ".join(note.split())
    if not told or len(told) > NOTE_CHARS:
        raise InputError(f"a note of 1 to {NOTE_CHARS} characters says what is new", where="note")
    with database.write() as conn:
        story_id = editing.story_of(conn, article_id)
        if story_id is None:
            return None
        update = editing.update_materially(conn, story_id, told, gather=policy.gather)
        detail = {"article": article_id, "update": update, "note": told}
        house.note(conn, actor=actor, action="story update", subject=f"story {story_id}", **detail)
    return Updated(article_id=article_id, story_id=story_id, update=update)


def boost(database: Database, article_id: ArticleId, by: int, *, actor: str) -> bool:
    """Lift a story's rank in digests and newsletters, or lower it; False when it stood so before, or is gone."""
    with database.write() as conn:
        story_id = editing.story_of(conn, article_id)
        if story_id is None or not editing.set_boost(conn, story_id, by):
            return False
        house.note(conn, actor=actor, action="story boost", subject=f"story {story_id}", boost=by)
    return True
