"""The odd ways in which newspapers' feeds are wrong, and what must come out all the same."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from worker.adapters.sources.files import read_feed
from worker.adapters.sources.limits import MAX_ITEMS
from worker.errors import FeedError
from worker.model import ParsedArticle


def rss(item: str, *, head: str = "", prolog: str = '<?xml version="1.0" encoding="utf-8"?>\n') -> bytes:
    namespaces = 'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    return f'{prolog}<rss version="2.0" {namespaces}><channel>{head}<item>{item}</item></channel></rss>'.encode()


def read(data: bytes, *, url: str = "https://news.example/feed.xml", content_type: str = "") -> ParsedArticle:
    (article,) = read_feed(data, url=url, content_type=content_type).articles
    return article


@pytest.mark.parametrize(
    ("markup", "title"),
    [
        ("AT&amp;T", "AT&T"),
        ("AT&amp;amp;T", "AT&T"),
        ("AT&amp;amp;amp;T", "AT&T"),
        ("<![CDATA[AT&amp;T]]>", "AT&T"),
        ("&lt;b&gt;Bold&lt;/b&gt; move", "Bold move"),
        ("&amp;lt;i&amp;gt;Bold&amp;lt;/i&amp;gt; move", "Bold move"),
        ("Is 3 &lt; 5 &amp; 7 &gt; 6?", "Is 3 < 5 & 7 > 6?"),
        ("Minister: &amp;#8220;no&amp;#8221;", "Minister: “no”"),
        ("Two\n   lines", "Two lines"),
        ("북한군&amp;nbsp;파병", "북한군 파병"),
        ("R&amp;D; and more", "R&D; and more"),
    ],
)
def test_a_title_reads_as_it_was_meant_however_often_it_was_escaped(markup, title):
    assert read(rss(f"<title>{markup}</title>")).title == title


@pytest.mark.parametrize(
    "date",
    [
        "Mon, 23 Nov 2026 09:00:00 +0900",
        "Mon, 23 Nov 2026 09:00:00 KST",
        "Mon, 23 Nov 2026 00:00:00 GMT",
        "Mon, 23 Nov 2026 00:00:00 UTC",
        "Mon, 23 Nov 2026 00:00:00 Z",
        "Sun, 22 Nov 2026 19:00:00 EST",
        "Sun, 22 November 2026 19:00 EST",
        "23 Nov 26 00:00:00 GMT",
        "Mon,23 Nov 2026 01:00:00 CET",
        "Mon, 23 Nov 2026 02:00:00 GMT+2",
        "Mon, 23 Nov 2026 05:30:00 IST",
        "2026-11-23T00:00:00Z",
        "2026-11-23T09:00:00+09:00",
        "2026-11-23T09:00:00+0900",
        "2026-11-22T20:30:00.000-03:30",
        "2026-11-23 00:00:00",
        "2026-11-23 09:00:00 +0900",
        "20261123T000000Z",
        "2026-11-23",
        "Nov 23, 2026 00:00:00 GMT",
    ],
)
def test_a_date_is_read_in_its_dialect_and_zone(date):
    article = read(rss(f"<title>x</title><pubDate>{date}</pubDate>"))
    assert article.published_at == datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize("date", ["", "soon", "Mon, 31 Nov 2026 09:00:00 GMT", "0001-01-01T00:00:00Z", "2026-13-45"])
def test_what_is_no_date_is_no_date(date):
    assert read(rss(f"<title>x</title><pubDate>{date}</pubDate>")).published_at is None


def test_an_atom_entry_that_was_only_updated_has_no_date_of_publication():
    atom = '<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>x</title><updated>2026-11-23T00:00:00Z</updated></entry></feed>'
    article = read(atom.encode())
    assert (article.published_at, article.updated_at) == (None, datetime(2026, 11, 23, tzinfo=UTC))


@pytest.mark.parametrize(
    "codec", ["utf-8", "utf-16", "euc-kr", "cp949", "utf-8-sig"], ids=lambda codec: f"bytes-{codec}"
)
@pytest.mark.parametrize("declared", ["utf-8", "euc-kr", "iso-8859-1", "utf-16", "no-such-code"])
def test_korean_is_read_right_whatever_encoding_is_declared(codec, declared):
    item = "<title>북한이 러시아에 병력을 보냈다</title><description>평양에서 전했다.</description>"
    data = rss(item, prolog=f'<?xml version="1.0" encoding="{declared}"?>').decode().encode(codec)
    assert read(data, content_type="text/xml; charset=iso-8859-1").title == "북한이 러시아에 병력을 보냈다"


def test_one_broken_byte_does_not_spoil_a_feed():
    good = rss(
        "<title>북한이 러시아에 병력을 보냈다</title><description>평양에서 기자들에게 전한 말이다.</description>"
    )
    article = read(good.replace("전".encode(), b"\xec\xa0", 1))
    assert article.title == "북한이 러시아에 병력을 보냈다"


def test_nul_bytes_are_dropped_from_a_feed_that_is_otherwise_sound():
    article = read(rss("<title>One\0 two</title>\0<description>Three\0.</description>"))
    assert (article.title, article.summary) == ("One two", "Three.")


@pytest.mark.parametrize("prolog", ["\n\n", "\ufeff\ufeff", "<br />\n<b>Warning</b>: mysql_connect() in x.php\n"])
def test_what_stands_before_the_document_is_cut(prolog):
    article = read(rss("<title>x &amp; y</title>", prolog=f'{prolog}<?xml version="1.0" encoding="utf-8"?>\n'))
    assert article.title == "x & y"


@pytest.mark.parametrize(
    "item",
    [
        "<title>Fish & chips</title>",
        "<title>Fish&nbsp;&amp; chips</title>",
        "<title>Fish &amp; chips</title><description>cut o",
        "<title>Fish &amp; chips</title><bad:tag>x</bad:tag>",
        "<title>Fish &amp; chips</title><p><b>crossed</p></b>",
        "<title>Fish &amp; chips</title>\x01\x02",
        "<title>Fish &amp; chips</title><x a=1 b='<'/>",
    ],
)
def test_a_feed_that_is_almost_xml_still_gives_its_items(item):
    assert read(rss(item)).title == "Fish & chips"


def test_a_guid_stays_as_it_stands():
    article = read(rss("<title>x</title><guid>story-7</guid>"))
    assert (article.guid, article.url) == ("story-7", "")
    article = read(rss('<title>x</title><guid isPermaLink="false"> https://news.example/7#2 </guid>'))
    assert (article.guid, article.url) == ("https://news.example/7#2", "")


@pytest.mark.parametrize("order", ["before", "after"])
def test_a_link_wins_over_a_permanent_guid(order):
    guid, link = "<guid>https://news.example/?p=7</guid>", "<link>https://news.example/story</link>"
    item = guid + link if order == "before" else link + guid
    article = read(rss(f"<title>x</title>{item}"))
    assert (article.guid, article.url) == ("https://news.example/?p=7", "https://news.example/story")


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "ftp://news.example/x", "http://["])
def test_a_link_that_leads_nowhere_on_the_web_is_left_out(link):
    assert read(rss(f"<title>x</title><link>{link}</link>")).url == ""


def test_a_relative_link_counts_from_the_feeds_address():
    item = "<title>x</title><link> ../a b/story </link>"
    assert read(rss(item), url="https://news.example/rss/world.xml").url == "https://news.example/ab/story"
    assert read(rss(item), url="").url == ""


def test_a_picture_caption_is_neither_summary_nor_body():
    media = 'xmlns:media="http://search.yahoo.com/mrss/"'
    caption = f'<media:description {media} type="html">The &lt;b&gt;Oman&lt;/b&gt; delegation</media:description>'
    for item in (f"<description>Story</description>{caption}", f"{caption}<description>Story</description>"):
        article = read(rss(f"<title>x</title>{item}<content:encoded>Body</content:encoded>"))
        assert (article.summary, article.body) == ("Story", "Body")


def test_the_body_is_no_summary_where_there_is_none():
    article = read(rss("<title>x</title><content:encoded>&lt;p&gt;Body&lt;/p&gt;</content:encoded>"))
    assert (article.summary, article.body) == ("", "Body")


def test_a_summary_that_was_escaped_twice_is_plain():
    article = read(rss("<title>x</title><description>&amp;lt;p&amp;gt;One&amp;lt;/p&amp;gt;</description>"))
    assert article.summary == "One"


def test_tags_and_language_are_tidied():
    head = "<language> ko_KR </language>"
    categories = "<category>Asia</category><category> Asia </category><category>R&amp;amp;D</category><category/>"
    article = read(rss(f"<title>x</title>{categories}", head=head))
    assert (article.tags, article.lang) == (("Asia", "R&D"), "ko-KR")


@pytest.mark.parametrize(
    "data",
    [
        b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><rss><channel/></rss>',
        b'<!DOCTYPE x [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]><rss><channel/></rss>',
        b'<!DOCTYPE x [<!-- <rss> --><!ENTITY e SYSTEM "file:///etc/passwd">]><rss><channel>&e;</channel></rss>',
        '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE x [<!ENTITY a "ha">]><rss><channel/></rss>'.encode("utf-16"),
    ],
)
def test_entity_declarations_are_refused(data):
    with pytest.raises(FeedError, match="declares XML entities"):
        read_feed(data, url="", content_type="")


def test_an_external_entity_is_never_read(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("do not read me")
    declaration = f'<!DOCTYPE x [<!ENTITY e SYSTEM "{secret.as_uri()}">]>'  # where no parser expects it
    data = f"<rss>{declaration}<channel><item><title>&e;</title></item></channel></rss>"
    assert "do not read me" not in read(data.encode()).title


def test_an_article_about_entities_is_not_a_bomb():
    article = read(rss('<title>x</title><description><![CDATA[He wrote &lt;!ENTITY a "b"&gt; on it]]></description>'))
    assert article.summary == 'He wrote <!ENTITY a "b"> on it'


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "the document is empty"),
        (b"Just words.", "plain text"),
        (b'{"title": "x"}', "JSON of another kind"),
        (b"\x1f\x8b\x08\0\0", "gzip"),
        (b"<opml version='2.0'><body/></opml>", "<opml> (a list of feeds is read by `tocsin sources import`)"),
        (b"<note>x</note>", "root element is <note>"),
        (b"\x00\x01\x02\x03", "binary data"),
    ],
)
def test_what_is_no_feed_is_called_by_its_name_in_one_line(data, words):
    with pytest.raises(FeedError) as caught:
        read_feed(data, url="", content_type="", file_name="world.xml")
    assert str(caught.value).startswith("world.xml: no feed: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_html_page_is_refused_with_the_address_of_its_feed():
    page = (
        b"<!doctype html><html><head><link rel='stylesheet' href='/x.css'>"
        b'<link href="/rss/world.xml?a=1&amp;b=2" type="application/rss+xml" rel="alternate"></head>'
    )
    address = r"https://news\.example/rss/world\.xml\?a=1&b=2"
    with pytest.raises(FeedError, match=rf"did you mean the page's feed\? It links to {address}"):
        read_feed(page, url="https://news.example/world", content_type="text/html")
    with pytest.raises(FeedError, match="give the address of the feed itself"):
        read_feed(b"<html><body>Hello</body></html>", url="", content_type="")


def test_an_empty_feed_has_no_articles():
    feed = b"<rss version='2.0'><channel><title>x</title></channel></rss>"
    assert read_feed(feed, url="", content_type="").articles == ()


def test_a_feed_of_too_many_items_is_refused():
    data = b"<rss version='2.0'><channel>" + b"<item/>" * (MAX_ITEMS + 1) + b"</channel></rss>"
    with pytest.raises(FeedError, match="more than 5000 items"):
        read_feed(data, url="", content_type="")
    with pytest.raises(FeedError, match="more than 5000 items"):
        read_feed(data.removesuffix(b"</channel></rss>"), url="", content_type="")


@pytest.mark.parametrize(
    "hostile",
    [
        "<div>",
        "<b>",
        "<table><b>",
        "<p><i>",
        "<![CDATA[",
        "&lt;div&gt;",
        "<a x='",
        "<!--",
        "&amp;amp;",
        "<item><title>",
    ],
)
def test_hostile_markup_costs_seconds_at_most(hostile):
    started = time.process_time()
    for item in (f"<description><![CDATA[{hostile * 60_000}]]></description>", hostile * 60_000):
        try:
            read_feed(rss(item), url="", content_type="")
        except FeedError:
            continue
    assert time.process_time() - started < 20  # quadratic reading would take minutes


def test_an_ampersand_that_nobody_escaped_stays_one_and_costs_no_entity_its_meaning():
    article = read(
        rss(
            "<title>AT&T &amp; R&D: caf&eacute; &#8212; 5 & 6</title><link>https://a.example/?a=1&b=2</link>"
            "<description><![CDATA[<p>Q&A &amp; more</p>]]></description>"
        )
    )
    assert article.title == "AT&T & R&D: café — 5 & 6"
    assert article.url == "https://a.example/?a=1&b=2"
    assert article.summary == "Q&A & more"
