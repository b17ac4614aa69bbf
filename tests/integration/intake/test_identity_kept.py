"""Which article a sighting is of, as stored: keys that change, move, are used twice; texts that go back and forth."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders import set_clock
from tests.integration.intake.test_taking_in import WIRE, count, watch
from worker.intake.run import Intake, Taken
from worker.intake.thresholds import MAX_VERSIONS
from worker.model import ParsedArticle
from worker.store import sources
from worker.store.database import Database
from worker.store.schema import Article, ArticleVersion

HOUR = timedelta(hours=1)
WORDS = [
    "quay",
    "crane",
    "tide",
    "rope",
    "net",
    "mast",
    "buoy",
    "hull",
    "deck",
    "keel",
    "oar",
    "sail",
    "fog",
    "gale",
    "pier",
]


class Feed:
    """A watched feed, whose documents a test hands in."""

    def __init__(
        self, database: Database, *, url: str = "https://courier.example/feed.xml", polled: bool = True
    ) -> None:
        self.database, self.now = database, datetime.now(UTC)
        self._intake = Intake(database, age_limit=timedelta(hours=6))
        self._id = watch(database, url, outlet="The Courier")
        if polled:
            with database.write() as conn:
                sources.change(conn, self._id, last_ok_at=self.now)

    def row(self):
        with self.database.read() as conn:
            row = sources.by_id(conn, self._id)
        assert row is not None
        return row

    def tells(self, *items: ParsedArticle) -> Taken:
        return self._intake.take_feed(self.row(), items)

    def item(self, number: int, **values: object) -> ParsedArticle:
        word = WORDS[number % len(WORDS)]
        defaults: dict[str, Any] = {
            "guid": f"guid-{number}",
            "url": f"https://courier.example/{word}-{number}",
            "title": f"The {word} {number} is repaired",
            "summary": " ".join(f"{word}{number} {other}{number}" for other in WORDS),
            "published_at": self.now - timedelta(minutes=number),
        }
        return ParsedArticle(**{**defaults, **values})

    def stored(self) -> Sequence[sa.Row[Any]]:
        with self.database.read() as conn:
            return conn.execute(sa.select(Article.__table__).order_by(Article.id)).all()


@pytest.fixture
def feed(database):
    return Feed(database)


def test_a_guid_that_changes_makes_no_news_and_is_the_items_guid_from_then_on(feed):
    feed.tells(feed.item(1))
    renamed = feed.item(1, guid="another", url="http://courier.example/crane-1/?utm_source=rss")
    assert feed.tells(renamed) == Taken(unchanged=1)
    (row,) = feed.stored()
    assert (row.guid, row.item_key) == ("another", "guid:another")
    assert row.reason == f"unchanged, same address as article {row.id} under another GUID"
    assert feed.tells(renamed) == Taken(unchanged=1)
    assert feed.tells(replace(renamed, title="The crane 1 turns again")).updated == 1


def test_a_document_that_tells_one_page_under_two_guids_has_two_items(feed):
    first, second = feed.item(1), feed.item(1, guid="twin")
    assert feed.tells(second, first).new == 2
    assert feed.tells(second, first) == feed.tells(first, second) == Taken(unchanged=2)
    one, other = feed.stored()
    assert other.copy_of_id == one.id
    assert other.reason == f"same address and title as article {one.id}"


def test_a_guid_that_a_document_uses_twice_tells_nothing(feed):
    items = [feed.item(number, guid="item") for number in range(4)]
    assert feed.tells(*items).new == 4
    assert feed.tells(*reversed(items)) == Taken(unchanged=4)
    assert feed.tells(items[2]) == Taken(unchanged=1)  # alone it is the item that has the GUID
    assert feed.tells(*items) == Taken(unchanged=4)
    assert len(feed.stored()) == 4


def test_of_an_item_that_a_document_tells_twice_the_later_version_stands(feed):
    old, new = feed.item(1, updated_at=feed.now - HOUR), feed.item(1, updated_at=feed.now, title="The crane 1 turns")
    taken = feed.tells(old, new)
    assert (taken.new, taken.unchanged) == (1, 1)
    assert [row.title for row in feed.stored()] == ["The crane 1 turns"]


@pytest.mark.parametrize(
    "moved",
    [
        lambda item: replace(item, guid=f"new {item.guid}", published_at=item.published_at + 2 * HOUR),
        lambda item: replace(item, guid=f"new {item.guid}", url=item.url.replace("https", "http")),
        lambda item: replace(item, guid="", url=item.url.replace("courier.example", "www.courier.example")),
        lambda item: replace(item, guid=item.url, url=item.url.replace("courier.example/", "tern.example/2026/")),
    ],
    ids=["guids", "scheme", "host", "paths"],
)
def test_a_whole_feed_that_changes_its_keys_tells_nothing_new(feed, moved):
    items = [feed.item(number) for number in range(12)]
    feed.tells(*items)
    again = [moved(item) for item in items]
    assert feed.tells(*again) == Taken(unchanged=12)
    rows = feed.stored()
    assert len(rows) == 12
    assert feed.row().held_since is None
    assert {row.url for row in rows} == {item.url for item in again}
    assert all("its feed has" in row.reason for row in rows)
    assert count(feed.database, ArticleVersion) == 12
    fresh = feed.tells(feed.item(20, published_at=feed.now), *again[:11])
    assert (fresh.new, fresh.unchanged) == (1, 11)
    assert feed.stored()[-1].may_alert


@pytest.mark.parametrize(("known", "is_held"), [(0, True), (1, True), (4, False)])
def test_a_feed_of_which_nearly_all_is_new_and_old_is_held(feed, known, is_held):
    feed.tells(*(feed.item(number) for number in range(20)))
    early = [feed.item(number) for number in range(60, 80 - known)]
    assert feed.tells(*(feed.item(number) for number in range(known)), *early).new == 20 - known
    assert (feed.row().held_since is not None) is is_held
    assert any(row.may_alert for row in feed.stored()[20:]) is not is_held


def test_a_feed_that_was_silent_for_long_is_not_held_for_what_it_tells_then(feed):
    feed.tells(*(feed.item(number, published_at=feed.now - timedelta(days=30 + number)) for number in range(12)))
    since = [feed.item(number, published_at=feed.now - number * HOUR) for number in range(20, 32)]
    assert feed.tells(*since).new == 12
    assert feed.row().held_since is None


def test_at_a_feeds_first_sight_nothing_alerts_that_may_be_old(database):
    feed = Feed(database, polled=False)
    feed.tells(
        feed.item(1),
        feed.item(2, published_at=None),
        feed.item(3, published_at=feed.now - timedelta(days=1)),
    )
    assert [(row.title, row.may_alert) for row in feed.stored()] == [
        ("The rope 3 is repaired", False),
        ("The tide 2 is repaired", False),
        ("The crane 1 is repaired", True),
    ]


def test_dates_that_are_made_when_a_feed_is_asked_for_tell_no_age(database):
    feed = Feed(database, polled=False)
    feed.tells(*(feed.item(number, published_at=feed.now) for number in range(5)))
    assert not any(row.may_alert for row in feed.stored())


def test_a_guid_that_is_used_again_is_a_new_article_and_the_old_one_keeps_its_own(feed):
    feed.tells(feed.item(1, guid="latest", title="A crane has fallen", published_at=feed.now - HOUR))
    second = feed.item(2, guid="latest", published_at=feed.now)
    assert feed.tells(second).new == 1
    assert feed.tells(second) == Taken(unchanged=1)
    old, new = feed.stored()
    assert (old.item_key, new.item_key) == (f"was:{old.id}:guid:latest", "guid:latest")
    assert (old.revision, old.guid, new.may_alert) == (1, "latest", True)
    assert new.reason == f"not seen before; its GUID was article {old.id}'s: another address, title and wording"


def test_an_item_whose_guid_another_one_has_now_is_known_by_its_address(feed):
    first, second = feed.item(1, guid="latest"), feed.item(2, guid="latest", published_at=feed.now)
    feed.tells(first)
    assert feed.tells(second, replace(first, guid="crane")).new == 1
    assert feed.tells(second, replace(first, guid="crane")) == Taken(unchanged=2)
    assert len(feed.stored()) == 2


def test_a_page_with_another_briefing_every_day_tells_a_new_article_every_day(feed):
    first = feed.item(1, guid="b", title="Morning briefing", body=WIRE, published_at=feed.now - 30 * HOUR)
    second = replace(first, summary="", body=" ".join(WORDS * 6), published_at=feed.now - HOUR)
    feed.tells(first)
    assert feed.tells(second).new == 1
    old, new = feed.stored()
    assert new.copy_of_id is None
    assert new.may_alert
    assert new.story_id != old.story_id


def test_an_earlier_article_under_a_later_ones_guid_is_kept_apart(feed):
    feed.tells(feed.item(1, guid="1", title="A crane has fallen", published_at=feed.now))
    earlier = feed.item(2, guid="1", published_at=feed.now - 40 * HOUR)
    assert feed.tells(earlier).new == 1
    assert feed.tells(earlier) == feed.tells(earlier) == Taken(unchanged=1)
    assert [row.item_key[:5] for row in feed.stored()] == ["guid:", "also:"]


def test_headlines_that_alternate_make_three_versions_and_no_more(feed):
    one, other = feed.item(1), feed.item(1, title="How the crane came to turn again")
    feed.tells(one)
    taken = [feed.tells(told).updated for told in [other, one] * 6]
    assert taken == [1, 1] + [0] * 10
    assert count(feed.database, ArticleVersion) == 3
    set_clock(feed.database, ahead=7 * HOUR)
    assert feed.tells(other).updated == 1  # so late, it is meant
    assert feed.tells(replace(one, title="The crane has fallen")).updated == 1


def test_counters_and_stamps_make_no_version(feed):
    for views in ("12 views", "1,204 views", "Updated 5 minutes ago"):
        feed.tells(feed.item(1, title=f"The crane 1 is repaired | {views}"))
    assert count(feed.database, ArticleVersion) == 1


def test_an_article_keeps_the_earliest_date_that_was_told(feed):
    for late in (2, 1, 0):
        feed.tells(feed.item(1, title=f"The crane, {late}", published_at=feed.now - late * HOUR))
    (row,) = feed.stored()
    assert (row.revision, row.published_at) == (3, feed.now - 2 * HOUR)
    feed.tells(feed.item(1, title="The crane", published_at=None))
    assert feed.stored()[0].published_at == feed.now - 2 * HOUR


def test_a_day_without_an_hour_is_as_young_as_it_may_be(feed):
    today = feed.now.replace(hour=0, minute=0, second=0, microsecond=0)
    feed.tells(feed.item(1, published_at=today - timedelta(days=3)), feed.item(2, published_at=today))
    assert [row.may_alert for row in feed.stored()] == [True, False]


def test_versions_of_a_live_page_are_thinned_out(feed):
    for number in range(MAX_VERSIONS + 5):
        feed.tells(feed.item(1, title=f"The crane at minute {number}"))
    with feed.database.read() as conn:
        kept = conn.execute(sa.select(ArticleVersion.revision).order_by(ArticleVersion.revision)).scalars().all()
    assert kept == [1, *range(7, MAX_VERSIONS + 6)]


def test_two_workers_that_take_one_document_at_once_store_each_item_once(database):
    feed = Feed(database)
    items = [feed.item(number) for number in range(8)]
    taken: list[Taken] = []

    def take(order: Sequence[ParsedArticle]) -> None:
        taken.append(feed.tells(*order))

    threads = [threading.Thread(target=take, args=(order,)) for order in (items, items[::-1], items)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(feed.stored()) == 8
    assert sum(one.new for one in taken) == 8
    assert sum(one.refused + one.updated for one in taken) == 0
    assert len(taken) == 3
