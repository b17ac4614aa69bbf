"""Sitemaps, wires and teasers, polled from a real server: pages fetched, embargoes kept, nothing taken away again."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from tests.contract.sources.scripted_web import Answer, Request, ScriptedWeb, reply
from tests.integration.intake.test_polling_at_once import hangs, make_poller, serving, watch  # noqa: F401  fixtures
from tests.integration.intake.test_taking_in import intake, rss  # noqa: F401  a fixture
from worker.intake import run_sources, run_whole
from worker.intake.run_pages import PageLimits
from worker.model import SourceId
from worker.store import sources
from worker.store.database import Database
from worker.store.schema import Article, ArticleVersion

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

PAGE = """<!doctype html><html lang="en"><head><title>x</title><meta property="og:type" content="article">
<meta property="article:published_time" content="2026-11-23T08:00:00Z"></head><body><nav>Menu</nav><article>
<h1>Fog {n}</h1><p>No boat left before noon, the harbour master said of morning number {n}.</p></article>"""


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedWeb]:
    monkeypatch.setattr(run_whole, "LIMITS", PageLimits(pause_s=0))
    with serving({"/robots.txt": reply(404)}) as found:
        found.answers |= {f"/{n}": reply(200, PAGE.replace("{n}", str(n)).encode()) for n in range(9)}
        yield found


def place(web: ScriptedWeb, host: str = "gull") -> str:
    return f"http://{host}.example:{web.url.rpartition(':')[2]}"


def stored(database: Database) -> list[tuple[str, str, str]]:
    with database.read() as conn:
        rows = conn.execute(sa.select(Article.title, Article.body, Article.reason).order_by(Article.id))
        return [(row.title, row.body, row.reason) for row in rows]


def with_pages(database: Database, source: SourceId) -> None:
    run_sources.change(database, source, actor="test", pages=True)


def urlset(*names: str) -> bytes:
    entries = "".join(f"<url><loc>/{name}</loc><lastmod>2026-11-2{name}</lastmod></url>" for name in names)
    return f"<urlset>{entries}</urlset>".encode()


def paths(web: ScriptedWeb) -> list[str]:
    return [request.path for request in web.requests]


def test_a_sitemap_becomes_articles_by_its_pages_each_fetched_once(database, make_poller, web, caplog):  # noqa: F811  the fixture
    web.answers["/sitemap.xml"] = reply(200, urlset("1", "2"))
    source = watch(database, web, "gull", "/sitemap.xml")
    poller = make_poller()
    poller.poll(source)
    assert stored(database) == []  # nobody has asked for pages, and addresses alone are no news
    (warning,) = [record.getMessage() for record in caplog.records if "left out" in record.getMessage()]
    assert warning.startswith(f"source {source}, gull: 2 entries are addresses alone")
    with_pages(database, source)  # and the document is read anew, though it has not changed
    assert len(poller.poll(source)) == 2
    assert sorted((title, body[:8]) for title, body, _ in stored(database)) == [
        ("Fog 1", "No boat "),
        ("Fog 2", "No boat "),
    ]
    web.answers["/sitemap.xml"] = reply(200, urlset("1", "2", "3"))
    assert len(make_poller().poll(source)) == 1  # also in another process
    assert sorted(paths(web)).count("/1") == 1


def test_an_index_is_followed_to_its_sitemaps(database, make_poller, web):  # noqa: F811  the fixture
    news = "<news:news><news:title>Fog {n}</news:title></news:news>"
    for name in ("a", "b"):
        entry = f"<url><loc>/{name}</loc>{news.replace('{n}', name)}</url>"
        web.answers[f"/{name}.xml"] = reply(200, f"<urlset>{entry}</urlset>".encode())
    maps = "".join(f"<sitemap><loc>/{name}.xml</loc></sitemap>" for name in ("a", "b", "gone"))
    web.answers |= {"/index.xml": reply(200, f"<sitemapindex>{maps}</sitemapindex>".encode()), "/gone.xml": reply(404)}
    source = watch(database, web, "gull", "/index.xml")
    assert len(make_poller().poll(source)) == 2
    assert {title for title, _, _ in stored(database)} == {"Fog a", "Fog b"}


def test_an_index_of_which_nothing_can_be_had_has_failed(database, make_poller, web):  # noqa: F811  the fixture
    web.answers |= {
        "/index.xml": reply(200, b"<sitemapindex><sitemap><loc>/gone.xml</loc></sitemap></sitemapindex>"),
        "/gone.xml": reply(404),
    }
    source = watch(database, web, "gull", "/index.xml")
    make_poller().poll(source)
    with database.read() as conn:
        row = sources.by_id(conn, source)
    assert row is not None
    assert (row.failures, "answers 404" in row.last_error) == (1, True)


def test_a_teasers_text_comes_from_its_page_and_stays_when_the_feed_is_told_again(database, make_poller, web):  # noqa: F811  the fixture
    def feed(extra: bytes = b"") -> bytes:
        here = rss(("1", "First")).replace(b"https://courier.example", place(web).encode())
        return here.replace(b"<channel>", b"<channel>" + extra)

    web.answers["/feed.xml"] = reply(200, feed())
    source = watch(database, web, "gull", "/feed.xml")
    with_pages(database, source)
    make_poller().poll(source)
    ((title, body, reason),) = stored(database)
    assert (title, "morning number 1" in body, reason) == ("First", True, "not seen before")
    web.answers["/feed.xml"] = reply(200, feed(b"<description>Another day</description>"))
    assert make_poller().poll(source) == []
    assert stored(database)[0][1] == body


def test_a_page_that_comes_later_is_an_update_though_the_feed_stays_as_it_is(database, make_poller, web, monkeypatch):  # noqa: F811  the fixture
    monkeypatch.setattr(run_whole, "LIMITS", PageLimits(pages=1, pause_s=0))
    web.answers["/feed.xml"] = reply(
        200, rss(("1", "First"), ("2", "Second")).replace(b"https://courier.example", place(web).encode()), etag='"a"'
    )
    source = watch(database, web, "gull", "/feed.xml")
    with_pages(database, source)
    poller = make_poller()
    poller.poll(source)
    reasons = {title: (bool(body), reason) for title, body, reason in stored(database)}
    assert reasons == {
        "First": (True, "not seen before"),
        "Second": (False, "not seen before; its page waits: too many at once"),
    }
    assert len(poller.poll(source)) == 1
    assert poller.poll(source) == []
    assert all(body for _, body, _ in stored(database))
    with database.read() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(ArticleVersion)) == 3
    assert "if-none-match" not in web.requests[-2].headers
    poller.poll(source)
    assert web.requests[-1].headers["if-none-match"] == '"a"'  # all is told


def test_an_embargo_is_kept_until_it_ends_and_a_withdrawal_is_told(database, make_poller, web, caplog):  # noqa: F811  the fixture
    def item(meta: str, version: int = 1) -> str:
        head = "<itemClass qcode='ninat:text'/><versionCreated>2026-11-01T00:00:00Z</versionCreated>"
        text = "<contentMeta><headline>Budget</headline></contentMeta>"
        return f"<newsItem guid='urn:1' version='{version}'><itemMeta>{head}{meta}</itemMeta>{text}</newsItem>"

    source = watch(database, web, "wire", "/wire.xml")
    poller = make_poller()
    web.answers["/wire.xml"] = reply(200, item("<embargoed>2190-01-01T00:00:00Z</embargoed>").encode())
    poller.poll(source)
    assert stored(database) == []
    web.answers["/wire.xml"] = reply(200, item("<embargoed>2026-11-02T00:00:00Z</embargoed>").encode())
    assert len(poller.poll(source)) == 1
    web.answers["/wire.xml"] = reply(200, item("<pubStatus qcode='stat:canceled'/>", 2).encode())
    assert poller.poll(source) == []
    assert '"Budget" (pubstatus is "canceled": not for publication)' in caplog.text


def test_a_wires_password_goes_to_the_wire_and_never_into_an_article(database, make_poller, web):  # noqa: F811  the fixture
    """A relative link counts from the feed's address; readers would have had the newsroom's login in their mails."""
    index = b"<sitemapindex><sitemap><loc>/news.xml</loc></sitemap></sitemapindex>"
    news = b"<urlset><url><loc>/fog</loc><news:news><news:title>Fog</news:title></news:news></url></urlset>"
    web.answers |= {"/index.xml": reply(200, index), "/news.xml": reply(200, news)}
    source = watch(database, web, "desk:hush@gull", "/index.xml")
    assert len(make_poller().poll(source)) == 1
    with database.read() as conn:
        [url] = conn.execute(sa.select(Article.url)).scalars()
    assert url == f"{place(web)}/fog"
    asked = {one.path: one.headers.get("authorization", "")[:6] for one in web.requests}
    assert asked == {"/index.xml": "basic ", "/news.xml": "basic "}
    web.answers["/index.xml"] = reply(503)
    make_poller().poll(source)
    with database.read() as conn:
        row = sources.by_id(conn, source)
    assert row is not None
    assert ("answers 503" in row.last_error, "hush" in row.last_error) == (True, False)


def test_a_host_is_asked_once_at_a_time_whoever_needs_it(database, make_poller, web):  # noqa: F811  the fixture
    asked: Counter[str] = Counter()
    together: list[int] = []

    def counted(answer: Answer) -> Answer:
        async def give(request: Request, writer: asyncio.StreamWriter) -> None:
            host = request.headers["host"]
            asked[host] += 1
            together.append(asked[host])
            # Long enough for another request to come beside it.
            await asyncio.sleep(1 if host == place(web, "pages")[7:] and request.path == "/feed.xml" else 0.01)
            asked[host] -= 1
            await answer(request, writer)

        return give

    teasers = rss(("1", "First"), ("2", "Second")).replace(b"https://courier.example", place(web, "pages").encode())
    web.answers["/feed.xml"] = reply(200, teasers)
    web.answers = {path: counted(answer) for path, answer in web.answers.items()}
    hosts = ("gull", "tern", "pages")
    feeds = [watch(database, web, host, "/feed.xml") for host in hosts]
    for feed in feeds:
        with_pages(database, feed)
    make_poller().poll_now(feeds)
    assert len(stored(database)) == 2 * len(hosts)
    assert max(together) == 1
