"""What the planning of alerts and of digests share: reading stories for a chunk of readers, and writing their copies.

Runs inside the caller's transaction. Called by `run_alerts` and `run_digests`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from worker.content import AlertContent, DigestContent
from worker.facts import Copy, Followed
from worker.model import EditionId, StoryId, SubscriberId, TopicId
from worker.planning.cards import Library
from worker.planning.rules import Policy
from worker.store import canaries, editions
from worker.store.tellings import concerns, tellings

CHUNK_READERS = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """New rows in an edition."""

    edition_id: EditionId
    rows: int


def library_of(conn: Connection, stories: Iterable[StoryId], topics: Iterable[TopicId]) -> Library:
    """Read all that is known of the stories for followers of the topics."""
    wanted, followed = list(stories), list(topics)
    return Library.of(tellings(conn, wanted), concerns(conn, wanted, followed))


def by_reader(followed: Iterable[Followed]) -> dict[SubscriberId, list[Followed]]:
    """Group subscriptions by reader, in the order given."""
    readers: dict[SubscriberId, list[Followed]] = {}
    for one in followed:
        readers.setdefault(one.subscriber_id, []).append(one)
    return readers


def write_copy(
    conn: Connection, library: Library, content: AlertContent | DigestContent, subscriptions: Sequence[Followed]
) -> Copy:
    """Intern the content and return the copy of the reader whose subscriptions it serves."""
    reader = subscriptions[0]
    if reader.recipient is None:  # pragma: no cover  only readers with an address are awake
        raise ValueError("a reader without an address cannot get a copy")
    shown = [StoryId(story) for story in content.stories()]
    newest = max((library.tellings[story][0] for story in shown), key=lambda telling: telling.seen_at)
    matched = [found[0].matched_at for (story, _), found in library.concerns.items() if story in shown]
    return Copy(
        subscriber_id=reader.subscriber_id,
        recipient=reader.recipient,
        content_id=editions.intern(conn, content),
        subscriptions=tuple(one.subscription_id for one in subscriptions),
        published_at=newest.published_at,
        seen_at=newest.seen_at,
        matched_at=max(matched, default=None),
    )


def close(conn: Connection, policy: Policy, edition_ids: Iterable[EditionId]) -> None:
    """Fix the audience of editions for which no reader is left; of a large one, a share goes first."""
    for edition_id in edition_ids:
        audience = editions.close_edition(conn, edition_id)
        kind, severity = editions.nature(conn, edition_id)
        if first := policy.first_share.of(audience, kind=kind, severity=severity):
            canaries.set_apart(conn, edition_id, count=first, audience=audience)
