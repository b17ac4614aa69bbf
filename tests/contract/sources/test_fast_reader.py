"""The fast reader in front of feedparser gives exactly what feedparser gives, or leaves a feed to it."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from tests.bench.feed_world import feeds
from tests.contract.sources.made_feeds import made_feeds
from tests.contract.sources.samples import SAMPLES, sample
from tests.thorough import often
from worker.adapters.sources import feed_fast
from worker.adapters.sources.feed import parsed_feed
from worker.adapters.sources.feed_formats import format_of
from worker.adapters.sources.feed_xml import read_xml
from worker.errors import FeedError
from worker.feeds import ParsedFeed

_URL = "https://base.example/feeds/main.xml"
_ADDRESSES = [_URL, "", "https://base.example", "http://base.example/a/../b?x#y", "HTTP://BASE.example:80//x"]


def read(data: bytes, *, fast: bool, url: str = _URL) -> ParsedFeed | str:
    try:
        return parsed_feed(read_xml(data, url=url, content_type="", fast=fast), data, url, "")
    except FeedError as error:
        return str(error)


@pytest.mark.thorough
def test_the_fast_reader_gives_what_feedparser_gives_of_any_feed():
    taken: list[bool] = []

    @given(data=made_feeds())
    @settings(max_examples=often(few=50, many=250), suppress_health_check=list(HealthCheck))
    def agree(data: bytes) -> None:
        assert read(data, fast=True) == read(data, fast=False)
        text = data.decode()
        taken.append(bool(feed_fast.read(text, url=_URL, version=format_of(text.partition(">")[0]))))

    agree()
    assert sum(taken) > len(taken) / 10, "the fast reader takes too few of them for this to prove anything"


@pytest.mark.parametrize("name", ["author", "dc:creator", "itunes:author", "managingEditor"])
@pytest.mark.parametrize("place", ["<title>t</title>{}<entry/>", "<entry/>{}", "<entry>{}</entry>"])
def test_whoever_an_atom_feed_names_as_author_both_readers_take_for_its_entries(name, place):
    spaces = 'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"'
    told = place.format(f"<{name}>Ada Moreau</{name}>")
    data = f'<feed xmlns="http://www.w3.org/2005/Atom" {spaces}>{told}</feed>'.encode()
    assert read(data, fast=True) == (slow := read(data, fast=False))
    assert isinstance(slow, ParsedFeed)
    assert slow.articles[0].author == "Ada Moreau"


@pytest.mark.parametrize("name", [name for name, kind in SAMPLES.items() if kind == "feed"])
@pytest.mark.parametrize("url", _ADDRESSES)
def test_the_fast_reader_gives_what_feedparser_gives_of_the_samples(name, url):
    assert read(sample(name), fast=True, url=url) == read(sample(name), fast=False, url=url)


def test_ordinary_feeds_are_read_without_feedparser(monkeypatch):
    made = list(feeds(20, mean_bytes=6_000))
    slow = [read(one.data, fast=False) for one in made]
    monkeypatch.setattr("worker.adapters.sources.feed_xml._read_strictly", pytest.fail)
    monkeypatch.setattr("worker.adapters.sources.feed_xml._read_loosely", pytest.fail)
    ordinary = [(one, read) for one, read in zip(made, slow, strict=True) if one.kind != "not-xml"]
    assert [read(one.data, fast=True) for one, _ in ordinary] == [told for _, told in ordinary]


def test_feedparser_reads_what_the_fast_reader_leaves():
    odd = b'<rss version="2.0"><channel><item><title>One</title><title>Two</title></item></channel></rss>'
    assert feed_fast.read(odd.decode(), url=_URL, version="rss20") is None
    told = read(odd, fast=True)
    assert isinstance(told, ParsedFeed)
    assert told.articles[0].title == "One"
