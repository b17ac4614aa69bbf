"""Sitemaps as the protocol has them, and as sites serve them."""

from __future__ import annotations

import gzip
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.thorough import thorough
from worker.adapters.sources.files import read_document, read_feed
from worker.adapters.sources.sitemap import MAX_FURTHER, MAX_NEWS, MAX_UNTITLED, SitemapSource
from worker.errors import FeedError
from worker.feeds import ParsedFeed

URL = "https://www.gull.example/sitemaps/news.xml"
NEWS = "<news:news><news:title>{}</news:title><news:publication_date>{}</news:publication_date></news:news>"


def read(text: str | bytes, url: str = URL) -> ParsedFeed:
    return read_feed(text.encode() if isinstance(text, str) else text, url=url, content_type="")


def entry(loc: str, more: str = "") -> str:
    return f"<url><loc>{loc}</loc>{more}</url>"


def urlset(*entries: str, attributes: str = "") -> str:
    return f"<?xml version='1.0'?><urlset {attributes}>{''.join(entries)}</urlset>"


def index(*maps: str) -> str:
    return f"<sitemapindex>{''.join(f'<sitemap>{one}</sitemap>' for one in maps)}</sitemapindex>"


def addresses(feed: ParsedFeed) -> list[str]:
    return [article.url for article in feed.articles]


@pytest.mark.parametrize(
    "attributes",
    [
        "",  # the prefixes are bound to nothing
        "xmlns='http://www.google.com/schemas/sitemap/0.84' xmlns:news='http://www.google.com/schemas/sitemap-news/0.9'",
        "xmlns='https://www.sitemaps.org/schemas/sitemap/0.9/' xmlns:news='news'",
    ],
)
def test_a_wrong_namespace_or_none_costs_nothing(attributes):
    (article,) = read(urlset(entry("/1", NEWS.format("Fog", "2026-11-23")), attributes=attributes)).articles
    assert (article.url, article.title) == ("https://www.gull.example/1", "Fog")


def test_another_prefix_or_a_prefixed_root_is_the_same():
    text = "<s:urlset><s:url><s:loc>/1</s:loc><n:news><n:title>Fog</n:title></n:news></s:url></s:urlset>"
    assert read(text).articles[0].title == "Fog"


def test_a_pictures_address_and_title_are_not_the_articles():
    picture = "<image:image><image:loc>/1.jpg</image:loc><image:title>A wall</image:title></image:image>"
    (article,) = read(urlset(f"<url>{picture}<loc>/1</loc></url>")).articles
    assert (article.url, article.title) == ("https://www.gull.example/1", "")
    assert article.image is not None
    assert (article.image.url, article.image.alt) == ("https://www.gull.example/1.jpg", "A wall")


def test_the_newest_stand_first_and_what_has_no_date_last():
    dated = [entry(f"/{day}", NEWS.format(day, f"2026-11-{day}")) for day in (21, 23, 22)]
    feed = read(urlset(entry("/none", NEWS.format("x", "soon")), *dated))
    assert [url.rpartition("/")[2] for url in addresses(feed)] == ["23", "22", "21", "none"]
    assert feed.format == "news-sitemap"


@pytest.mark.parametrize(("more", "limit"), [(NEWS.format("Fog", ""), MAX_NEWS), ("", MAX_UNTITLED)])
def test_so_many_entries_are_taken_and_these_are_the_newest(more, limit):
    entries = [
        entry(f"/{n}", f"<lastmod>20{n // 366 + 10}-01-01T00:{n % 60:02}:00Z</lastmod>{more}") for n in range(2_000)
    ]
    feed = read(urlset(*entries))
    assert len(feed.articles) == limit
    oldest = min(article.updated_at for article in feed.articles if article.updated_at)
    assert sum(f"<lastmod>{oldest:%Y-%m-%dT%H:%M:%SZ}" < one[one.index("<lastmod>") :][:29] for one in entries) <= limit


def test_an_address_that_stands_twice_is_one_entry():
    assert len(read(urlset(entry("/1"), entry("/2"), entry("https://www.gull.example/1"))).articles) == 2


@pytest.mark.parametrize(
    ("loc", "found"),
    [
        (" \n /1 \n", "https://www.gull.example/1"),
        ("1", "https://www.gull.example/sitemaps/1"),
        ("//gull.example/1", "https://gull.example/1"),
        ("https://news.gull.example/1", "https://news.gull.example/1"),
        ("http://www.gull.example:8080/1", "http://www.gull.example:8080/1"),
        ("<![CDATA[/1?a=1&b=2]]>", "https://www.gull.example/1?a=1&b=2"),
        ("/1?a=1&b=2", "https://www.gull.example/1?a=1&b=2"),
        ("/caf&eacute;", "https://www.gull.example/café"),
    ],
)
def test_an_address_is_read_however_it_is_written(loc, found):
    assert addresses(read(urlset(entry(loc)))) == [found]


