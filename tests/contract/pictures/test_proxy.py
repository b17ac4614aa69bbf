"""The image proxy against a server that does everything a server may do, right and wrong."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contract.pictures.samples import jpeg, png
from tests.contract.sources.scripted_web import Answer, Request, ScriptedWeb, reply, scripted_web
from worker.adapters.pictures import proxy as module
from worker.adapters.pictures.proxy import BusyError, PictureProxy, ShownPicture
from worker.adapters.pictures.shelf import Shelf
from worker.adapters.sources import address_guard

PICTURE = png()
Make = Callable[..., PictureProxy]


def against(tmp_path: Path, play: Callable[[ScriptedWeb, Make], Awaitable[Any]]) -> Any:
    """Run `play` with a server, and a maker of proxies that find picture n at `/n`."""

    async def scene() -> Any:
        async with scripted_web() as web:

            def make(**options: Any) -> PictureProxy:
                given: dict[str, Any] = {
                    "address_of": lambda number: f"{web.url}/{number}",
                    "allow_private": True,
                    "user_agent": "us",
                }
                return PictureProxy(Shelf(tmp_path, max_bytes=10_000_000), **(given | options))

            return await play(web, make)

    return asyncio.run(scene())


def brought(tmp_path: Path, answer: Answer, **options: Any) -> ShownPicture | None:
    async def play(web: ScriptedWeb, make: Make) -> ShownPicture | None:
        web.answers = {"/1": answer}
        return await make(**options).get(1)

    found: ShownPicture | None = against(tmp_path, play)
    return found


def test_a_picture_comes_as_it_is_and_by_its_own_kind_whatever_the_server_calls_it(tmp_path):
    shown = brought(tmp_path, reply(200, jpeg(), content_type="text/html", set_cookie="id=1"))
    assert shown == ShownPicture(data=jpeg(), media_type="image/jpeg")


def test_a_thousand_readers_are_one_request_which_tells_nothing_of_them(tmp_path):
    async def play(web, make):
        web.answers = {"/1": reply(200, PICTURE)}
        proxy = make()
        found = await asyncio.gather(*(proxy.get(1) for _ in range(1_000)))
        found += [await proxy.get(1), await make().get(1)]  # from the disk, another process's too
        return {one.data for one in found}, web.requests

    data, requests = against(tmp_path, play)
    assert data == {PICTURE}
    [request] = requests
    assert set(request.headers) == {"host", "user-agent", "accept", "accept-encoding", "connection"}
    assert request.headers["accept"].startswith("image/")


def test_a_reader_who_walks_away_ends_it_for_nobody_else(tmp_path):
    async def play(web, make):
        asked, go = asyncio.Event(), asyncio.Event()

        async def slowly(request: Request, writer: asyncio.StreamWriter) -> None:
            asked.set()
            await go.wait()
            await reply(200, PICTURE)(request, writer)

        web.answers = {"/1": slowly}
        proxy = make()
        first, second = (asyncio.create_task(proxy.get(1)) for _ in range(2))
        await asked.wait()
        first.cancel()
        go.set()
        return await second, len(web.requests)

    shown, requests = against(tmp_path, play)
    assert (shown.data, requests) == (PICTURE, 1)


async def _drip(_request: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 X\r\nContent-Length: 5000\r\n\r\n" + PICTURE[:40])
    for _ in range(200):
        writer.write(b"\0")
        await writer.drain()
        await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    "answer",
    [
        reply(200, b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", content_type="image/png"),
        reply(200, b"<script>alert(1)</script>", content_type="image/jpeg"),
        reply(200, png(1, 1)),
        reply(200, png(30_000, 30_000)),
        reply(200, PICTURE + bytes(5_000_000)),
        reply(200, gzip.compress(PICTURE) + gzip.compress(bytes(1_000_000)) * 50, content_encoding="gzip"),
        reply(200, PICTURE, content_encoding="br"),
        reply(404, PICTURE),
        reply(302, location="/1"),
        reply(302, location="file:///etc/passwd"),
        reply(200, b""),
        _drip,
    ],
    ids=["svg", "html", "beacon", "pixels", "bytes", "bomb", "packed", "missing", "circle", "file", "empty", "drip"],
)
def test_what_cannot_be_had_or_shown_is_none(tmp_path, answer):
    assert brought(tmp_path, answer, timeout_s=0.5) is None
    assert list(tmp_path.glob("??/*")) == []


def test_what_failed_is_not_asked_for_again_at_once(tmp_path, monkeypatch):
    async def play(web, make):
        web.answers = {"/1": reply(500)}
        proxy = make()
        found = [await proxy.get(1) for _ in range(5)]
        seen = len(web.requests)
        monkeypatch.setattr(module, "FAILED_FOR_S", -1.0)
        later = make()
        await later.get(1)
        web.answers = {"/1": reply(200, PICTURE)}
        return found, seen, await later.get(1)

    found, seen, later = against(tmp_path, play)
    assert found == [None] * 5
    assert seen == 1
    assert later is not None


def test_nothing_is_fetched_from_within_the_house(tmp_path):
    async def play(web, make):
        web.answers = {"/1": reply(200, PICTURE)}
        return await make(allow_private=False).get(1), web.connections

    assert against(tmp_path, play) == (None, 0)


def test_no_redirect_leads_into_the_house(tmp_path, monkeypatch):
    # For the guard, this test's server is out in the world, and every other loopback address is not.
    monkeypatch.setattr(address_guard, "is_public", lambda address: address == "127.0.0.1")

    async def play(web, make):
        inner = web.url.replace("127.0.0.1", "127.0.0.2")
        web.answers = {"/1": reply(302, location=f"{inner}/2"), "/2": reply(200, PICTURE), "/3": reply(200, PICTURE)}
        proxy = make(allow_private=False)
        return await proxy.get(1), await proxy.get(3), [request.path for request in web.requests]

    refused, shown, paths = against(tmp_path, play)
    assert refused is None
    assert shown.data == PICTURE
    assert paths == ["/1", "/3"]


def test_a_stopped_storys_picture_is_shown_no_more_though_it_is_kept(tmp_path):
    async def play(web, make):
        web.answers = {"/1": reply(200, PICTURE)}
        shown = await make().get(1)
        return shown, await make(address_of=lambda _: None).get(1)

    shown, stopped = against(tmp_path, play)
    assert shown is not None
    assert stopped is None


def test_so_many_pictures_are_fetched_at_once_and_so_many_wait(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_MOST_WAITING", 12)

    async def play(web, make):
        full, go, open_now, most = asyncio.Event(), asyncio.Event(), 0, 0

        async def counted(request: Request, writer: asyncio.StreamWriter) -> None:
            nonlocal open_now, most
            open_now += 1
            most = max(most, open_now)
            if open_now == 8:
                full.set()
            await go.wait()
            open_now -= 1
            await reply(200, PICTURE)(request, writer)

        web.answers = {f"/{number}": counted for number in range(12)}
        proxy = make()
        waiting = [asyncio.create_task(proxy.get(number)) for number in range(12)]
        await full.wait()
        with pytest.raises(BusyError):
            await proxy.get(99)
        go.set()
        found = await asyncio.gather(*waiting)
        return most, all(one.data == PICTURE for one in found)

    assert against(tmp_path, play) == (8, True)
