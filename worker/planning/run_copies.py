"""What all fan-outs share: reading stories for a chunk of readers, and closing editions.

Runs inside the caller's transaction. Called by the runs of alerts, summaries, digests and newsletters.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from worker.content import UpdateNote
from worker.model import EditionId, StoryId, TopicId
from worker.planning.cards import Library
from worker.planning.rules import Policy
from worker.store import canaries, editions
from worker.store.tellings import concerns, tellings, updates

CHUNK_READERS = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """New rows in an edition."""

    edition_id: EditionId
    rows: int


def library_of(conn: Connection, stories: Iterable[StoryId], topics: Iterable[TopicId]) -> Library:
    """Read all that is known of the stories for followers of the topics."""
    wanted, followed = list(stories), list(topics)
    notes = {story: UpdateNote(note=note, at=at) for story, (note, at) in updates(conn, wanted).items()}
    return Library.of(tellings(conn, wanted), concerns(conn, wanted, followed), notes)


def close(conn: Connection, policy: Policy, edition_ids: Iterable[EditionId]) -> None:
    """Fix the audience of editions for which no reader is left; of a large one, a share goes first."""
    for edition_id in edition_ids:
        audience = editions.close_edition(conn, edition_id)
        kind, severity = editions.nature(conn, edition_id)
        if first := policy.first_share.of(audience, kind=kind, severity=severity):
            canaries.set_apart(conn, edition_id, count=first, audience=audience)
