"""Fetching articles' own pages, from a real server: politely, within bounds, and at nobody else's cost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from tests.contract.sources.scripted_web import Answer, Request, ScriptedWeb, reply, scripted_web
from worker.adapters.sources.fetch import make_client
from worker.adapters.sources.resolving import Resolver
from worker.intake.identity import item_key
from worker.intake.pages import items_of
from worker.intake.run_pages import Paged, PageLimits, Pages, Stored
from worker.intake.run_robots import Robots
from worker.model import ParsedArticle, SourceId

SOURCE = SourceId(1)
QUICK = PageLimits(pause_s=0, all_s=10, page_s=5)
ALL = reply(200, b"User-agent: *\nAllow: /\n")
STORY = """<!doctype html><html lang="en"><head><title>x</title><meta property="og:type" content="article">
<meta property="article:published_time" content="2026-11-23T08:00:00Z"><meta name="author" content="Ana Duarte"></head>
<body><nav>Menu</nav><article><h1>Fog {n}</h1><p>No boat left before noon, the harbour master {n} said.</p></article>"""


def page(n: object = "") -> Answer:
    return reply(200, STORY.replace("{n}", str(n)).encode(), content_type="text/html")


def told(web: ScriptedWeb, *names: str, title: str = "Fog closes harbour") -> list[ParsedArticle]:
    return [ParsedArticle(url=f"{web.url}/{name}", title=title) for name in names]


def paths(web: ScriptedWeb) -> list[str]:
    return [request.path for request in web.requests]


NOTHING = Stored(hashes={}, articles={})


async def add(pages: Pages, items: Sequence[ParsedArticle], stored: Stored = NOTHING, **options: Any) -> Paged:
    async with make_client("Tocsin/9 (+https://desk.example)", allow_private=True) as client:
        return await pages.add(client, SOURCE, items_of(items, lang=""), stored, **options)


def stored(found: Paged) -> Stored:
    """What a store would have after it has taken this in."""
    hashes = {key: word.told_hash for key, word in found.pages.items()}
    return Stored(hashes=hashes, articles={item_key(one): one for one in found.articles})


def notes(found: Paged) -> list[str]:
    return [word.note for word in found.pages.values() if word.note]


def on_the_web(test: Callable[[ScriptedWeb], Awaitable[None]]) -> None:
    async def run() -> None:
        async with scripted_web() as web:
            web.answers["/robots.txt"] = ALL
            await test(web)

    asyncio.run(run())


def test_a_page_adds_what_the_source_does_not_tell():
    async def test(web):
        web.answers["/1"] = page(1)
        found = await add(Pages(limits=QUICK), told(web, "1"))
        (article,) = found.articles
        assert (article.title, article.author, article.lang) == ("Fog closes harbour", "Ana Duarte", "en")
        assert article.body == "No boat left before noon, the harbour master 1 said."
        assert notes(found) == []
        assert paths(web) == ["/robots.txt", "/1"]
        assert web.requests[1].headers["user-agent"] == "tocsin/9 (+https://desk.example)"

    on_the_web(test)


def test_what_robots_txt_forbids_is_not_asked_for():
    async def test(web):
        web.answers["/robots.txt"] = reply(200, b"User-agent: *\nDisallow: /paid\n")
        web.answers["/free/1"] = page(1)
        found = await add(Pages(limits=QUICK), told(web, "paid/1", "free/1"))
        assert paths(web) == ["/robots.txt", "/free/1"]
        assert [bool(article.body) for article in found.articles] == [False, True]
        assert notes(found) == ["without its page: its robots.txt forbids it"]

    on_the_web(test)


@pytest.mark.parametrize(("status", "asked"), [(404, True), (403, True), (500, False), (503, False), (429, False)])
def test_a_host_without_robots_txt_allows_all_and_one_that_cannot_give_it_nothing(status, asked):
    async def test(web):
        web.answers |= {"/robots.txt": reply(status), "/1": page(1)}
        await add(Pages(limits=QUICK), told(web, "1"))
        assert ("/1" in paths(web)) is asked

    on_the_web(test)


def test_robots_txt_is_followed_over_redirects_and_asked_for_once_a_day():
    async def test(web):
        seconds = [0.0]
        clock = lambda: seconds[0]  # noqa: E731  the test's hand on the clock
        web.answers |= {"/robots.txt": reply(301, location="/r"), "/r": reply(200, b"User-agent: tocsin\nDisallow: /1")}
        web.answers["/2"] = page(2)
        pages = Pages(limits=QUICK, clock=clock)
        for name in ("1", "2"):
            await add(pages, told(web, name))
        assert paths(web) == ["/robots.txt", "/r", "/2"]
        seconds[0] = 24 * 3600 + 1.0
        await add(pages, told(web, "3"))
        assert paths(web)[3:5] == ["/robots.txt", "/r"]

    on_the_web(test)


def test_rules_that_cannot_be_had_again_stay_in_force():
    async def test(web):
        seconds = [0.0]
        robots = Robots("Tocsin", clock=lambda: seconds[0])
        web.answers["/robots.txt"] = reply(200, b"User-agent: *\nDisallow: /1")
        async with make_client("Tocsin", allow_private=True) as client:
            assert (await robots.rules(client, f"{web.url}/1")).forbids(f"{web.url}/1")
            web.answers["/robots.txt"] = reply(500)
            seconds[0] = 25 * 3600
            rules = await robots.rules(client, f"{web.url}/1")
            assert (bool(rules.forbids(f"{web.url}/1")), rules.forbids(f"{web.url}/2")) == (True, "")
            web.answers["/robots.txt"] = reply(404)
            await robots.rules(client, f"{web.url}/1")
            seconds[0] += 31 * 60  # it is asked for again after half an hour, not after a day
            assert not (await robots.rules(client, f"{web.url}/1")).forbids(f"{web.url}/1")

    on_the_web(test)


def test_large_robots_files_of_many_hosts_do_not_pile_up():
    """A name server can make up hosts without end, and each may serve half a megabyte of rules."""

    async def test(web):
        web.answers["/robots.txt"] = reply(200, b"User-agent: *\nDisallow: /a\n".ljust(1_000, b"#"))
        robots = Robots("Tocsin", max_kept_bytes=2_500)
        port = web.url.rpartition(":")[2]
        places = [f"http://{name}.example:{port}/a" for name in "aabcbca"]
        resolver = Resolver(lambda _host, _port: ["127.0.0.1"])
        async with make_client("Tocsin/0.1", allow_private=True, resolver=resolver) as client:
            said = [(await robots.rules(client, place)).forbids(place) for place in places]
        assert set(said) == {"its robots.txt forbids it"}
        assert len(web.requests) == 4  # the first of three hosts was let go, and asked again

    on_the_web(test)


def test_pages_of_one_host_are_fetched_one_after_the_other():
    async def test(web):
        open_now, most = 0, 0

        async def slow(request: Request, writer: asyncio.StreamWriter) -> None:
            nonlocal open_now, most
            open_now += 1
            most = max(most, open_now)
            for _ in range(5):
                await asyncio.sleep(0)
            await page(1)(request, writer)
            open_now -= 1

        web.answers |= {f"/{n}": slow for n in range(6)}
        found = await add(Pages(limits=QUICK), told(web, *map(str, range(6))))
        assert (most, sum(bool(article.body) for article in found.articles)) == (1, 6)

    on_the_web(test)


def test_a_poll_fetches_so_many_pages_and_the_next_polls_go_on():
    async def test(web):
        web.answers |= {f"/{n}": page(n) for n in range(5)}
        pages = Pages(limits=PageLimits(pages=2, pause_s=0))
        items = told(web, *map(str, range(5)))
        had, counts = NOTHING, []
        for _ in range(4):
            found = await add(pages, items, had)
            counts.append(sum(bool(article.body) for article in found.articles))
            had = stored(found)
        assert counts == [2, 4, 5, 5]
        assert sorted(paths(web)) == ["/0", "/1", "/2", "/3", "/4", "/robots.txt"]

    on_the_web(test)


def test_a_page_that_waits_is_said_so():
    async def test(web):
        web.answers |= {"/0": page(0)}
        found = await add(Pages(limits=PageLimits(pages=1, pause_s=0)), told(web, "0", "1"))
        first, second = found.pages.values()
        assert (first.note, second.note) == ("", "its page waits: too many at once")

    on_the_web(test)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (reply(404), "answers 404"),
        (reply(500), "answers 500"),
        (reply(200, b"%PDF-1.7"), "it is no HTML page"),
        (reply(200, b"<html><body></body></html>"), "neither a title nor any text"),
        (reply(200, b"x" * 3_000_001), "larger than 3000000 bytes"),
        (reply(200, b"<html>" + b"<div>" * 600, content_type="text/html"), "too deeply nested"),
        (reply(200, b"<html>" + b"&" * 60_000, content_type="text/html"), "too full of ampersands"),
        (reply(302, location="ftp://gull.example/"), "is no address on the web"),
    ],
)
def test_a_page_that_fails_costs_its_text_only_and_says_why(answer, words):
    async def test(web):
        web.answers |= {"/0": answer, "/1": page(1)}
        found = await add(Pages(limits=QUICK), told(web, "0", "1"))
        bad, good = found.articles
        assert (bad.title, bad.body, bool(good.body)) == ("Fog closes harbour", "", True)
        (note,) = notes(found)
        assert words in note
        assert note.startswith("without its page: ")

    on_the_web(test)


def test_a_host_that_fails_again_and_again_is_left_alone_until_the_next_poll():
    async def test(web):
        web.answers |= {f"/{n}": reply(500) for n in range(9)}
        await add(Pages(limits=QUICK), told(web, *map(str, range(9))))
        assert len(paths(web)) == 1 + 3

    on_the_web(test)


def test_an_address_in_the_machines_own_network_is_not_fetched():
    async def test(web):
        async with make_client("Tocsin/9") as client:  # with the guard that polling uses
            found = await Pages(limits=QUICK).add(client, SOURCE, items_of(told(web, "1"), lang=""), NOTHING)
        assert web.connections == 0
        assert [article.title for article in found.articles] == ["Fog closes harbour"]
        assert "robots.txt cannot be had" in "".join(notes(found))

    on_the_web(test)


def test_a_server_that_never_answers_costs_its_time_and_no_other_hosts_pages():
    async def test(web):
        async def never(_request: Request, writer: asyncio.StreamWriter) -> None:
            await writer.wait_closed()

        web.answers |= {"/0": never, "/1": page(1)}
        items = [*told(web, "0"), ParsedArticle(url=f"{web.url.replace('127.0.0.1', 'localhost')}/1", title="Other")]
        found = await add(Pages(limits=PageLimits(pause_s=0, page_s=0.5)), items)
        assert [bool(article.body) for article in found.articles] == [False, True]
        assert "took longer than 0.5 s" in "".join(notes(found))

    on_the_web(test)


def test_what_a_polls_time_does_not_suffice_for_waits():
    async def test(web):
        found = await add(Pages(limits=PageLimits(all_s=0)), told(web, "1"))
        assert (len(found.articles), notes(found)) == (1, ["its page waits: too many at once"])
        assert web.requests == []

    on_the_web(test)


def test_an_item_that_is_told_as_before_is_not_fetched_again():
    async def test(web):
        web.answers["/1"] = page(1)
        pages = Pages(limits=QUICK)
        had = stored(await add(pages, told(web, "1")))
        for again in (pages, Pages(limits=QUICK)):  # also after a restart
            assert (await add(again, told(web, "1"), had)).pages == (await add(again, told(web, "1"), had)).pages
        assert paths(web).count("/1") == 1
        web.answers["/1"] = page("two")
        changed = await add(pages, told(web, "1", title="Fog opens harbour"), had)
        assert "harbour master two" in changed.articles[0].body

    on_the_web(test)


def test_an_item_that_changes_while_its_page_cannot_be_had_keeps_the_text_that_it_had():
    async def test(web):
        web.answers["/1"] = page(1)
        pages = Pages(limits=QUICK)
        had = stored(await add(pages, told(web, "1")))
        web.answers["/1"] = reply(503)
        (changed,) = (await add(pages, told(web, "1", title="Fog opens harbour"), had)).articles
        assert (changed.title, changed.body) == ("Fog opens harbour", had.articles[item_key(changed)].body)

    on_the_web(test)


def test_a_page_without_a_title_in_its_source_is_an_article_or_left_out():
    async def test(web):
        web.answers |= {
            "/story": page(1),
            "/about": reply(200, b"<html><title>About us</title><p>We print news."),
            "/gone": reply(404),
            "/busy": reply(503),
        }
        found = await add(Pages(limits=QUICK), told(web, "story", "about", "gone", "busy", title=""))
        assert [article.title for article in found.articles] == ["Fog 1"]
        assert found.articles[0].published_at is not None
        assert (found.waiting, found.left_out) == (1, 2)

    on_the_web(test)


def test_the_pollers_turn_is_taken_for_every_page_and_for_what_robots_may_do():
    async def test(web):
        web.answers |= {"/1": page(1), "/2": page(2)}
        taken = []

        class Turn:
            def __init__(self, host: str) -> None:
                taken.append(host)

            async def __aenter__(self) -> None:
                pass

            async def __aexit__(self, *_: object) -> None:
                pass

        await add(Pages(limits=QUICK), told(web, "1", "2"), turn=Turn)
        assert taken == ["127.0.0.1"] * 4

    on_the_web(test)