@pytest.mark.parametrize(
    "loc", ["https://evil.example/1", "https://gull.example.evil.example/", "javascript:x", "http://[", "", "https://"]
)
def test_other_hosts_and_what_is_no_address_are_left_out(loc):
    assert addresses(read(urlset(entry("/1"), entry(loc)))) == ["https://www.gull.example/1"]


def test_a_sitemap_of_other_hosts_alone_is_refused_with_its_right_place():
    with pytest.raises(FeedError, match=r"of another host \(give the address of the sitemap at rook\.example\)"):
        read(urlset(entry("https://rook.example/1")))


def test_a_file_handed_in_may_speak_of_any_host():
    data = urlset(entry("https://rook.example/1", NEWS.format("Fog", ""))).encode()
    assert read_document(data, url="", content_type="")[0].url == "https://rook.example/1"


def test_an_index_names_its_newest_sitemaps_and_lists_of_lists_last():
    feed = read(
        index(
            "<loc>/category-sitemap.xml</loc><lastmod>2026-11-23T10:00:00Z</lastmod>",
            "<loc>/post-1.xml</loc><lastmod>2026-11-22T10:00:00Z</lastmod>",
            "<loc>/post-2.xml</loc><lastmod>2026-11-23T09:00:00Z</lastmod>",
            "<loc>https://evil.example/s.xml</loc>",
        )
    )
    assert (feed.articles, feed.format) == ((), "sitemap-index")
    assert [url.rpartition("/")[2] for url in feed.further] == ["post-2.xml", "post-1.xml", "category-sitemap.xml"]


def test_an_index_without_dates_is_read_from_its_highest_numbers():
    feed = read(index(*(f"<loc>/{year}/sitemap-{month}.xml</loc>" for year in (2025, 2026) for month in range(1, 13))))
    assert len(feed.further) == MAX_FURTHER
    assert feed.further[0] == "https://www.gull.example/2026/sitemap-12.xml"
    assert all("/2026/" in one for one in feed.further)


def test_an_index_never_names_itself():
    assert read(index(f"<loc>{URL}</loc>", "<loc>/other.xml</loc>")).further == ("https://www.gull.example/other.xml",)


def test_a_packed_sitemap_is_unpacked_whatever_the_server_said():
    packed = gzip.compress(urlset(entry("/1")).encode())
    assert addresses(read(packed)) == ["https://www.gull.example/1"]


@pytest.mark.parametrize("cut", [slice(None, -9), slice(None, 40), slice(0, 10)])
def test_a_packed_sitemap_that_is_cut_off_is_refused(cut):
    packed = gzip.compress(urlset(*(entry(f"/{n}") for n in range(500))).encode())
    with pytest.raises(FeedError, match="gzip archive that is damaged"):
        read(packed[cut])


def test_a_gzip_bomb_stops_at_the_limit():
    with pytest.raises(FeedError, match="unpacks to more than 10 MB"):
        read(gzip.compress(b"<urlset>" + b" " * 20_000_000))


def test_entities_are_refused():
    bomb = "<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><urlset>" + entry("/&b;") + "</urlset>"
    with pytest.raises(FeedError, match="declares XML entities"):
        read(bomb)


def test_too_deep_and_too_much_are_refused():
    with pytest.raises(FeedError, match="nested deeper"):
        read("<urlset><url>" + "<a>" * 300)
    with pytest.raises(FeedError, match="more than 300000 elements"):
        read("<urlset>" + "<a/>" * 300_001 + "</urlset>")


def test_a_sitemap_that_breaks_off_is_read_up_to_there():
    assert len(read(urlset(entry("/1"), entry("/2"))[:-20]).articles) == 1
    with pytest.raises(FeedError, match=r"line 1, column \d+: no well-formed XML"):
        read("<urlset><url><loc>/1</wrong>")


def test_an_empty_sitemap_is_no_error():
    assert read("<urlset/>").articles == ()


@given(st.text(alphabet="<>/!?[]-=\"' &;#x0urlsetocnwi:{}\n", max_size=200))
@thorough(many=150, deadline=timedelta(seconds=5))
def test_soup_in_a_sitemap_is_entries_or_one_error(soup):
    try:
        feed = SitemapSource().parse(f"<urlset><url>{soup}</url></urlset>".encode(), url=URL, content_type="")
    except FeedError:
        return
    assert all(article.url.startswith("http") for article in feed.articles)
