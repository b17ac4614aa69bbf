"""The statements over cards: each story as mails show it is kept once, and contents name it by its number.

Decides nothing. A card that quotes a reader's own query is theirs alone, however equal it is to another's, so that it
can go with its reader. Called by planning, and by whoever reads a content back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.content import CardKey, StoryCard, card_numbers, hash_of
from worker.model import CardId, SubscriberId
from worker.store import bulk
from worker.store.database import now
from worker.store.schema import StoryCard as StoryCardRow

_COLUMNS: Final = (
    "hash",
    "story_id",
    "article_id",
    "revision",
    "update_no",
    "locale",
    "body",
    "personal_to",
    "created_at",
)


@dataclass(frozen=True, kw_only=True)
class NewCard:
    """A card to be interned. `update_no` is its story's, `personal_to` the reader whose own query it quotes."""

    card: StoryCard
    locale: str
    update_no: int = 0
    personal_to: SubscriberId | None = None

    @cached_property
    def body(self) -> str:
        """The card as JSON."""
        return self.card.model_dump_json()

    @cached_property
    def key(self) -> CardKey:
        """The card's own digest, by which contents are frozen."""
        return hash_of(self.body)


def intern(conn: Connection, cards: Sequence[NewCard]) -> dict[tuple[CardKey, SubscriberId | None], CardId]:
    """Return the number of every card, by its key and whose it is. Safe to repeat: equal cards have one number."""
    by_hash = {_hash(one): one for one in cards}
    at = now(conn)
    rows = [
        (
            key,
            one.card.story_id,
            one.card.article_id,
            one.card.revision,
            one.update_no,
            one.locale,
            one.body,
            one.personal_to,
            at,
        )
        for key, one in by_hash.items()
    ]
    known = bulk.insert_new(conn, StoryCardRow, _COLUMNS, rows)
    known |= bulk.ids_of(conn, StoryCardRow, [key for key in by_hash if key not in known])
    return {(one.key, one.personal_to): CardId(known[key]) for key, one in by_hash.items()}


def named_in(conn: Connection, bodies: Iterable[str]) -> dict[int, str]:
    """Return the cards, as JSON by their number, that frozen contents name; those that stand in contents have none."""
    wanted = {number for body in bodies if body for number in card_numbers(body)}
    if not wanted:
        return {}
    query = sa.select(StoryCardRow.id, StoryCardRow.body).where(StoryCardRow.id.in_(sorted(wanted)))
    return dict(conn.execute(query).all())


def parsed(bodies: Mapping[int, str]) -> dict[int, StoryCard]:
    """Read cards; one that was blanked with its reader is left out."""
    return {number: StoryCard.model_validate_json(body) for number, body in bodies.items() if body}


def _hash(one: NewCard) -> str:
    return one.key if one.personal_to is None else hash_of(f"{one.personal_to} {one.key}")
