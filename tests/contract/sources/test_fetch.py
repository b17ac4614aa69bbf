"""Fetching from a real server that does everything a server may do, right and wrong."""

from __future__ import annotations

import asyncio
import gzip
import time
import zlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import brotli
import pytest

from tests.contract.sources.scripted_web import Request, ScriptedWeb, reply, scripted_web
from worker.adapters.sources.fetch import Fetched, fetch, make_client
from worker.errors import FetchError

AGENT = "Tocsin/0.1 (+https://courier.example/bot)"
FEED = b"<rss version='2.0'><channel/></rss>"


def against(play: Callable[[ScriptedWeb, Callable[..., Awaitable[Fetched]]], Awaitable[Any]], **client: Any) -> Any:
    """Run `play` with a server and a `get(path, ...)` that fetches from it."""

    async def scene() -> Any:
        async with scripted_web() as web, make_client(AGENT, **{"allow_private": True, **client}) as http:
            return await play(web, lambda path, **options: fetch(http, web.url + path, **options))

    return asyncio.run(scene())


def fetched(path: str = "/feed", /, *, options: dict[str, Any] | None = None, **answers: Any) -> Fetched:
    async def play(web: ScriptedWeb, get: Callable[..., Awaitable[Fetched]]) -> Fetched:
        web.answers = {"/" + name: answer for name, answer in answers.items()}
        return await get(path, **(options or {}))

    result: Fetched = against(play)
    return result


def refused(path: str = "/feed", /, **answers: Any) -> FetchError:
    with pytest.raises(FetchError) as caught:
        fetched(path, **answers)
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_document_comes_with_its_validators_verbatim():
    answer = fetched(
        feed=reply(200, FEED, content_type="text/xml; charset=x", etag='W/"a b"', last_modified="yesterday, about noon")
    )
    assert (answer.status, answer.data, answer.content_type) == (200, FEED, "text/xml; charset=x")
    assert (answer.etag, answer.last_modified) == ('W/"a b"', "yesterday, about noon")
    assert (answer.not_modified, answer.permanent_redirect_to, answer.retry_after_s) == (False, None, None)


def test_we_say_who_we_are_and_send_validators_back_as_they_came():
    async def play(web, get):
        web.answers = {"/feed": reply(304, etag='"v2"')}
        answer = await get("/feed", etag='W/"a b"', last_modified="yesterday, about noon")
        return answer, web.requests[0].headers

    answer, headers = against(play)
    assert answer.not_modified
    assert (answer.status, answer.data, answer.etag) == (304, b"", '"v2"')
    assert headers["if-none-match"] == 'w/"a b"'  # the scripted server lower-cases what it keeps
    assert headers["if-modified-since"] == "yesterday, about noon"
    assert headers["user-agent"] == AGENT.lower()


def test_without_validators_the_request_is_unconditional():
    async def play(web, get):
        web.answers = {"/feed": reply(200, FEED, set_cookie="id=1")}
        await get("/feed")
        await get("/feed")
        return [request.headers for request in web.requests]

    for headers in against(play):
        assert {"if-none-match", "if-modified-since", "cookie"}.isdisjoint(headers)


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", lambda data: gzip.compress(data) + b"\0" * 8),
        ("deflate", zlib.compress),
        ("deflate", lambda data: zlib.compress(data)[2:-4]),
        ("gzip", lambda data: gzip.compress(data[:7]) + gzip.compress(data[7:])),
        ("gzip", lambda data: gzip.compress(data) + b"<!-- served in 3 ms -->"),
        ("gzip", bytes),
        ("deflate", bytes),
        ("br", brotli.compress),
        ("br", bytes),
        ("utf-8", bytes),
        ("identity", bytes),
    ],
)
def test_a_packed_answer_is_unpacked(encoding, pack):
    assert fetched(feed=reply(200, pack(FEED), content_encoding=encoding)).data == FEED


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_bomb_stops_at_the_limit(encoding, pack):
    bomb = pack(b"a" * 60_000_000, 1)
    error = refused(feed=reply(200, bomb, content_encoding=encoding))
    assert "larger than 10000000 bytes" in str(error)


