"""What agencies send: versions, withdrawals, embargoes and wrappers, in NewsML-G2 and ninjs, watched and handed in."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contract.sources.samples import sample
from tests.thorough import thorough
from worker.adapters.sources.files import read_document, read_feed
from worker.adapters.sources.newsml import NewsmlSource
from worker.errors import FeedError, InputError
from worker.feeds import ParsedFeed
from worker.model import Severity

URL = "https://wire.example/latest"
CREATED = "2026-11-23T05:00:00Z"
LATER = datetime(2026, 11, 24, tzinfo=UTC)


def newsml(guid: str = "urn:1", *, version: int = 1, meta: str = "", content: str = "", title: str = "Quake") -> str:
    return f"""<newsItem guid="{guid}" version="{version}"><itemMeta><itemClass qcode="ninat:text"/>
      <versionCreated>{CREATED}</versionCreated>{meta}</itemMeta>
      <contentMeta><headline>{title}</headline></contentMeta>
      <contentSet>{content or "<inlineData>It shook.</inlineData>"}</contentSet></newsItem>"""


def message(*items: str) -> bytes:
    return f"<newsMessage><itemSet>{''.join(items)}</itemSet></newsMessage>".encode()


def ninjs(uri: str = "urn:1", **more: Any) -> dict[str, Any]:
    return {"uri": uri, "versioncreated": CREATED, "headline": "Quake", "body_text": "It shook.", **more}


def read(data: bytes | object) -> ParsedFeed:
    data = data if isinstance(data, bytes) else json.dumps(data).encode()
    return read_feed(data, url=URL, content_type="")


WITHHELD = [
    (newsml(meta='<pubStatus qcode="stat:canceled"/>'), ninjs(pubstatus="canceled"), 'pubstatus is "canceled"', None),
    (newsml(meta='<pubStatus qcode="stat:withheld"/>'), ninjs(pubstatus="withheld"), 'pubstatus is "withheld"', None),
    (
        newsml(meta="<embargoed>2026-11-24T00:00:00Z</embargoed>"),
        ninjs(embargoed="2026-11-24T00:00:00Z"),
        "embargoed until 2026-11-24T00:00:00+00:00",
        LATER,
    ),
]


@pytest.mark.parametrize(("xml", "item", "why", "until"), WITHHELD)
def test_what_an_agency_withholds_is_no_article_and_costs_the_others_nothing(xml, item, why, until):
    for data in (message(newsml("urn:2"), xml), [ninjs("urn:2"), item]):
        feed = read(data)
        assert [article.guid for article in feed.articles] == ["urn:2"]
        (held,) = feed.withheld
        assert (held.article.guid, held.until, held.where) == ("urn:1", until, "item 2")
        assert held.why.startswith(why)


@pytest.mark.parametrize(("xml", "item", "why", "until"), WITHHELD)
def test_a_file_with_a_withheld_item_is_refused_by_name(xml, item, why, until):
    for data in (message(newsml("urn:2"), xml), json.dumps([ninjs("urn:2"), item]).encode()):
        with pytest.raises(InputError) as caught:
            read_document(data, url="", content_type="", file_name="wire")
        assert str(caught.value).startswith(f"wire, item 2: {why}")
        assert bool(until) == ("when the time has come" in str(caught.value))


def test_an_embargo_without_an_end_lasts():
    (held,) = read(message(newsml(meta="<embargoed/>"))).withheld
    assert (held.why, held.until) == ("embargoed until further notice", None)


def test_an_embargo_that_was_over_when_the_version_was_made_does_not_matter():
    assert read(message(newsml(meta="<embargoed>2026-11-22T00:00:00Z</embargoed>"))).articles


@pytest.mark.parametrize("numbers", [(1, 2, 10), (10, 2, 1), (2, 10, 1)])
def test_of_several_versions_of_an_item_the_latest_counts(numbers):
    xml = message(*(newsml(version=n, title=f"Quake {n}") for n in numbers))
    items = [ninjs(version=str(n), headline=f"Quake {n}") for n in numbers]
    assert [[article.title for article in read(data).articles] for data in (xml, items)] == [["Quake 10"]] * 2


def test_a_version_that_withdraws_an_item_withdraws_it_all():
    feed = read(message(newsml(version=1), newsml(version=2, meta='<pubStatus qcode="stat:canceled"/>')))
    assert (feed.articles, len(feed.withheld)) == ((), 1)


def test_versions_without_a_number_are_told_apart_by_their_time():
    items = [ninjs(headline="new", versioncreated="2026-11-23T06:00:00Z"), ninjs(headline="old")]
    assert [article.title for article in read(items).articles] == ["new"]


@pytest.mark.parametrize(("urgency", "severity"), [(1, "important"), (2, "important"), (3, "normal"), (9, "normal")])
def test_urgency_makes_important_and_never_breaking(urgency, severity):
    assert read(ninjs(urgency=urgency)).articles[0].severity == Severity(severity)


@pytest.mark.parametrize("kind", ["picture", "video", "audio", "graphic"])
def test_pictures_and_their_like_are_no_articles(kind):
    xml = newsml("urn:2").replace("ninat:text", f"ninat:{kind}")
    assert [article.guid for article in read(message(newsml(), xml)).articles] == ["urn:1"]
    assert [article.guid for article in read([ninjs(), ninjs("urn:2", type=kind)]).articles] == ["urn:1"]


def test_a_picture_that_is_withdrawn_is_shown_with_nothing():
    data = sample("newsml_g2.xml").decode()
    at = data.index("ninat:picture")
    data = data[:at] + data[at:].replace("stat:usable", "stat:canceled", 1)
    (article,) = read(data.encode()).articles
    assert article.image is None


def test_a_package_by_itself_has_no_articles():
    package = b'<packageItem guid="urn:9"><groupSet><group><itemRef residref="urn:1"/></group></groupSet></packageItem>'
    assert read(package).articles == ()


@pytest.mark.parametrize(
    "wrap",
    [
        lambda items: items,
        lambda items: {"items": items},
        lambda items: {"_items": items, "_meta": {"total": 2}},
        lambda items: "\n".join(json.dumps(item) for item in items).encode(),
    ],
)
def test_ninjs_comes_in_lists_lines_and_wrappers(wrap):
    assert [article.guid for article in read(wrap([ninjs("urn:1"), ninjs("urn:2")])).articles] == ["urn:1", "urn:2"]


def test_ninjs_in_other_letters_and_of_superdesk_is_ninjs():
    item = {"guid": "urn:1", "versionCreated": CREATED, "pubStatus": "usable", "headlines": [{"value": "Quake"}]}
    (article,) = read([{**item, "bodies": [{"contentType": "text/html", "value": "<p>It&nbsp;shook.</p>"}]}]).articles
    assert (article.guid, article.title, article.body) == ("urn:1", "Quake", "It shook.")
    assert article.updated_at is not None


def test_a_single_item_does_not_get_the_feeds_own_address():
    assert read(ninjs()).articles[0].url == ""
    assert read(message(newsml())).articles[0].url == ""
    assert read_document(message(newsml()), url=URL, content_type="")[0].url == URL


def test_an_items_own_page_is_its_address():
    link = '<link rel="irel:canonical" href="https://wire.example/quake"/>'
    assert read(message(newsml(meta=link))).articles[0].url == "https://wire.example/quake"
    assert read(message(newsml("https://wire.example/id/7"))).articles[0].url == "https://wire.example/id/7"


@pytest.mark.parametrize(
    ("form", "body"),
    [
        ("<inlineData contenttype='text/plain'>One &lt; two.\n\nThree.</inlineData>", "One < two.\n\nThree."),
        ("<inlineData contenttype='text/html'>&lt;p&gt;One&lt;/p&gt;&lt;p&gt;Two</inlineData>", "One\n\nTwo"),
        ("<inlineXML><p>One <b>two</b> &amp; <![CDATA[<three>]]>.</p></inlineXML>", "One two & <three>."),
        ("<inlineXML><nitf><body><p>One.</p></body></nitf></inlineXML>", "One."),
        (
            "<inlineXML><x:html><x:body><x:ul><x:li>One</x:li><x:li>Two</x:li></x:ul></x:body></x:html></inlineXML>",
            "One\n\nTwo",
        ),
        ("<remoteContent href='https://wire.example/1.txt'/>", ""),
    ],
)
def test_a_story_is_read_in_whatever_form_it_comes(form, body):
    assert read(message(newsml(content=form))).articles[0].body == body


def test_a_message_that_breaks_off_is_refused_since_its_withdrawals_may_be_missing():
    with pytest.raises(FeedError, match=r"line \d+, column \d+: no well-formed XML"):
        read(message(newsml(), newsml("urn:2"))[:-40])


def test_a_message_that_declares_entities_is_refused():
    with pytest.raises(FeedError, match="declares XML entities"):
        read(b"<!DOCTYPE newsMessage [<!ENTITY a 'b'>]>" + message(newsml()))


def test_older_formats_are_called_by_their_name():
    with pytest.raises(FeedError, match="NewsML 1; ask the agency"):
        read(b"<?xml version='1.0'?><NewsML><NewsItem/></NewsML>")


@given(st.text(alphabet="<>/!?[]-=\"' &;#x0newsItemLgc:{}\n", max_size=200))
@thorough(many=100, deadline=timedelta(seconds=5))
def test_soup_in_a_message_is_articles_or_one_error(soup):
    try:
        NewsmlSource().parse(message(newsml(content=f"<inlineXML>{soup}</inlineXML>")), url=URL, content_type="")
    except FeedError:
        return
