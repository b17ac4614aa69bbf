"""What servers do beside the rules: odd validators, lies about lengths, floods, and packed bodies without end."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib

import brotli
import pytest

from tests.contract.sources.scripted_web import Request, reply
from tests.contract.sources.test_fetch import FEED, against, fetched, refused
from worker.adapters.sources.inflate import Inflater
from worker.errors import FetchError


def raw(answer: bytes):
    """Answer with these very bytes."""

    async def write(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)

    return write


def asked_again_with(**validators: str) -> bytes:
    """Return the head of a question that sends back validators as the server has given them."""

    async def play(web, get):
        web.answers = {"/feed": reply(200, FEED, **validators)}
        first = await get("/feed")
        await get("/feed", etag=first.etag, last_modified=first.last_modified)
        return web.requests[1].head

    head: bytes = against(play)
    return head


@pytest.mark.parametrize(
    "etag",
    ['W/"weak"', "no-quotes", '"5f-gzip"', '"\u00fcber\u00df"', '"\u00c3\u00bc"', '""', '"a", "b"', 'W/"a b\tc"', "*"],
)
def test_an_etag_goes_back_byte_for_byte(etag):
    assert b"\r\nIf-None-Match: " + etag.encode("latin-1") + b"\r\n" in asked_again_with(etag=etag)


def test_a_date_goes_back_byte_for_byte():
    head = asked_again_with(last_modified="Lun, 23 F\u00e9v 2026")
    assert b"\r\nIf-Modified-Since: Lun, 23 F\xe9v 2026\r\n" in head


@pytest.mark.parametrize("etag", ["x" * 1_001, '"a\x01b"'])
def test_a_validator_that_is_no_good_is_not_kept(etag):
    assert fetched(feed=reply(200, FEED, etag=etag)).etag == ""


@pytest.mark.parametrize("stored", ["a\r\nCookie: x", "\u20ac", "a\0b", " a"])
def test_a_stored_validator_that_no_server_can_have_given_does_not_spoil_the_question(stored):
    assert fetched(feed=reply(200, FEED), options={"etag": stored}).data == FEED


def test_we_ask_for_what_we_can_unpack_and_name_ourselves():
    async def play(web, get):
        web.answers = {"/feed": reply(200, FEED)}
        await get("/feed")
        return web.requests[0].head

    head = against(play)
    assert b"\r\nAccept-Encoding: gzip, deflate, br\r\n" in head
    assert head.count(b"Accept-Encoding") == 1
    assert b"(+https://courier.example/bot)" in head


def test_connections_are_kept_and_used_again():
    async def kept(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(FEED), FEED))

    async def twice(request: Request, writer: asyncio.StreamWriter) -> None:
        await kept(request, writer)
        await writer.drain()
        await asyncio.sleep(5)  # the scripted server would hang up

    async def play(web, get):
        web.answers = {"/feed": twice}
        first = await get("/feed")
        second = asyncio.create_task(get("/feed", timeout_s=0.2))
        await asyncio.gather(second, return_exceptions=True)
        return first.data, web.connections

    assert against(play) == (FEED, 1)


def test_a_server_that_says_nothing_is_given_up_before_all_the_time_is_over():
    async def silent(_request: Request, _writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(20)

    async def dripping(_request: Request, writer: asyncio.StreamWriter) -> None:
        for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 1_000:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.02)

    for script in (silent, dripping):
        with pytest.raises(FetchError, match=r"no answer within 0\.2 s"):
            fetched(feed=script, options={"head_s": 0.2, "timeout_s": 15})


def test_headers_without_end_are_refused():
    async def flood(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(100_000):
            writer.write(b"X-%d: %b\r\n" % (number, b"y" * 100))
            if number % 100 == 0:
                await writer.drain()

    assert refused(feed=flood).status is None


def test_interim_answers_without_end_are_given_up():
    async def wait(_request: Request, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100)
            await writer.drain()
            await asyncio.sleep(0.005)

    with pytest.raises(FetchError):
        fetched(feed=wait, options={"head_s": 0.3})


def test_a_length_that_promises_too_much_is_refused_before_a_byte_is_read():
    assert "larger than" in str(refused(feed=raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")))


def test_lies_about_the_length():
    refused(feed=raw(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n<rss>"))  # less came: it is cut off
    refused(feed=raw(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n<rss>"))
    refused(feed=raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 9\r\n\r\n<rss>more"))
    more = fetched(feed=raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<rss>and more"))
    assert more.data == b"<rss>"
    refused(feed=raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n<rss>"))


def test_an_empty_answer_is_an_empty_document():
    assert fetched(feed=reply(200, b"")).data == b""
    assert fetched(feed=reply(200, b"", content_encoding="gzip")).data == b""
    assert fetched(feed=reply(203, FEED)).data == FEED


def test_freshness_is_told_with_documents_and_with_word_that_they_are_the_same():
    kept = "public, max-age=600"
    assert fetched(feed=reply(200, FEED, cache_control=kept, age="60")).fresh_s == 540
    assert fetched(feed=reply(304, cache_control=kept, age="60")).fresh_s == 540
    assert fetched(feed=reply(200, FEED)).fresh_s is None
    assert fetched(feed=reply(200, FEED, expires="0")).fresh_s is None
    assert fetched(feed=reply(200, FEED, cache_control="max-age=soon, no-store")).fresh_s == 0


def test_what_a_server_says_of_itself_is_one_printable_line():
    long = "x" * 5_000
    error = refused(feed=reply(302, location=f"/{long}"), **{long: reply(500)})
    assert (error.status, len(str(error))) == (500, 500)
    elsewhere = str(refused(feed=reply(302, location="ftp://\x85\x9b31m/")))
    assert elsewhere.isprintable()


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
@pytest.mark.parametrize("step", [1, 3, 100])
def test_a_body_may_come_in_pieces_of_any_size(encoding, step):
    document = FEED * 50
    packed = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress}[encoding](document)
    inflater = Inflater(encoding, max_bytes=10_000)
    for at in range(0, len(packed), step):
        inflater.feed(packed[at : at + step])
    assert inflater.finish() == document


@pytest.mark.parametrize("step", [1, 20, 1_000])
def test_gzip_members_are_one_document_however_they_come(step):
    packed = b"".join(gzip.compress(bytes([letter])) for letter in b"newspaper") + b"\0" * 30
    inflater = Inflater("gzip", max_bytes=10_000)
    for at in range(0, len(packed), step):
        inflater.feed(packed[at : at + step])
    assert inflater.finish() == b"newspaper"


def test_a_million_empty_members_are_refused():
    inflater = Inflater("gzip", max_bytes=10_000_000)
    with pytest.raises(FetchError, match="members"):
        inflater.feed(gzip.compress(b"") * 2_000)


def test_bytes_that_unpack_to_nothing_are_counted_too():
    inflater = Inflater("deflate", max_bytes=1_000)
    with pytest.raises(FetchError, match="larger than"):
        inflater.feed(b"\x78\x9c" + b"\x00\x00\x00\xff\xff" * 300)  # stored blocks of no bytes


def test_a_brotli_bomb_stops_at_the_limit_in_bounded_memory():
    bomb = brotli.compress(b"a" * 40_000_000, quality=1)
    inflater = Inflater("br", max_bytes=2_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(FetchError, match="larger than 2000000 bytes"):
            inflater.feed(bomb)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
