"""Items that a feed tells again as before cost nothing; what has become of each item is counted."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from tests.integration.intake.test_taking_in import QUAY, count, watch
from worker.intake.run import Intake, Taken
from worker.intake.run_edits import Edit, edit
from worker.model import ParsedArticle
from worker.store import sources
from worker.store.database import Database
from worker.store.schema import Article, ArticleVersion

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def item(number: int, **values: object) -> ParsedArticle:
    defaults = {
        "guid": f"guid {number}",
        "url": f"https://courier.example/{number}",
        "title": f"Vessel {number} calls at port {number}",
        "published_at": NOON + timedelta(minutes=number),
    }
    return ParsedArticle(**{**defaults, **values})  # type: ignore[arg-type]  # a test's own words


@contextmanager
def statements(database: Database):
    """Collect the statements that are sent, those that open transactions too."""
    sent: list[str] = []

    def note(_conn, _cursor, statement, *_rest) -> None:
        sent.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


@pytest.fixture
def intake(database: Database) -> Intake:
    return Intake(database, age_limit=timedelta(hours=24))


@pytest.fixture
def source(database):
    return row_of(database, watch(database, "https://courier.example/feed.xml", outlet="The Courier"))


def row_of(database, source_id):
    with database.read() as conn:
        row = sources.by_id(conn, source_id)
    assert row is not None
    return row


def test_a_hundred_items_that_are_told_again_cost_one_question(database, intake, source):
    items = [item(number) for number in range(100)]
    taken = intake.take_feed(source, items)
    assert (taken.new, len(taken.articles)) == (100, 100)
    with statements(database) as sent:
        assert intake.take_feed(source, items) == Taken(unchanged=100)
    assert len(sent) <= 3  # it was over 400: a transaction, the clock, the item and its copies for each of them
    assert not [one for one in sent if one.startswith(("INSERT", "UPDATE", "BEGIN IMMEDIATE"))]


def test_an_archive_is_asked_for_in_a_few_questions(database, intake: Intake, source):
    items = [item(number) for number in range(1_200)]
    for one in (items[0], items[700], items[1_199]):
        assert intake.take_feed(source, [one]).new == 1
    with statements(database) as sent:
        document = intake._read(source, items, {})
    assert (len(document.told), len(document.known)) == (1_200, 3)
    assert len(sent) <= 5


def test_each_item_is_counted_once_by_what_became_of_it(database, intake, source):
    first, second, third = item(1), item(2), item(3)
    intake.take_feed(source, [second, first])
    again = [third, replace(second, title="Vessel 2 has left"), first, item(4, title="\0")]
    taken = intake.take_feed(source, again)
    assert (taken.new, taken.updated, taken.unchanged, taken.refused) == (1, 1, 1, 1)
    with database.read() as conn:
        titles = [
            conn.execute(sa.select(Article.title).where(Article.id == one)).scalar_one() for one in taken.articles
        ]
    assert titles == ["Vessel 2 has left", "Vessel 3 calls at port 3"]


@pytest.mark.parametrize(
    "change",
    [{"image": QUAY}, {"updated_at": NOON}, {"published_at": NOON}, {"guid": " guid 1"}, {"source": "Courier, again"}],
)
def test_what_is_told_otherwise_and_changes_nothing_is_judged_once(database, intake, source, change):
    intake.take_feed(source, [item(1)])
    assert intake.take_feed(source, [item(1, **change)]) == Taken(unchanged=1)
    with statements(database) as sent:
        assert intake.take_feed(source, [item(1, **change)]) == Taken(unchanged=1)
    assert len(sent) <= 3
    assert count(database, ArticleVersion) == 1


def test_a_feed_that_tells_nothing_new_does_not_undo_an_editors_words(database, intake, source):
    (number,) = intake.take_feed(source, [item(1)]).articles
    edit(database, number, Edit(title="Vessel 1 calls at port 2"))
    assert intake.take_feed(source, [item(1)]) == Taken(unchanged=1)
    with database.read() as conn:
        assert conn.execute(sa.select(Article.title)).scalar_one() == "Vessel 1 calls at port 2"


def test_the_last_news_of_a_source_is_its_last_new_article(database, intake, source):
    assert source.last_news_at is None
    intake.take_feed(source, [item(1)])
    at = row_of(database, source.id).last_news_at
    with database.read() as conn:
        assert at == conn.execute(sa.select(Article.seen_at)).scalar_one()
    intake.take_feed(source, [item(1, title="Vessel 1 has left")])
    assert row_of(database, source.id).last_news_at == at
