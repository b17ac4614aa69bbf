"""Takes a story that an editor stops out of everything unsent: alerts of it end, digests go on without it.

The editor's word is one transaction; copies follow in groups, and a sweep goes on where a process died. Called by the
command line, the API and that sweep.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Connection

from worker.content import without
from worker.model import ArticleId, EditionId, StoryId
from worker.store import contents, editions, house, withdrawals
from worker.store.database import Database

_BATCHES_AT_ONCE = 10
_REASON = "an editor stopped all that it told of"


@dataclass(frozen=True, kw_only=True, slots=True)
class Withdrawn:
    """What stopping an article's story has led to. `sent` copies had left the house before."""

    article_id: ArticleId
    story_id: StoryId
    changed: bool
    cancelled: int
    shortened: int
    sent: int

    @property
    def says(self) -> str:
        """The answer in a line."""
        head = "is stopped" if self.changed else "was stopped before"
        return (
            f"the story of article {self.article_id} {head}: {self.cancelled} unsent mails are cancelled, "
            f"{self.shortened} go out without it, {self.sent} had been sent"
        )

    def told(self) -> dict[str, object]:
        """Return the answer for programs."""
        return {
            "article": self.article_id,
            "story": self.story_id,
            "changed": self.changed,
            "cancelled": self.cancelled,
            "shortened": self.shortened,
            "sent": self.sent,
            "says": self.says,
        }


def withdraw(database: Database, article_id: ArticleId, *, actor: str, reason: str = "") -> Withdrawn | None:
    """Stop the story that an article tells, for good; None where there is no such article. Safe to repeat."""
    with database.write() as conn:
        stopped = withdrawals.stop(conn, article_id)
        if stopped is None:
            return None
        story_id, changed = stopped
        if changed:
            detail = {"article": article_id, "reason": reason[:500]}
            house.note(conn, actor=actor, action="story kill", subject=f"story {story_id}", **detail)
    done = _take_out(database, story_id)
    with database.read() as conn:
        sent = withdrawals.already_sent(conn, story_id)
    return Withdrawn(
        article_id=article_id,
        story_id=story_id,
        changed=changed,
        cancelled=done["cancelled"],
        shortened=done["shortened"],
        sent=sent,
    )


def sweep(database: Database) -> None:
    """Go on with stories that are being stopped: a process died, or a copy came back from the wire that shows one."""
    with database.read() as conn:
        stories = withdrawals.being_stopped(conn)
    for story_id in stories:
        _take_out(database, story_id)


def _take_out(database: Database, story_id: StoryId) -> Counter[str]:
    with database.read() as conn:
        batches = withdrawals.unsent_batches(conn, story_id)
    done: Counter[str] = Counter()
    for start in range(0, len(batches), _BATCHES_AT_ONCE):
        with database.write() as conn:
            for edition_id, batch_no in batches[start : start + _BATCHES_AT_ONCE]:
                done += _from_batch(conn, edition_id, batch_no, story_id)
    with database.write() as conn:
        withdrawals.settle(conn, story_id)
        if done:
            editions.finish_settled(conn)
    return done


def _from_batch(conn: Connection, edition_id: EditionId, batch_no: int, story_id: StoryId) -> Counter[str]:
    done: Counter[str] = Counter()
    for content_id, content in withdrawals.contents_in(conn, edition_id, batch_no, story_id).items():
        left = without(content, {story_id})
        if left is None:
            done["cancelled"] += withdrawals.cancel(conn, edition_id, batch_no, content=content_id, reason=_REASON)
        else:
            new = contents.in_place_of(conn, content_id, left)
            done["shortened"] += withdrawals.replace(conn, edition_id, batch_no, old=content_id, new=new)
    return done
