"""What every source must keep: it takes its own documents, leaves others', and survives anything."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from tests.contract.sources.samples import SAMPLES, URL, all_files, expected, sample, source, told
from tests.thorough import thorough
from worker.adapters.sources.files import SOURCES, read_document, read_feed
from worker.errors import FeedError, InputError
from worker.model import ParsedArticle

_NAMES = [source.name for source in SOURCES]
_LINES = ("guid", "url", "title", "author", "section", "source", "lang")


def test_every_sample_file_is_tested_and_every_source_has_one():
    assert set(SAMPLES) == all_files()
    assert set(SAMPLES.values()) == set(_NAMES)


@pytest.mark.parametrize("name", SAMPLES)
def test_exactly_one_source_recognises_a_document(name):
    assert [source.name for source in SOURCES if source.recognises(sample(name), "")] == [SAMPLES[name]]


@pytest.mark.parametrize("content_type", ["text/html", "text/plain; charset=utf-8", "application/octet-stream"])
@pytest.mark.parametrize("name", [name for name, kind in SAMPLES.items() if kind in {"feed", "json-feed"}])
def test_a_feed_is_recognised_whatever_the_server_calls_it(name, content_type):
    assert source(SAMPLES[name]).recognises(sample(name), content_type)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_document_reads_as_expected(name):
    articles = source(SAMPLES[name]).parse(sample(name), url=URL, content_type="").articles
    assert [told(article) for article in articles] == expected(name)


@pytest.mark.parametrize("name", SAMPLES)
def test_the_chooser_gives_what_the_source_gives(name):
    assert [told(article) for article in read_document(sample(name), url=URL, content_type="")] == expected(name)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", SAMPLES)
def test_a_byte_order_mark_settles_the_encoding(name, encoding):
    data = sample(name).decode().encode(encoding)
    assert [told(article) for article in read_document(data, url=URL, content_type="")] == expected(name)


@pytest.mark.parametrize("name", _NAMES)
@given(data=st.binary(max_size=400))
@thorough(few=25, many=60, deadline=timedelta(seconds=5))
def test_any_bytes_are_articles_or_an_input_error(name, data):
    _read_or_refuse(name, data, "")


@pytest.mark.parametrize("name", SAMPLES)
@given(seed=st.data())
@thorough(few=15, many=40, deadline=timedelta(seconds=5), suppress_health_check=[HealthCheck.too_slow])
def test_damaged_documents_are_articles_or_an_input_error(name, seed):
    data = bytearray(sample(name))
    for _ in range(seed.draw(st.integers(1, 4))):
        at = seed.draw(st.integers(0, len(data)))
        data[at : at + seed.draw(st.integers(0, 60))] = seed.draw(st.binary(max_size=20) | st.sampled_from(_NASTY))
    _read_or_refuse(SAMPLES[name], bytes(data), seed.draw(st.sampled_from(_CONTENT_TYPES)))


@given(st.text(alphabet="<>/!?[]-=\"' &;#x0aprsitemdculn:{},\n", max_size=300))
@thorough(many=150, deadline=timedelta(seconds=5))
def test_soup_of_markup_is_articles_or_an_input_error(soup):
    for name in _NAMES:
        _read_or_refuse(name, soup.encode(), "text/xml")
        _read_or_refuse(name, f"<rss><channel><item>{soup}</item></channel></rss>".encode(), "")


def test_bytes_that_nobody_reads_are_a_feed_error_that_names_the_file():
    for data in (b"", b"%PDF-1.7 ...", b"\x89PNG\r\n\x1a\n", b"PK\x03\x04..."):
        with pytest.raises(FeedError, match=r"^thing\.bin: "):
            read_document(data, url="", content_type="", file_name="thing.bin")
        with pytest.raises(FeedError, match=r"^thing\.bin: "):
            read_feed(data, url="", content_type="", file_name="thing.bin")


def test_a_document_over_the_limit_is_refused_before_it_is_read():
    with pytest.raises(InputError, match=r"^big\.txt: larger than the limit of 10 MB"):
        read_document(b"a" * 10_000_001, url="", content_type="", file_name="big.txt")


_NASTY = [
    b"\0", b"\xff", b"]]>", b"<![CDATA[", b"<!--", b"&bogus;", b"&#0;", b"&#x110000;", b"&#99999999999;", b"</item>",
    b"<item>", b"<title>", b'"', b"\\ud800", b"\\u0000", b"<?xml version='1.0' encoding='punycode'?>", b"1e999", b"http://[",
]  # fmt: skip
_CONTENT_TYPES = [
    "",
    "text/html",
    "text/xml; charset=utf-7",
    "application/json; charset=nonsense",
    "application/feed+json",
]


def _read_or_refuse(name: str, data: bytes, content_type: str) -> None:
    try:
        articles = source(name).parse(data, url=URL, content_type=content_type).articles
    except InputError as error:
        articles, line = (), str(error)
        assert line, "an error says something"
        assert len(line.splitlines()) == 1, line
    for article in articles:
        _is_sound(article, strict_url=name != "json")  # what a person writes there is refused later, by name


def _is_sound(article: ParsedArticle, *, strict_url: bool = False) -> None:
    for name in _LINES:
        assert len(getattr(article, name).splitlines()) <= 1, name
    text = "".join([*(getattr(article, name) for name in _LINES), article.summary, article.body, *article.tags])
    assert "\0" not in text
    text.encode()
    assert not strict_url or article.url == "" or article.url.lower().startswith(("http://", "https://"))
    assert "\n\n\n" not in article.body
    for moment in (article.published_at, article.updated_at):
        assert moment is None or moment.utcoffset() == timedelta(0)