def test_a_long_answer_stops_at_the_limit_without_being_read_to_its_end():
    sent = 0

    async def endless(_request: Request, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while sent < 500_000_000:
            writer.write(b"a" * 100_000)
            sent += 100_000
            await writer.drain()

    assert "larger than" in str(refused(feed=endless))
    assert sent < 100_000_000


@pytest.mark.parametrize(
    ("encoding", "body", "words"),
    [
        ("gzip", b"not gzip at all", "damaged"),
        ("deflate", b"\xff\xff\xff", "damaged"),
        ("gzip", gzip.compress(FEED * 100, mtime=0)[:-20], "cut off"),
        ("br", b"xx", "cut off"),
        ("br", brotli.compress(FEED * 100)[:-3], "cut off"),
        ("br", b"no brotli at all", "damaged"),
        ("zstd", b"xx", 'packed as "zstd"'),
        ("gzip, gzip", b"xx", 'packed as "gzip, gzip"'),
    ],
)
def test_what_cannot_be_unpacked_is_a_fetch_error(encoding, body, words):
    assert words in str(refused(feed=reply(200, body, content_encoding=encoding)))


@pytest.mark.parametrize("status", [202, 204, 205, 206, 226, 300, 305, 400, 401, 403, 404, 410, 429, 500, 503])
def test_any_other_status_is_a_fetch_error_that_tells_it(status):
    error = refused(feed=reply(status))
    assert (error.status, error.retry_after_s) == (status, None)
    assert str(status) in str(error)


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [
        ("120", 120, 120),
        ("0", 0, 0),
        ("999999999999999999", 86_400, 86_400),
        ("-5", None, None),
        ("soon", None, None),
        ("Mon, 23 Nov 2020 00:00:00 GMT", 0, 0),
        (timedelta(hours=1), 3_000, 3_600),
        (timedelta(days=400), 86_400, 86_400),
    ],
)
def test_retry_after_is_read_in_both_forms_and_capped_at_a_day(value, least, most):
    if isinstance(value, timedelta):
        value = format_datetime(datetime.now(UTC) + value, usegmt=True)
    wish = refused(feed=reply(503, retry_after=value)).retry_after_s
    assert wish == least or (wish is not None and least is not None and least <= wish <= most)


def test_a_temporary_redirect_is_followed_and_leaves_the_source_where_it_is():
    answer = fetched(feed=reply(302, location="/other?x=1"), other=reply(200, FEED))
    assert answer.url.endswith("/other?x=1")
    assert answer.permanent_redirect_to is None


@pytest.mark.parametrize(("first", "second", "moved"), [(301, 308, "/c"), (308, 302, "/b"), (302, 301, None)])
def test_a_source_has_moved_as_far_as_every_hop_was_permanent(first, second, moved):
    answer = fetched("/a", a=reply(first, location="/b"), b=reply(second, location="/c#top"), c=reply(200, FEED))
    target = answer.permanent_redirect_to
    assert answer.data == FEED
    assert target is None if moved is None else str(target).endswith(moved)


def test_a_redirect_may_end_in_not_modified():
    assert fetched(feed=reply(301, location="/b"), b=reply(304)).not_modified


def test_five_redirects_are_followed_and_a_sixth_is_not():
    hops: dict[str, Any] = {f"h{n}": reply(302, location=f"/h{n + 1}") for n in range(6)}
    assert fetched("/h1", **hops, h6=reply(200, FEED)).data == FEED
    assert "redirects more than 5 times" in str(refused("/h0", **hops, h6=reply(200, FEED)))


def test_a_redirect_loop_ends():
    assert "redirects in a circle" in str(refused(feed=reply(301, location="/feed")))
    assert "in a circle" in str(refused(feed=reply(302, location="/b"), b=reply(302, location="/feed")))


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "ftp://x.example/", "", "http://[", "//", "http://x\\@y:99999/", "http://xn--/"]
)
def test_a_redirect_to_nowhere_on_the_web_is_refused(location):
    refused(feed=reply(302, location=location))


