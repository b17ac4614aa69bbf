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


def test_an_atom_entry_that_was_only_updated_has_no_date_of_publication():
    atom = '<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>x</title><updated>2026-11-23T00:00:00Z</updated></entry></feed>'
    article = read(atom.encode())
    assert (article.published_at, article.updated_at) == (None, datetime(2026, 11, 23, tzinfo=UTC))


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


@pytest.mark.parametrize(
    "after", ["\n<!-- cached -->", "<script>track()</script>", "<br /><b>Notice</b>: x in y", "\0\0"]
)
def test_what_stands_behind_the_document_is_cut(after):
    assert read(rss("<title>x &amp; y</title>") + after.encode()).title == "x & y"


def test_a_document_type_with_htmls_entities_is_no_hindrance():
    doctype = '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://my.netscape.com/x.dtd">'
    assert read(rss("<title>caf&eacute;&nbsp;&hellip;</title>", prolog=doctype)).title == "café …"


def test_items_that_were_cut_off_are_left_for_the_next_poll():
    whole = rss("<title>One</title><description>Whole.</description></item><item><title>Two is not yet")
    cut = whole[: whole.index(b"Two is not") + 6]
    told = read_feed(cut, url="", content_type="")
    assert [article.title for article in told.articles] == ["One"]
    inside_cdata = rss("<title>One</title></item><item><title>Two</title><description><![CDATA[<p>Half of")
    told = read_feed(inside_cdata[: inside_cdata.index(b"Half of")], url="", content_type="")
    assert [article.title for article in told.articles] == ["One"]


def test_items_that_nobody_ever_closes_are_all_told():
    feed = b"<rss version='2.0'><channel><item><title>One</title><item><title>Two</title></channel></rss>"
    assert [article.title for article in read_feed(feed, url="", content_type="").articles] == ["One", "Two"]


def test_a_permanent_guid_is_the_address_where_the_link_is_empty():
    article = read(rss("<title>x</title><guid>https://news.example/7</guid><link></link>"))
    assert article.url == "https://news.example/7"
    article = read(rss("<title>x</title><link/><guid>https://news.example/7</guid>"))
    assert article.url == "https://news.example/7"


def test_links_count_from_the_innermost_base():
    atom = (
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://a.example/x/"><entry xml:base="y/">'
        '<title>x</title><link href="story" xml:base="z/"/></entry></feed>'
    )
    assert read(atom.encode()).url == "https://a.example/x/y/z/story"
    flat = '<feed xmlns="http://www.w3.org/2005/Atom" xml:base="/x/"><entry><link href="s?a=1"/></entry></feed>'
    assert read(flat.encode()).url == "https://news.example/x/s?a=1"


@pytest.mark.parametrize(
    ("construct", "told"),
    [
        ("<title>AT&amp;T &lt;b&gt; 5</title>", "AT&T <b> 5"),
        ('<title type="text">x &lt; y</title>', "x < y"),
        ('<title type="html">&lt;em&gt;One&lt;/em&gt; &amp;amp; two</title>', "One & two"),
        ('<title type="html"><![CDATA[<em>One</em> &amp; two]]></title>', "One & two"),
        (
            '<title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><em>One</em> &amp; two</div></title>',
            "One & two",
        ),
        ("<title>Less &lt;than&gt; more</title>", "Less <than> more"),
    ],
)
def test_atoms_three_kinds_of_text_are_read_as_they_are_meant(construct, told):
    atom = f'<feed xmlns="http://www.w3.org/2005/Atom"><entry>{construct}</entry></feed>'
    assert read(atom.encode()).title == told


def test_a_guid_that_stands_twice_is_told_twice_in_the_documents_order():
    item = "<title>{}</title><guid>7</guid>"
    feed = rss(f"{item.format('One')}</item><item>{item.format('Two')}")
    told = read_feed(feed, url="", content_type="").articles
    assert [(article.guid, article.title) for article in told] == [("7", "One"), ("7", "Two")]


def test_an_item_that_says_nothing_is_an_empty_article():
    assert read(rss("")) == ParsedArticle()


def test_the_longest_body_and_the_media_groups_best_picture_are_taken():
    media = (
        '<media:group xmlns:media="http://search.yahoo.com/mrss/"><media:title>Photo</media:title>'
        '<media:content url="https://i.example/s.jpg" width="100"/>'
        '<media:content url="https://i.example/l.jpg" medium="image" width="1200"/></media:group>'
    )
    article = read(
        rss(f"<title>x</title><description>Short</description><content:encoded>Long</content:encoded>{media}")
    )
    assert (article.title, article.summary, article.body) == ("x", "Short", "Long")
    assert article.image
    assert article.image.url == "https://i.example/l.jpg"


@pytest.mark.parametrize("prefix", ["media", "dc", "content"])
def test_a_prefix_that_nobody_declared_means_what_it_means_everywhere(prefix):
    words = {"media": "<media:title>Photo</media:title>", "dc": "<dc:creator>Ada</dc:creator>", "content": ""}[prefix]
    item = f"<title>x</title>{words}<content:encoded>Body</content:encoded>"
    article = read(f"<rss version='2.0'><channel><item>{item}</item></channel></rss>".encode())
    assert (article.title, article.body) == ("x", "Body")
    assert article.author == ("Ada" if prefix == "dc" else "")


@pytest.mark.parametrize(
    "name", ["links", "authors", "title_detail", "summary_detail", "media_words", "hours", "permalink"]
)
def test_an_element_whose_name_is_one_of_our_own_words_does_no_harm(name):
    odd = f'<{name} href="x">y</{name}>'
    assert read(rss(f"<title>x</title>{odd}", head=odd)).title == "x"


@pytest.mark.parametrize("closed", ["", "</a>"])
def test_a_feed_that_is_nested_beyond_any_sense_is_refused(closed):
    deep = "<a>" * 6_000 + closed * 6_000
    with pytest.raises(FeedError, match="more than 5000 elements within one another"):
        read(rss(f"<title>x</title>{deep}"))


@pytest.mark.parametrize("broken", ["", "&"])
def test_an_element_of_more_attributes_than_any_has_is_refused(broken):
    many = " ".join(f"a{number}='{broken}'" for number in range(1_001))
    with pytest.raises(FeedError, match="more than 1000 attributes in one element"):
        read(f"<rss version='2.0' {many}><channel><item xml:base='/'><title>x</title></item></channel></rss>".encode())


def test_of_more_tags_than_anybody_reads_the_first_are_told_whichever_parser_reads_them():
    tags = "".join(f"<category>tag {number}</category>" for number in range(5_000))
    plain, unusual = (
        read(f"<rss version='2.0'><channel><item {base}><title>x</title>{tags}</item></channel></rss>".encode())
        for base in ("", "xml:base='/'")
    )
    assert plain.tags == unusual.tags == tuple(f"tag {number}" for number in range(100))
