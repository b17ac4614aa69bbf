"""Articles on their way into the database: new, changed, copied, refused; and feeds that fail."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import sqlalchemy as sa

from tests.readers import KeptReaders
from worker.errors import InputError
from worker.intake.pace import Pace
from worker.intake.run import Intake
from worker.intake.run_polling import Poller
from worker.model import ArticleId, Novelty, ParsedArticle, Picture, Severity, SourceId
from worker.pictures import number_of
from worker.store import articles, sources
from worker.store.database import Database
from worker.store.picture_addresses import address_of
from worker.store.schema import Article, ArticleBand, ArticleVersion, Source, Story

WIRE = " ".join(
    f"Delegates from port {number} agreed on berth fees of {number * 7} crowns and a shared pilot service by spring."
    for number in range(1, 12)
)


@pytest.fixture
def intake(database: Database) -> Intake:
    return Intake(database, age_limit=timedelta(hours=24))


@pytest.fixture
def poller(database: Database, intake: Intake, kept_readers: KeptReaders) -> Poller:
    return Poller(database, intake, user_agent="test", pace=Pace(), allow_private=True, readers=lambda: kept_readers)


def told(**values: object) -> ParsedArticle:
    defaults = {"guid": "1", "url": "https://courier.example/1", "title": "Ports agree on fees", "body": WIRE}
    return ParsedArticle(**{**defaults, **values})  # type: ignore[arg-type]  # a test's own words


def count(database: Database, table: type) -> int:
    with database.read() as conn:
        return conn.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def test_a_new_article_is_stored_with_its_story_version_and_bands(database, intake):
    added = intake.add(told(), kind="push", outlet="Courier")
    assert (added.status, added.stored, added.reason) == (Novelty.NEW, True, "not seen before")
    assert (count(database, Article), count(database, Story), count(database, ArticleVersion)) == (1, 1, 1)
    assert count(database, ArticleBand) > 5


def test_the_same_again_changes_nothing_and_says_so(database, intake):
    first = intake.add(told(), kind="push", outlet="Courier")
    again = intake.add(told(), kind="push", outlet="Courier")
    assert (again.id, again.status, again.stored) == (first.id, Novelty.DUPLICATE, False)
    assert "unchanged" in again.reason
    assert count(database, ArticleVersion) == 1


def test_a_changed_item_is_an_update_with_its_earlier_version_kept_and_is_matched_again(database, intake):
    first = intake.add(told(), kind="push", outlet="Courier")
    with database.write() as conn:
        assert articles.mark_matched(conn, first.id, revision=1)
    updated = intake.add(told(title="Ports agree on fees, and pilots"), kind="push", outlet="Courier")
    assert (updated.id, updated.status) == (first.id, Novelty.UPDATE)
    with database.read() as conn:
        stored = articles.by_id(conn, first.id)
        versions = conn.execute(sa.select(ArticleVersion.title).order_by(ArticleVersion.revision)).scalars().all()
    assert stored is not None
    assert (stored.revision, stored.matched_at) == (2, None)
    assert versions == ["Ports agree on fees", "Ports agree on fees, and pilots"]


def test_a_feed_never_lowers_an_editors_severity(database, intake):
    added = intake.add(told(severity=Severity.BREAKING), kind="push", outlet="Courier")
    intake.add(told(title="Ports agree at last"), kind="push", outlet="Courier")
    with database.read() as conn:
        stored = articles.by_id(conn, added.id)
    assert stored is not None
    assert stored.severity == Severity.BREAKING


def test_wire_copy_of_another_outlet_joins_the_story(database, intake):
    first = intake.add(told(), kind="push", outlet="Courier")
    copy = told(
        guid="x", url="https://ledger.example/9", title="Berth fees settled", body=WIRE + " The ledger adds a line."
    )
    second = intake.add(copy, kind="push", outlet="Ledger")
    assert second.status is Novelty.DUPLICATE
    assert second.stored
    assert f"copy of article {first.id}" in second.reason
    assert count(database, Story) == 1
    with database.read() as conn:
        assert conn.execute(sa.select(Article.outlet).order_by(Article.id)).scalars().all() == ["Courier", "Ledger"]


def test_the_nearest_copy_is_found_among_many_that_share_an_outlets_boilerplate(intake):
    boilerplate = " Sign up for the evening letter and follow our reporters on the quay all week long, every week."
    for number in range(60):
        body = " ".join(f"Harbour {number} reports {number * word} bales moved." for word in range(1, 14)) + boilerplate
        intake.add(
            told(guid=f"b{number}", url=f"https://b.example/{number}", title=f"Bales {number}", body=body),
            kind="push",
            outlet="B",
        )
    first = intake.add(told(body=WIRE + boilerplate), kind="push", outlet="Courier")
    copy = intake.add(
        told(guid="c", url="https://c.example/1", title="Fees", body=WIRE + boilerplate), kind="push", outlet="C"
    )
    assert f"copy of article {first.id}" in copy.reason


def test_old_news_is_kept_but_may_not_alert(database, intake):
    old = intake.add(told(published_at=datetime.now(UTC) - timedelta(days=3)), kind="push", outlet="Courier")
    fresh = intake.add(told(guid="2", url="", title="Else", body="Quite another thing."), kind="push", outlet="Courier")
    with database.read() as conn:
        gates = {article_id: articles.by_id(conn, article_id).may_alert for article_id in (old.id, fresh.id)}  # type: ignore[union-attr]  # stored above
    assert gates == {old.id: False, fresh.id: True}


def test_a_refused_article_leaves_nothing_behind(database, intake):
    with pytest.raises(InputError, match="NUL"):
        intake.add(told(body="a\0b"), kind="push", outlet="Courier")
    assert (count(database, Article), count(database, Story), count(database, Source)) == (0, 0, 0)


def test_the_same_item_pushed_by_many_at_once_is_one_article(database, intake):
    seen, errors = [], []

    def push() -> None:
        try:
            seen.append(intake.add(told(), kind="push", outlet="Courier").id)
        except Exception as error:  # noqa: BLE001  the test reports it
            errors.append(error)

    threads = [threading.Thread(target=push) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len(set(seen)) == 1
    assert count(database, Article) == 1


def rss(*items: tuple[str, str]) -> bytes:
    told_items = "".join(
        f"<item><guid>{guid}</guid><title>{title}</title><link>https://courier.example/{guid}</link></item>"
        for guid, title in items
    )
    channel = f"<channel><title>Courier feed</title>{told_items}</channel>"
    return f'<?xml version="1.0"?><rss version="2.0">{channel}</rss>'.encode()


@contextmanager
def served(answer: Callable[[BaseHTTPRequestHandler], tuple[int, bytes]]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answer(self)
            self.send_response(status)
            self.send_header("ETag", '"v1"')
            self.send_header("Content-Type", "application/rss+xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/feed.xml"
        finally:
            server.shutdown()
            thread.join()


def watch(database: Database, url: str, outlet: str = "") -> SourceId:
    with database.write() as conn:
        return sources.put(conn, kind="feed", name="courier", url=url, outlet=outlet)


def test_a_feed_is_polled_once_in_full_and_then_by_its_validators(database, poller):
    asked: list[str | None] = []

    def answer(request: BaseHTTPRequestHandler) -> tuple[int, bytes]:
        asked.append(request.headers["If-None-Match"])
        return (304, b"") if asked[-1] else (200, rss(("2", "Second"), ("1", "First")))

    with served(answer) as url:
        source_id = watch(database, url, outlet="The Courier")
        first, second = poller.poll(source_id), poller.poll(source_id)
    assert (len(first), second) == (2, [])
    assert asked == [None, '"v1"']
    with database.read() as conn:
        rows = conn.execute(sa.select(Article.title, Article.outlet).order_by(Article.id)).all()
        source = sources.by_id(conn, source_id)
    assert rows == [("First", "The Courier"), ("Second", "The Courier")]  # oldest first, as things happened
    assert source is not None
    assert source.next_poll_at - source.last_ok_at >= timedelta(minutes=5)


def test_an_outlet_that_nobody_named_is_called_as_its_feed_calls_itself(database, poller):
    with served(lambda _: (200, rss(("1", "First")))) as url:
        poller.poll(watch(database, url))
    with database.read() as conn:
        assert conn.execute(sa.select(Article.outlet)).scalar_one() == "Courier feed"


@pytest.mark.parametrize(("status", "body"), [(500, b"oops"), (200, b"this is not XML"), (200, b"")])
def test_a_bad_feed_is_noted_on_its_source_and_tried_ever_more_patiently(database, poller, status, body):
    with served(lambda _: (status, body)) as url:
        source_id = watch(database, url)
        waits, failures = [], 0
        for _ in range(3):
            assert poller.poll(source_id) == []
            with database.read() as conn:
                source = sources.by_id(conn, source_id)
            assert source is not None
            assert source.last_error
            waits.append((source.next_poll_at - source.last_polled_at).total_seconds())
            failures = source.failures
    assert (waits == sorted(waits), failures) == (True, 3)
    assert waits[2] > 2 * waits[0]
    assert count(database, Article) == 0


def test_a_bad_item_does_not_cost_its_neighbours(database, poller):
    feed = rss(("1", "First"), ("2", "x" * 2000), ("3", "Third"))
    with served(lambda _: (200, feed)) as url:
        poller.poll(watch(database, url))
    with database.read() as conn:
        titles = conn.execute(sa.select(Article.title)).scalars().all()
    assert {"First", "Third"} <= set(titles)


QUAY = Picture(url="https://img.courier.example/quay.jpg", alt="A quay", credit="Mari Kask", width=1200, height=800)


def picture_of(database: Database, article_id: ArticleId) -> Picture | None:
    with database.read() as conn:
        stored = articles.by_id(conn, article_id)
    assert stored is not None
    return stored.image


def shown_from(database: Database, picture: Picture) -> str | None:
    with database.read() as conn:
        return address_of(conn, number_of(picture.url))


def test_a_picture_is_stored_and_another_one_is_no_new_revision_and_nothing_to_match(database, intake):
    first = intake.add(told(image=QUAY), kind="push", outlet="Courier")
    assert picture_of(database, first.id) == QUAY
    with database.write() as conn:
        assert articles.mark_matched(conn, first.id, revision=1)
    other = replace(QUAY, url="https://img.courier.example/quay-2.jpg")
    for picture in (other, None):
        again = intake.add(told(image=picture), kind="push", outlet="Courier")
        assert (again.id, again.status, again.stored) == (first.id, Novelty.DUPLICATE, False)
        assert "but for its picture" in again.reason
        assert picture_of(database, first.id) == picture
    with database.read() as conn:
        stored = articles.by_id(conn, first.id)
    assert stored is not None
    assert stored.matched_at is not None
    assert (stored.revision, count(database, ArticleVersion)) == (1, 1)
    assert shown_from(database, QUAY) == QUAY.url  # of mails that were sent before
    assert shown_from(database, other) == other.url


def test_a_stopped_storys_picture_has_no_address_any_more(database, intake):
    first = intake.add(told(image=QUAY), kind="push", outlet="Courier")
    with database.write() as conn:
        conn.execute(sa.update(Story).values(killed_at=sa.select(Article.seen_at).scalar_subquery()))
    assert picture_of(database, first.id) == QUAY
    assert shown_from(database, QUAY) is None


@pytest.mark.parametrize(
    ("picture", "line"),
    [
        (Picture(url="data:image/png;base64,AA"), "image.url: no web address"),
        (Picture(url="https://10.0.0.1/a.jpg"), "image.url: not on the public internet"),
        (Picture(url="https://a.example/a.svg"), 'image.url: a file of type "svg"'),
        (Picture(url="https://a.example/a.jpg", width=1, height=1), "image: a picture of 1 by 1 pixels counts readers"),
        (Picture(url="https://a.example/a.jpg", alt="x" * 1_001), "image.alt: 1001 characters; the limit is 1000"),
        (Picture(url="https://a.example/a.jpg", credit="\0"), "image.credit: a NUL character"),
    ],
)
def test_a_picture_that_mails_do_not_show_is_refused_and_nothing_is_stored(database, intake, picture, line):
    with pytest.raises(InputError) as caught:
        intake.add(told(image=picture), kind="push", outlet="Courier")
    assert str(caught.value).startswith(line)
    assert count(database, Article) == 0