def test_the_time_limit_is_for_everything_together():
    async def drip(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        for _ in range(100):
            writer.write(b"a")
            await writer.drain()
            await asyncio.sleep(0.05)

    started = time.monotonic()
    with pytest.raises(FetchError, match=r"took longer than 0\.3 s"):
        fetched(feed=drip, options={"timeout_s": 0.3})
    assert time.monotonic() - started < 3


def test_one_stalling_server_does_not_hold_up_another_fetch():
    async def stall(_request: Request, _writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(20)

    async def play(web, get):
        web.answers = {"/stall": stall, "/feed": reply(200, FEED)}
        stalling = asyncio.create_task(get("/stall", timeout_s=15))
        answer = await get("/feed", timeout_s=5)
        stalling.cancel()
        await asyncio.gather(stalling, return_exceptions=True)
        return answer

    assert against(play).data == FEED


@pytest.mark.parametrize("garbage", [b"", b"hello\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort"])
def test_a_server_that_speaks_no_http_is_a_fetch_error(garbage):
    async def answer(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(garbage)

    assert refused(feed=answer).status is None


@pytest.mark.parametrize(
    "url",
    ["", "feed", "file:///etc/passwd", "http://", "http://[::1", "http://x:99999999/", "http://\0/", "http://xn--/"],
)
def test_what_is_no_web_address_is_a_fetch_error(url):
    async def scene() -> None:
        async with make_client(AGENT, allow_private=True) as http:
            await fetch(http, url)

    with pytest.raises(FetchError):
        asyncio.run(scene())


def test_nobody_listening_is_a_fetch_error():
    async def scene() -> None:
        async with scripted_web() as web:
            url = web.url
        async with make_client(AGENT, allow_private=True) as http:
            await fetch(http, url)

    with pytest.raises(FetchError):
        asyncio.run(scene())


LOGIN = "desk:hush@"


def test_name_and_password_go_to_their_server_and_stand_in_nothing_that_is_told_of_the_answer():
    async def play(web, _get):
        web.answers = {"/old": reply(301, location="/feed"), "/feed": reply(200, FEED)}
        asked = web.url.replace("//", f"//{LOGIN}") + "/old"
        async with make_client(AGENT, allow_private=True) as http:
            return web.url, await fetch(http, asked), [one.headers.get("authorization") for one in web.requests]

    home, answer, sent = against(play)
    assert (answer.url, answer.permanent_redirect_to) == (f"{home}/feed", f"{home}/feed")
    assert [str(one)[:6] for one in sent] == ["basic ", "basic "]


def test_another_server_is_sent_no_password_by_a_redirect():
    async def play(web, get):
        async with scripted_web() as other:
            other.answers = {"/feed": reply(200, FEED)}
            web.answers = {"/old": reply(302, location=f"{other.url}/feed")}
            await get("/old")
            async with make_client(AGENT, allow_private=True) as http:
                await fetch(http, web.url.replace("//", f"//{LOGIN}") + "/old")
            return [one.headers.get("authorization") for one in other.requests]

    assert against(play) == [None, None]


@pytest.mark.parametrize("path", ["/none", "/circle", "/elsewhere", "/nowhere", "/slow"])
def test_no_error_tells_a_password(path):
    async def stalls(*_: Any) -> None:
        await asyncio.sleep(30)

    async def play(web, _get):
        web.answers = {
            "/circle": reply(302, location="/circle"),
            "/elsewhere": reply(302, location="ftp://x/"),
            "/nowhere": reply(302),
            "/slow": stalls,
        }
        async with make_client(AGENT, allow_private=True) as http:
            await fetch(http, web.url.replace("//", f"//{LOGIN}") + path, timeout_s=0.3)

    with pytest.raises(FetchError) as caught:
        against(play)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "address", ["http://desk:hush@[", "http://desk:hush@a:b/", "ftp://desk:hush@a/", "//desk:hush@/"]
)
def test_what_is_no_address_is_refused_without_its_password(address):
    async def play(_web, _get):
        async with make_client(AGENT, allow_private=True) as http:
            await fetch(http, address)

    with pytest.raises(FetchError) as caught:
        against(play)
    assert "hush" not in str(caught.value)
