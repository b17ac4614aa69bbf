"""The statements over frozen contents: interned by hash with the stories they show, and read back with their cards.

Decides nothing. Called by planning and by whoever changes what unsent copies say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.content import AnyContent, freeze, hash_of, thaw
from worker.model import CardId, ContentId, EditionId, StoryId, SubscriberId
from worker.store import bulk, cards, editions
from worker.store.cards import NewCard
from worker.store.database import now
from worker.store.schema import ContentStory, Delivery, EditionContent

_CONTENT: Final = ("hash", "body", "created_at")
_SHOWN: Final = ("content_id", "story_id", "card_id", "update_no")


class Shown(NamedTuple):
    """A story that a content shows: by which card, and at which of its material updates."""

    story_id: StoryId
    card_id: CardId | None = None
    update_no: int = 0


class FrozenContent(NamedTuple):
    """A content as it is kept, with the stories that it shows, each once."""

    body: str
    shown: tuple[Shown, ...]


def intern(conn: Connection, contents: Mapping[str, FrozenContent]) -> dict[str, ContentId]:
    """Return the id of every content by its hash (`hash_of` its body): all readers of an equal one share it."""
    at = now(conn)
    rows = [(key, content.body, at) for key, content in contents.items()]
    new = bulk.insert_new(conn, EditionContent, _CONTENT, rows)
    shown = ((number, *one) for key, number in new.items() for one in contents[key].shown)
    bulk.insert(conn, ContentStory, _SHOWN, shown)
    old = bulk.ids_of(conn, EditionContent, [key for key in contents if key not in new])
    return {key: ContentId(number) for key, number in {**new, **old}.items()}


def put(conn: Connection, content: AnyContent, *, updates: Mapping[int, int] | None = None) -> ContentId:
    """Intern a content and its cards, and return the id under which all readers of an equal content share it.

    `updates` tells at which material update each story is shown, by its id; 0 where it says nothing. Every card's story
    and article must be stored.
    """
    known = updates or {}
    owner = SubscriberId(content.personal_to) if content.personal_to is not None else None
    made = [
        NewCard(
            card=card,
            locale=content.locale,
            update_no=known.get(card.story_id, 0),
            personal_to=owner if any(reason.slug is None for reason in card.reasons) else None,
        )
        for card in content.all_cards()
    ]
    numbers = cards.intern(conn, made)
    by_key = {key: number for (key, _), number in numbers.items()}
    shown: dict[int, Shown] = {}
    for one in made:
        story = StoryId(one.card.story_id)
        shown.setdefault(story, Shown(story, numbers[one.key, one.personal_to], one.update_no))
    body = freeze(content, by_key)
    key = hash_of(body)
    return intern(conn, {key: FrozenContent(body, tuple(shown.values()))})[key]


def in_place_of(conn: Connection, old: ContentId, content: AnyContent) -> ContentId:
    """Intern what takes an earlier content's place: stories are shown at the same material updates as there."""
    query = sa.select(ContentStory.story_id, ContentStory.card_id, ContentStory.update_no)
    before = conn.execute(query.where(ContentStory.content_id == old)).all()
    if any(row.card_id is None for row in before):
        return editions.intern(conn, content)  # its cards stand in it, as they did before cards were interned
    return put(conn, content, updates={row.story_id: row.update_no for row in before})


def of_edition(conn: Connection, edition_id: EditionId, *, limit: int) -> list[ContentId]:
    """Return some of the contents that an edition's copies have, the first made before others."""
    found = sa.select(Delivery.content_id).where(Delivery.edition_id == edition_id).distinct().limit(limit)
    return sorted(ContentId(number) for number in conn.execute(found).scalars())


def thawed(conn: Connection, ids: Iterable[ContentId]) -> dict[ContentId, AnyContent]:
    """Read contents back, with their cards in them; one that was blanked with its reader is left out."""
    query = sa.select(EditionContent.id, EditionContent.body).where(EditionContent.id.in_(list(ids)))
    bodies = {ContentId(number): body for number, body in conn.execute(query) if body}
    told = cards.parsed(cards.named_in(conn, bodies.values()))
    return {number: thaw(body, told) for number, body in bodies.items()}
