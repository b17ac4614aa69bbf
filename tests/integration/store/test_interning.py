"""What planning writes in bulk: cards and contents once, rows in batches, what readers have seen, are owed and miss."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from tests.builders import article, deliveries_of, edition, follow, news, reader, topic
from worker.content import AlertContent, DigestContent, Reason, Section, StoryCard, card_numbers, hash_of
from worker.facts import Copy, EditionPlan
from worker.lifecycle import State
from worker.model import EditionId, EditionKind, Lane, Lapse, Owing, StoryId, SubscriberId
from worker.store import bulk, cards, contents, copies, editions, omissions, owed, people, personal, seen
from worker.store.cards import NewCard
from worker.store.database import Database, now
from worker.store.omissions import Omitted
from worker.store.owed import Owed
from worker.store.personal import Whose
from worker.store.schema import ContentStory, Delivery, DeliveryBatch, EditionContent
from worker.store.schema import StoryCard as StoryCardRow


def a_card(conn: Connection, title: str = "Envoy summoned", *, slug: str | None = "diplomacy") -> StoryCard:
    article_id, story = article(conn, title)
    return StoryCard(
        story_id=story,
        article_id=article_id,
        revision=1,
        title=title,
        summary="More soon.",
        url="https://gazette.example/1",
        source="Gazette",
        published_at=now(conn),
        reasons=(Reason(topic="Diplomacy", slug=slug),),
    )


def a_digest(conn: Connection, *shown: StoryCard, personal_to: int | None = None) -> DigestContent:
    section = Section(topic="Diplomacy", slug="diplomacy", cards=shown, left_out=(7, 8))
    return DigestContent(locale="en", day=now(conn).date(), sections=(section,), personal_to=personal_to)


def test_equal_cards_have_one_number_and_contents_name_them(database: Database) -> None:
    with database.write() as conn:
        one, other = a_card(conn), a_card(conn, "Oil falls")
        both, alone = a_digest(conn, one, other), a_digest(conn, one)
        ids = [contents.put(conn, content) for content in (both, alone, both)]
    assert ids[0] == ids[2] != ids[1]
    with database.read() as conn:
        assert len(conn.execute(sa.select(StoryCardRow.id)).all()) == 2
        assert contents.thawed(conn, ids) == {ids[0]: both, ids[1]: alone}
        bodies = dict(conn.execute(sa.select(EditionContent.id, EditionContent.body)).all())
        assert set(card_numbers(bodies[ids[1]])) < set(card_numbers(bodies[ids[0]]))
        hashes = dict(conn.execute(sa.select(EditionContent.id, EditionContent.hash)).all())
        assert hashes == {number: hash_of(body) for number, body in bodies.items()}
        shown = conn.execute(sa.select(ContentStory.story_id).where(ContentStory.content_id == ids[0])).scalars()
        assert set(shown) == {one.story_id, other.story_id}


def test_a_content_tells_at_which_update_it_shows_a_story(database: Database) -> None:
    with database.write() as conn:
        card = a_card(conn)
        number = contents.put(conn, AlertContent(locale="en", card=card), updates={card.story_id: 2})
    with database.read() as conn:
        row = conn.execute(sa.select(ContentStory.__table__)).one()
        assert (row.content_id, row.story_id, row.update_no) == (number, card.story_id, 2)
        assert conn.execute(sa.select(StoryCardRow.update_no, StoryCardRow.id)).one() == (2, row.card_id)


def test_cards_that_quote_an_own_query_are_one_readers_alone_and_go_with_them(database: Database) -> None:
    with database.write() as conn:
        own, shared = a_card(conn, slug=None), a_card(conn, "Oil falls")
        readers = [reader(conn), reader(conn)]
        told = [contents.put(conn, a_digest(conn, own, shared, personal_to=one)) for one in readers]
        assert len(conn.execute(sa.select(StoryCardRow.id)).all()) == 3
        edition_id = _open(conn)
        rows = [
            Copy(subscriber_id=r, recipient="a@b.example", content_id=c, subscriptions=())
            for r, c in zip(readers, told, strict=True)
        ]
        editions.add_rows(conn, edition_id, rows, lane=Lane.BULK, domain="courier.example")
        editions.close_edition(conn, edition_id)
        owed.put(conn, [Owed(readers[0], StoryId(own.story_id), Owing.QUIET, now(conn))], at=now(conn))
        omissions.note(conn, [Omitted(readers[0], Lapse.FLOOR, [StoryId(own.story_id)])], at=now(conn))
        personal.scrub_mails(conn, readers[0])
        personal.scrub_reader(conn, readers[0])
    with database.read() as conn:
        left = {row.personal_to: row.body for row in conn.execute(sa.select(StoryCardRow.__table__))}
        assert left[readers[0]] == ""
        assert left[readers[1]] != "" != left[None]
        assert list(contents.thawed(conn, told)) == [told[1]]
        assert owed.of(conn, readers[0], readers[1]) == {}
        assert omissions.of(conn, readers[0]) == []
        whose = Whose(subscriber_id=readers[1], address_hash="", spellings=frozenset())
        assert personal.told(conn, whose)["deliveries"][0]["stories"] == [own.title, shared.title]


def test_a_copy_comes_with_the_cards_that_its_content_names(database: Database) -> None:
    with database.write() as conn:
        card = a_card(conn)
        number = contents.put(conn, a_digest(conn, card))
        edition_id = _open(conn)
        copy = Copy(subscriber_id=reader(conn), recipient="a@b.example", content_id=number, subscriptions=())
        editions.add_rows(conn, edition_id, [copy], lane=Lane.BULK, domain="courier.example")
        editions.close_edition(conn, edition_id)
        due = copies.one(conn, deliveries_of(conn)[0].id)
    assert due is not None
    assert [StoryCard.model_validate_json(body) for body in due.cards.values()] == [card]


def test_two_who_intern_the_same_at_once_get_the_same(database: Database) -> None:
    with database.write() as conn:
        card = a_card(conn)
        made = [NewCard(card=card, locale="en"), NewCard(card=card, locale="en")]
        assert len({*cards.intern(conn, made).values(), *cards.intern(conn, made[:1]).values()}) == 1
        assert contents.intern(conn, {}) == {}
        assert cards.intern(conn, []) == {}


def test_rows_written_in_bulk_are_as_if_written_one_by_one(database: Database) -> None:
    with database.write() as conn:
        diplomacy = topic(conn, "diplomacy")
        readers = [reader(conn) for _ in range(3)]
        wishes = {one: follow(conn, one, diplomacy) for one in readers}
        number = contents.put(conn, a_digest(conn, a_card(conn)))
        at = now(conn)
        rows = [
            Copy(
                subscriber_id=one,
                recipient=f"Reader.{one}@Readers.Example",
                content_id=number,
                subscriptions=(wishes[one],),
                published_at=at,
                in_reply_to="earlier@courier.example",
                quiet=(at, at + timedelta(hours=8)),
            )
            for one in readers
        ]
        by_one, by_many = _open(conn, "one"), _open(conn, "many")
        editions.add_batch(conn, by_one, rows, lane=Lane.BULK, domain="courier.example")
        assert editions.add_rows(conn, by_many, rows[:2], lane=Lane.BULK, domain="courier.example") == 2
        assert editions.add_rows(conn, by_many, rows, lane=Lane.BULK, domain="courier.example") == 1
        assert editions.add_rows(conn, by_many, rows, lane=Lane.BULK, domain="courier.example") == 0
        assert editions.add_rows(conn, by_many, [], lane=Lane.BULK, domain="courier.example") == 0
        assert [editions.close_edition(conn, one) for one in (by_one, by_many)] == [3, 3]
        for one, many in zip(deliveries_of(conn, by_one), deliveries_of(conn, by_many), strict=True):
            left_out = {"id", "edition_id", "batch_no", "message_id", "planned_at", "next_attempt_at"}
            assert [getattr(one, name) for name in one._fields if name not in left_out] == [
                getattr(many, name) for name in one._fields if name not in left_out
            ]
            assert [follow.id for follow, _ in people.served_by(conn, one.subscriber_id, many.id)] == [
                wishes[one.subscriber_id]
            ]
            assert many.message_id.startswith(f"{by_many}.{one.subscriber_id}.")
        batches = conn.execute(sa.select(DeliveryBatch.__table__).where(DeliveryBatch.edition_id == by_many)).all()
        assert {row.batch_no for row in batches} == {readers[0], readers[2]}
        assert all(row.next_attempt_at is not None for row in batches)


def test_large_editions_go_in_batches_numbered_by_their_first_readers(database: Database, monkeypatch) -> None:
    monkeypatch.setattr(editions, "BATCH_ROWS", 2)
    with database.write() as conn:
        readers = [reader(conn) for _ in range(5)]
        number = contents.put(conn, a_digest(conn, a_card(conn)))
        rows = [
            Copy(subscriber_id=one, recipient="a@b.example", content_id=number, subscriptions=()) for one in readers
        ]
        edition_id = _open(conn)
        editions.add_rows(conn, edition_id, rows, lane=Lane.BULK, domain="courier.example")
        editions.close_edition(conn, edition_id)
        assert [row.batch_no for row in deliveries_of(conn)] == [readers[at] for at in (0, 0, 2, 2, 4)]


def test_a_bulk_insert_refuses_what_is_there_and_fills_defaults(database: Database) -> None:
    with database.write() as conn:
        at = now(conn)
        row = ("a hash", "body", at)
        assert bulk.insert(conn, EditionContent, ("hash", "body", "created_at"), [row]) == 1
        stored = conn.execute(sa.select(EditionContent.__table__)).one()
        assert (stored.hash, stored.template_hash, stored.created_at) == ("a hash", "", at)
    with pytest.raises(IntegrityError, match=r"(?i)unique"), database.write() as conn:
        bulk.insert(conn, EditionContent, ("hash", "body", "created_at"), [row])


def test_readers_have_seen_what_their_copies_show_but_not_what_never_left(database: Database) -> None:
    with database.write() as conn:
        diplomacy = topic(conn, "diplomacy")
        story, other = news(conn, diplomacy), news(conn, diplomacy)
        ada, bo, cy = (reader(conn) for _ in range(3))
        at = now(conn) - timedelta(days=1)
        edition(conn, [ada, bo], story=story)
        edition(conn, [cy], story=other)
        conn.execute(sa.update(Delivery).where(Delivery.subscriber_id == bo).values(state=State.EXPIRED))
        conn.execute(sa.update(ContentStory).where(ContentStory.story_id == story).values(update_no=3))
        assert seen.of(conn, ada, cy, [story, other], since=at, at=now(conn)) == {ada: {story: 3}, cy: {other: 0}}
        assert seen.of(conn, ada, bo, [story], since=at, at=now(conn)) == {ada: {story: 3}}
        assert seen.of(conn, ada, cy, [other], since=now(conn), at=now(conn)) == {}
        assert seen.of(conn, ada, cy, [], since=at, at=at) == {}


def test_what_is_owed_stays_as_it_was_until_it_is_settled(database: Database) -> None:
    with database.write() as conn:
        diplomacy = topic(conn, "diplomacy")
        story, other = news(conn, diplomacy), news(conn, diplomacy)
        ada, bo = reader(conn), reader(conn)
        at = now(conn)
        later = at + timedelta(hours=9)
        owed.put(conn, [Owed(ada, story, Owing.QUIET, at), Owed(ada, other, Owing.BUDGET, later)], at=at)
        owed.put(conn, [Owed(ada, story, Owing.EXPIRED, later), Owed(bo, story, Owing.LATE, later)], at=at)
        assert owed.of(conn, ada, bo) == {ada: {story: Owing.QUIET, other: Owing.BUDGET}, bo: {story: Owing.LATE}}
        assert owed.due_readers(conn, at=at, after=SubscriberId(0), limit=9) == [ada]
        assert owed.due_readers(conn, at=later, after=ada, limit=9) == [bo]
        owed.postpone(conn, ada, [story], due_at=later)
        assert owed.due_readers(conn, at=at, after=SubscriberId(0), limit=9) == []
        owed.settle(conn, [(ada, story), (bo, story)])
        assert owed.of(conn, ada, bo) == {ada: {other: Owing.BUDGET}}


def test_who_misses_nothing_has_no_omission(database: Database) -> None:
    with database.write() as conn:
        ada, at = reader(conn), now(conn)
        omissions.note(conn, [Omitted(ada, Lapse.AWAY, [StoryId(5), StoryId(4)]), Omitted(ada, Lapse.FLOOR, [])], at=at)
        assert omissions.of(conn, ada) == [(at, Omitted(ada, Lapse.AWAY, [StoryId(5), StoryId(4)]))]


def _open(conn: Connection, slot: str = "slot") -> EditionId:
    at = now(conn)
    plan = EditionPlan(
        kind=EditionKind.DIGEST, slot=slot, locale="en", lane=Lane.BULK, due_at=at, expires_at=at + timedelta(hours=1)
    )
    edition_id = editions.open_edition(conn, plan)
    assert edition_id is not None
    return edition_id
