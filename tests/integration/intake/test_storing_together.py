"""New items of a feed are stored some in a transaction: cheaply, and as if each of them were stored by itself."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.integration.intake.test_known_items import intake, item, source, statements  # noqa: F401  fixtures
from tests.integration.intake.test_taking_in import WIRE, count
from worker.intake.decide import decide
from worker.intake.run import Taken
from worker.store.database import now
from worker.store.schema import Article, ArticleBand, ArticleVersion, Story


def titles_by_story(database) -> list[tuple[int, str]]:
    with database.read() as conn:
        rows = conn.execute(sa.select(Article.story_id, Article.title).order_by(Article.id)).all()
    stories = sorted({row.story_id for row in rows})
    return [(stories.index(row.story_id), row.title) for row in rows]


def wordy(number: int, **values: object):
    words = " ".join(f"Berth {number * 100 + at} took {number}x{at} crates." for at in range(20))
    return item(number, **{"body": words, **values})


def test_a_new_item_costs_its_own_rows_and_a_share_of_a_few_questions(database, intake, source, monkeypatch):  # noqa: F811  fixtures
    monkeypatch.setattr("worker.intake.run._WITHIN_S", 60.0)  # a busy machine makes more transactions of them
    items = [wordy(number) for number in range(100)]
    with statements(database) as sent:
        assert intake.take_feed(source, items).new == 100
    assert len(sent) < 40  # it was 1,010, and then 600: story, article, version and bands of each
    assert count(database, ArticleBand) == 100 * 24


def test_items_are_stored_in_the_order_of_events_and_a_copy_in_the_same_document_is_found(database, intake, source):  # noqa: F811  fixtures
    wire = [item(number, body=WIRE, title=f"Fees, part {number}") for number in (3, 1)]
    taken = intake.take_feed(source, [item(4), wire[0], item(2), wire[1]])
    assert (taken.new, list(taken.articles)) == (4, sorted(taken.articles))
    assert titles_by_story(database) == [
        (0, "Fees, part 1"),
        (1, "Vessel 2 calls at port 2"),
        (0, "Fees, part 3"),
        (2, "Vessel 4 calls at port 4"),
    ]


def test_a_copy_of_what_was_stored_before_is_found_by_address_and_title(database, intake, source):  # noqa: F811  fixtures
    first = item(1, guid="a", url="https://ledger.example/1")
    intake.add(first, kind="push", outlet="Ledger")
    assert intake.take_feed(source, [item(2), replace(first, guid="b")]).new == 2
    assert [story for story, _ in titles_by_story(database)] == [0, 0, 1]


def test_an_item_that_breaks_us_among_others_is_the_only_one_that_is_missing(database, intake, source, monkeypatch):  # noqa: F811  fixtures
    def breaking(incoming, *others, **words):
        if incoming.article.title == "Vessel 7 calls at port 7":
            raise RuntimeError("a defect")
        return decide(incoming, *others, **words)

    for module in ("run_together", "run_taking"):
        monkeypatch.setattr(f"worker.intake.{module}.decide", breaking)
    taken = intake.take_feed(source, [item(number) for number in range(40)])
    assert (taken.new, taken.broken, len(set(taken.articles))) == (39, 1, 39)
    assert {count(database, table) for table in (Article, ArticleVersion, Story)} == {39}


def test_a_document_that_several_workers_take_in_at_once_is_stored_once(database, intake, source):  # noqa: F811  fixtures
    items = [item(number) for number in range(60)]
    orders = [items, items[::-1], items[::2] + items[1::2]]
    found: list[Taken] = []
    threads = [threading.Thread(target=lambda it=it: found.append(intake.take_feed(source, it))) for it in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(found), sum(one.new for one in found), sum(one.broken for one in found)) == (3, 60, 0)
    assert {count(database, table) for table in (Article, ArticleVersion, Story)} == {60}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_copy_is_found_behind_all_that_is_too_old_to_be_its_original(database, intake, source):  # noqa: F811  fixtures
    intake.take_feed(source, [item(number, body=f"{WIRE} Told by desk {number}.") for number in range(70)])
    with database.write() as conn:
        conn.execute(sa.update(Article).values(seen_at=now(conn) - timedelta(days=30)))
    first, other = (item(number, body=f"{WIRE} Told by desk {number}.") for number in (100, 101))
    original = intake.take_feed(source, [first, item(200)]).articles[-1]
    copy = intake.take_feed(source, [other, item(201)]).articles[-1]
    with database.read() as conn:
        found = conn.execute(sa.select(Article.copy_of_id).where(Article.id.in_([original, copy])).order_by(Article.id))
        assert list(found.scalars()) == [None, original]
