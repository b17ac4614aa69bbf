"""Makes contents of layouts: each story's card once a run, equal contents once for all time.

What is nobody's own is interned in a transaction of its own on PostgreSQL: else two planners that make the same would
wait for each other's chunk to end. Called by the runs that make digests.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Connection

from worker.content import frozen_digest, hash_of
from worker.model import CardId, ContentId, StoryId, SubscriberId, TopicId
from worker.planning.cards import Library, card
from worker.planning.lay_out import Layout
from worker.planning.news import News
from worker.planning.run_copies import library_of
from worker.store import cards, contents
from worker.store.cards import NewCard
from worker.store.contents import FrozenContent, Shown
from worker.store.database import Database


class Order(NamedTuple):
    """A digest to be made. `owner` is the reader whose own query it quotes."""

    locale: str
    day: date
    layout: Layout
    away: bool = False
    owner: SubscriberId | None = None


class Printed(NamedTuple):
    """A digest as it is kept, and the times of its latest news."""

    content_id: ContentId
    published_at: datetime
    seen_at: datetime
    matched_at: datetime | None


class _Card(NamedTuple):
    number: CardId
    published_at: datetime
    seen_at: datetime
    matched_at: datetime | None


class _Wanted(NamedTuple):
    locale: str
    story: StoryId
    topics: tuple[TopicId, ...]
    owner: SubscriberId | None


class Press:
    """Makes the contents of one run."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._cards: dict[_Wanted, _Card | None] = {}
        self._names: dict[tuple[TopicId, str], tuple[str, str | None]] = {}

    def forget(self) -> None:
        """Read everything anew: an editor has changed it."""
        self._cards.clear()
        self._names.clear()

    def print(
        self, conn: Connection, orders: Sequence[Order], news: News, *, own: frozenset[TopicId]
    ) -> list[Printed | None]:
        """Make the contents of layouts; None for one of whose stories there is nothing left to tell."""
        wanted = [_wanted(order, own) for order in orders]
        self._make_cards(conn, [one for some in wanted for one in some], news)
        made = [self._assemble(order, some, news) for order, some in zip(orders, wanted, strict=True)]
        hashes = [hash_of(one.body) if one else "" for one in made]
        numbers: dict[str, ContentId] = {}
        for is_personal in (False, True):
            new = {
                key: one
                for key, one, order in zip(hashes, made, orders, strict=True)
                if one and (order.owner is not None) is is_personal
            }
            with self._apart(conn, is_personal=is_personal) as where:
                numbers |= contents.intern(where, new) if new else {}
        return [self._printed(numbers[key], some) if key else None for key, some in zip(hashes, wanted, strict=True)]

    def _make_cards(self, conn: Connection, wanted: Sequence[_Wanted], news: News) -> None:
        missing = [one for one in dict.fromkeys(wanted) if one not in self._cards]
        if not missing:
            return
        library = library_of(conn, {one.story for one in missing}, {topic for one in missing for topic in one.topics})
        locales = {one.locale for one in missing}
        for (_, topic), found in library.concerns.items():
            first = found[0]
            for locale in locales:
                name = first.names.get(locale) or first.names.get("en") or first.query
                self._names[topic, locale] = name, first.slug
        made: dict[_Wanted, NewCard] = {}
        for one in missing:
            told = card(library, one.story, one.topics, locale=one.locale)
            self._cards[one] = None
            if told is not None:
                update_no = news.stories[one.story].update_no
                made[one] = NewCard(card=told, locale=one.locale, update_no=update_no, personal_to=one.owner)
        for is_personal in (False, True):
            some = {one: new for one, new in made.items() if (one.owner is not None) is is_personal}
            with self._apart(conn, is_personal=is_personal) as where:
                numbers = cards.intern(where, list(some.values())) if some else {}
            for one, new in some.items():
                self._cards[one] = _known(library, one, numbers[new.key, new.personal_to])

    def _assemble(self, order: Order, wanted: Sequence[_Wanted], news: News) -> FrozenContent | None:
        made = {one.story: self._cards[one] for one in wanted}
        sections = []
        shown: list[Shown] = []
        for topic, stories in order.layout.sections:
            told = [(story, found) for story in stories if (found := made[story])]
            if told:
                left_out = [story for story, home in order.layout.left_out.items() if home == topic]
                sections.append((*self._names[topic, order.locale], [found.number for _, found in told], left_out))
                shown += [Shown(story, found.number, news.stories[story].update_no) for story, found in told]
        if not sections:
            return None
        body = frozen_digest(
            locale=order.locale, personal_to=order.owner, day=order.day, sections=sections, away=order.away
        )
        return FrozenContent(body, tuple(shown))

    def _printed(self, number: ContentId, wanted: Sequence[_Wanted]) -> Printed:
        told = [found for one in wanted if (found := self._cards[one])]
        newest = max(told, key=lambda one: one.seen_at)
        matched = max((one.matched_at for one in told if one.matched_at), default=None)
        return Printed(number, newest.published_at, newest.seen_at, matched)

    @contextlib.contextmanager
    def _apart(self, conn: Connection, *, is_personal: bool) -> Iterator[Connection]:
        if is_personal or self._database.is_sqlite:
            yield conn
        else:
            with self._database.write() as own:
                yield own


def _wanted(order: Order, own: frozenset[TopicId]) -> list[_Wanted]:
    """Return the cards of an order; one that quotes an own query is its reader's alone."""
    topics_of, owner = order.layout.topics_of, order.owner
    return [
        _Wanted(
            order.locale, story, topics_of[story], None if owner is None or own.isdisjoint(topics_of[story]) else owner
        )
        for story in order.layout.stories
    ]


def _known(library: Library, one: _Wanted, number: CardId) -> _Card:
    first = library.tellings[one.story][0]
    matched = [found[0].matched_at for topic in one.topics if (found := library.concerns.get((one.story, topic)))]
    return _Card(number, first.published_at, first.seen_at, max(matched, default=None))
