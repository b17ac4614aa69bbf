"""Takes an editor's correction: the article's new words, and the note of what was wrong, in one transaction.

From then on nothing faulty goes out; planning's `run_corrections` carries the correction out. Called by the command
line and the API.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from worker.errors import InputError
from worker.intake.run_edits import Edit, apply
from worker.model import ArticleId
from worker.store import articles, corrections, editing, house
from worker.store.articles import StoredArticle
from worker.store.corrections import Correcting
from worker.store.database import Database
from worker.store.turns import alone

NOTE_CHARS = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Correction:
    """What an editor corrects. Nothing changed and not retracted: the article's last change is what corrects it.

    `mails`: whoever was sent the faulty version gets a mail about it.
    """

    note: str
    changed: Edit
    retracts: bool = False
    mails: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Corrected:
    """A correction that stands, and the article's revision that tells it right."""

    correction: Correcting
    revision: int


def correct(database: Database, article_id: ArticleId, asked: Correction, *, actor: str) -> Corrected | None:
    """Correct or retract an article; None when there is none, or it was stopped.

    Raises `InputError` for a note that says nothing, for what no article can be, and where nothing is corrected.
    """
    note = " ".join(asked.note.split())
    if not note or len(note) > NOTE_CHARS:
        raise InputError(f"a note of 1 to {NOTE_CHARS} characters says what was wrong", where="note")
    with database.write() as conn:
        alone(conn)
        stored = articles.by_id(conn, article_id)
        if stored is None or editing.story_of(conn, article_id) is None:
            return None
        faulty_upto = _faulty_upto(conn, stored, asked)
        one = corrections.record(
            conn,
            article_id=article_id,
            story_id=stored.story_id,
            faulty_upto=faulty_upto,
            note=note,
            retracts=asked.retracts,
            mails=asked.mails,
            actor=actor,
        )
        action = "article retract" if asked.retracts else "article correct"
        house.note(conn, actor=actor, action=action, subject=f"article {article_id}", correction=one.id, note=note)
    return Corrected(correction=one, revision=stored.revision if asked.retracts else faulty_upto + 1)


def _faulty_upto(conn: Connection, stored: StoredArticle, asked: Correction) -> int:
    """Change the article, and return its last faulty revision."""
    if asked.retracts:
        return stored.revision
    if apply(conn, stored, asked.changed).stored:
        return stored.revision
    if stored.revision == 1:
        raise InputError(
            f"article {stored.id} stands as it was sent: nothing is corrected",
            hint="hand in its new words, or retract it",
        )
    return stored.revision - 1
