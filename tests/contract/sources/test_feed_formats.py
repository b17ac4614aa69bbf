"""Which format a feed is in, and what it asks of whoever polls it."""

from __future__ import annotations

import json

import pytest

from tests.contract.sources.samples import sample
from worker.adapters.sources.files import read_feed
from worker.feeds import Manners, ParsedFeed

_NAMESPACES = (
    'xmlns:sy="http://purl.org/rss/1.0/modules/syndication/" xmlns:atom="http://www.w3.org/2005/Atom" '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
)


def read(text: str) -> ParsedFeed:
    return read_feed(text.encode(), url="https://news.example/feed", content_type="")


def rss(head: str) -> ParsedFeed:
    return read(f'<rss version="2.0" {_NAMESPACES}><channel><title>News</title>{head}</channel></rss>')


@pytest.mark.parametrize(
    ("root", "name"),
    [
        ('<rss version="0.91">', "rss091"),
        ('<rss version="0.92">', "rss092"),
        ('<rss version="0.93">', "rss093"),
        ('<rss version="0.94">', "rss094"),
        ('<rss version="2.0">', "rss20"),
        ('<rss version="2.0.1">', "rss20"),
        ("<rss>", "rss"),
        (f'<rss {_NAMESPACES} version="2.0">', "rss20"),
        (f'<rdf:RDF {_NAMESPACES} xmlns="http://purl.org/rss/1.0/">', "rss10"),
        (f'<rdf:RDF {_NAMESPACES} xmlns="http://my.netscape.com/rdf/simple/0.9/">', "rss090"),
        ('<feed version="0.3" xmlns="http://purl.org/atom/ns#">', "atom03"),
        ('<feed xmlns="http://purl.org/atom/ns#">', "atom03"),
        ('<feed xmlns="http://www.w3.org/2005/Atom">', "atom10"),
        ('<atom:feed xmlns:atom="http://www.w3.org/2005/Atom">', "atom10"),
    ],
)
def test_every_dialect_of_rss_and_atom_is_told_by_its_root(root, name):
    tag = root[1:].split(" ")[0].rstrip(">")
    prefix = "atom:" if tag.startswith("atom:") else ""
    inner = f"<{prefix}entry><{prefix}title>One</{prefix}title></{prefix}entry>"
    if "feed" not in tag:
        item = "<item><title>One</title></item>"
        inner = f"<channel><title>x</title></channel>{item}" if "RDF" in tag else f"<channel>{item}</channel>"
    told = read(f"{root}{inner}</{tag}>")
    assert (told.format, [article.title for article in told.articles]) == (name, ["One"])


@pytest.mark.parametrize(
    ("name", "told"), [("json_feed_10.json", "json-feed-1"), ("json_feed_11.json", "json-feed-1.1")]
)
def test_the_versions_of_json_feed_are_told_apart(name, told):
    assert read_feed(sample(name), url="", content_type="").format == told


def test_the_only_date_of_an_rdf_item_is_that_of_its_publication_though_the_feed_has_a_link_of_atoms():
    told = read(
        f'<rdf:RDF {_NAMESPACES} xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>'
        '<atom:link rel="self" href="https://news.example/rdf"/></channel>'
        "<item><title>One</title><dc:date>2026-11-23T09:00:00Z</dc:date></item></rdf:RDF>"
    )
    assert (told.format, told.topic) == ("rss10", "https://news.example/rdf")
    assert told.articles[0].published_at
    assert told.articles[0].updated_at is None


@pytest.mark.parametrize(
    ("head", "every_s"),
    [
        ("<ttl>15</ttl>", 900),
        ("<ttl> 60 </ttl>", 3_600),
        ("<ttl>0</ttl>", None),
        ("<ttl>-5</ttl>", None),
        ("<ttl>soon</ttl>", None),
        ("<ttl>99999999</ttl>", 604_800),
        ("<ttl>999999999999999999999999</ttl>", None),
        ("<ttl>0.1</ttl>", 60),
        ("<sy:updatePeriod>hourly</sy:updatePeriod>", 3_600),
        ("<sy:updatePeriod>\n\tHourly </sy:updatePeriod><sy:updateFrequency>\n4 </sy:updateFrequency>", 900),
        ("<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>0</sy:updateFrequency>", 86_400),
        ("<sy:updatePeriod>yearly</sy:updatePeriod>", 604_800),
        ("<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>100000</sy:updateFrequency>", 60),
        ("<sy:updatePeriod>never</sy:updatePeriod>", None),
        ("<ttl>5</ttl><sy:updatePeriod>daily</sy:updatePeriod>", 300),
        ("", None),
    ],
)
def test_how_often_a_feed_says_that_it_changes_is_believed_within_reason(head, every_s):
    assert rss(head).manners == Manners(every_s=every_s)


def test_hours_and_days_to_skip_are_those_of_the_clock_and_the_week():
    hours = "".join(f"<hour>{hour}</hour>" for hour in ["0", "24", "7", " 23 ", "25", "-1", "x", "7.5", ""])
    days = "<day>Saturday</day><day>sunday</day><day>Caturday</day>"
    told = rss(f"<skipHours>{hours}</skipHours><skipDays>{days}</skipDays>")
    assert told.manners == Manners(skip_hours=frozenset({0, 7, 23}), skip_days=frozenset({5, 6}))


def test_a_feed_that_would_skip_every_hour_and_every_day_is_not_believed():
    hours = "".join(f"<hour>{hour}</hour>" for hour in range(24))
    days = "".join(f"<day>{day}day</day>" for day in ("Mon", "Tues", "Wednes", "Thurs", "Fri", "Satur", "Sun"))
    assert rss(f"<skipHours>{hours}</skipHours><skipDays>{days}</skipDays>").manners == Manners()


def test_hubs_and_the_feeds_own_address_are_told_of_rss_by_atoms_links():
    told = rss(
        '<link>https://news.example</link><atom:link rel="hub" href="https://hub.example/"/>'
        '<atom:link rel="HUB" href="https://hub.example/"/><atom:link rel="hub" href="ftp://hub.example/"/>'
        '<atom:link rel="self" href="/feed.xml"/><atom:link rel="hub self" href="https://other.example/x"/>'
    )
    assert told.hubs == ("https://hub.example/", "https://other.example/x")
    assert told.topic == "https://news.example/feed.xml"


def test_hubs_and_the_feeds_own_address_are_told_of_atom():
    links = "".join(f'<link rel="hub" href="https://hub{number}.example/"/>' for number in range(50))
    told = read(
        f'<feed xmlns="http://www.w3.org/2005/Atom"><link rel="self" href="https://a.example/f"/>{links}</feed>'
    )
    assert told.topic == "https://a.example/f"
    assert told.hubs == tuple(f"https://hub{number}.example/" for number in range(5))


def test_an_items_own_links_are_no_hubs():
    item = '<item><title>x</title><atom:link rel="hub" href="https://evil.example/"/></item>'
    assert rss(item).hubs == ()


def test_hubs_and_the_feeds_own_address_are_told_of_json_feed():
    hubs = [{"type": "WebSub", "url": "https://hub.example/"}, {"type": "rssCloud", "url": "https://c.example/"}, "x"]
    feed = {"version": "https://jsonfeed.org/version/1.1", "items": [], "title": "News", "hubs": hubs}
    told = read(json.dumps({**feed, "feed_url": "https://news.example/feed.json"}))
    assert (told.hubs, told.topic, told.title) == (("https://hub.example/",), "https://news.example/feed.json", "News")
    assert read(json.dumps({**feed, "feed_url": 7, "hubs": {"type": "WebSub"}})).hubs == ()
