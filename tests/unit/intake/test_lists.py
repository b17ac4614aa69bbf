"""Lists of sources as feed readers and people write them: what is read, what is mended, what is refused, and where."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.errors import InputError, ManyFaultsError
from worker.intake.listing.addresses import address_key, read_address
from worker.intake.listing.entries import Entry, read_folder, read_name
from worker.intake.listing.reading import read_list
from worker.intake.listing.spans import read_span, write_span
from worker.intake.listing.writing import write_opml, write_yaml
from worker.intake.polling import LEAST_S, MOST_S

AT = datetime(2026, 11, 29, 12, tzinfo=UTC)


def opml(body: str, *, head: str = '<?xml version="1.0" encoding="UTF-8"?>\n', version: str = "2.0") -> bytes:
    return f'{head}<opml version="{version}"><head><title>Mine</title></head>\n<body>\n{body}\n</body></opml>'.encode()


def entries(data: bytes) -> tuple[Entry, ...]:
    return read_list(data, file_name="list").entries


def refusal(data: bytes) -> str:
    with pytest.raises(InputError) as refused:
        read_list(data, file_name="list")
    return str(refused.value)


def test_an_outline_tells_a_sources_address_name_homepage_language_and_folder():
    body = """<outline text="World"><outline text="Asia">
    <outline type="rss" text="The Wire" title="Other" xmlUrl="https://wire.example/rss" htmlUrl="https://wire.example/"
      language="en-GB"/></outline></outline>"""
    assert entries(opml(body)) == (
        Entry(
            url="https://wire.example/rss",
            where="line 5",
            name="The Wire",
            homepage="https://wire.example/",
            lang="en-GB",
            folder="World/Asia",
        ),
    )


def test_a_page_that_freshrss_takes_apart_by_rules_is_no_feed():
    body = """<outline text="Web"><outline text="Scraped" type="HTML+XPath" xmlUrl="https://scraped.example/list"
      frss:xPathItem="//article"/></outline><outline text="J" type="JSONFeed" xmlUrl="https://j.example/feed.json"/>"""
    found = read_list(opml(body), file_name="list")
    assert ([entry.name for entry in found.entries], found.without_feed) == (["J"], 2)


@pytest.mark.parametrize("version", ["1.0", "1.1", "2.0", "3"])
@pytest.mark.parametrize("name", ["xmlUrl", "xmlurl", "XMLURL", "xmlURL"])
def test_every_version_and_any_case_will_do(name, version):
    (entry,) = entries(opml(f'<outline TEXT="Wire" {name}="https://wire.example/rss"/>', version=version))
    assert (entry.name, entry.url) == ("Wire", "https://wire.example/rss")
    (entry,) = entries(b'<OPML><BODY><OUTLINE title="Wire" xmlUrl="https://wire.example/rss"/></BODY></OPML>')
    assert entry.name == "Wire"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("feed://wire.example/rss", "http://wire.example/rss"),
        ("feed:https://wire.example/rss", "https://wire.example/rss"),
        ("feed://https://wire.example/rss", "https://wire.example/rss"),
        ("feeds://wire.example/rss", "https://wire.example/rss"),
        ("FEED:HTTP://wire.example/rss", "HTTP://wire.example/rss"),
        ("https://wire.example/?a=1&b=2", "https://wire.example/?a=1&b=2"),
        ("https://wire.example/?a=1&amp;b=2", "https://wire.example/?a=1&b=2"),
        ("https://wire.example/a b", "https://wire.example/a%20b"),
        ("https://wire.example/?copy=1", "https://wire.example/?copy=1"),
        ("https://wire.example/?x&copy=1", "https://wire.example/?x&copy=1"),
        ("https://뉴스.example/rss", "https://뉴스.example/rss"),
    ],
)
def test_addresses_are_read_as_readers_write_them(written, read):
    (entry,) = entries(opml(f'<outline text="a" xmlUrl=" {written} "/>'))
    assert entry.url == read


@pytest.mark.parametrize(
    ("outline", "name"),
    [
        ("AT&T news", "AT&T news"),
        ("Caf&eacute; &nbsp;news", "Café news"),
        ("Tom &amp; Jerry", "Tom & Jerry"),
        ("a < b", "a < b"),
        ("bell \x07 &#7; tolls", "bell tolls"),
        ("북한 뉴스", "북한 뉴스"),
        ("&#48513;&#xD55C;", "북한"),
        ("&quot;said&quot;", '"said"'),
    ],
)
def test_names_survive_what_exporters_do_to_them(outline, name):
    (entry,) = entries(opml(f'<outline text="{outline}" xmlUrl="https://wire.example/rss"/>'))
    assert entry.name == name


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "euc-kr", "cp1252"])
@pytest.mark.parametrize("claimed", ["UTF-8", "utf-16", "ISO-8859-1", "EUC-KR", "no-such-thing"])
def test_a_list_is_read_in_the_encoding_that_it_is_in_whatever_it_claims(codec, claimed):
    name = "Café" if codec == "cp1252" else "북한 뉴스 속보와 해설"
    text = f'<?xml version="1.0" encoding="{claimed}"?>\n<opml><body><outline text="{name}" xmlUrl="http://a.kr/"/></body></opml>'
    (entry,) = entries(text.encode(codec))
    assert (entry.name, entry.where) == (name, "line 2")


def test_what_a_server_says_in_front_of_a_list_is_passed_over_and_lines_stay_true():
    junk = "Warning: deprecated\n\n"
    (entry,) = entries(opml('<outline text="a" xmlUrl="http://a.example/"/>', head=f'{junk}<?xml version="1.0"?>\n'))
    assert entry.where == "line 6"


def test_outlines_without_a_feed_are_counted_and_folders_of_feeds_are_not():
    body = """<outline text="Empty"/><outline text="Notes"><outline text="a thought"/></outline>
    <outline text="World"><outline text="a" xmlUrl="http://a.example/"/></outline>
    <outline text="elsewhere" type="include" url="http://a.example/other.opml"/>"""
    listed = read_list(opml(body), file_name="list")
    assert ([entry.folder for entry in listed.entries], listed.without_feed) == (["World"], 4)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "list: the list is empty (hand in OPML, or YAML as docs/intake.md shows it)"),
        (opml('<outline text="a" xmlUrl="wire.example/rss"/>'), "list, line 4, xmlUrl: 'wire.example/rss' is no feed"),
        (opml('<outline text="a" xmlUrl="wire.example/rss"/>'), "(write https://wire.example/rss)"),
        (opml('<outline text="a" xmlUrl="gopher://wire.example/"/>'), "is no feed address"),
        (opml('<outline text="a" xmlUrl="http://[x/"/>'), "is no feed address"),
        (opml('<outline text="a" type="rss" htmlUrl="http://w.example/"/>'), '(write xmlUrl="http://w.example/feed")'),
        (opml('<outline text="a" xmlUrl="http://a.example/">'), "list, line 5, column 3: no XML: mismatched tag"),
        (opml('<outline text="a" xmlUrl="http://a.example/"/>')[:-30], "is the file whole? Export the list again"),
        (b"<rss version='2.0'><channel/></rss>", "this is a feed, no list of feeds (`tocsin sources add`"),
        (b"<html><body>Hello</body></html>", "no OPML: the root element is <html>"),
        (b"<!DOCTYPE opml [<!ENTITY a 'aaaa'>]><opml>&a;</opml>", "the list defines an entity of its own, 'a'"),
        (opml("<outline>" * 200 + "</outline>" * 200), "outlines stand more than 100 deep"),
        (
            opml('<outline text="a" xmlUrl="http://a.example/" tocsin:every="soon"/>'),
            "line 4, every: 'soon' is no span",
        ),
        (opml('<outline text="a" xmlUrl="http://a.example/" tocsin:house="so so"/>'), "write true or false"),
    ],
)
def test_a_broken_list_is_refused_with_its_line_its_field_and_what_to_write(data, says):
    assert says in refusal(data)


YAML = """
- name: The Wire
  url: https://wire.example/rss
  outlet: The Wire Agency
  lang: en-GB
  house: true
  pages: yes
  every: 1h30m
  folder: World / Asia
- {feed: https://other.example/feed}
"""


def test_yaml_says_all_that_can_be_said_of_a_source():
    wire, other = entries(YAML.encode())
    assert wire == Entry(
        url="https://wire.example/rss",
        where="line 2",
        name="The Wire",
        outlet="The Wire Agency",
        lang="en-GB",
        house=True,
        pages=True,
        every_s=5400.0,
        folder="World/Asia",
    )
    assert other == Entry(url="https://other.example/feed", where="line 10")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- url: https://a.example/\n  nmae: A", "list, line 2, nmae: no such field (did you mean name?)"),
        ("- url: https://a.example/\n  colour: red", "a source has name, url, homepage"),
        ("- name: A", "list, line 1, url: a source without its address (write for example: - {name: The Wire"),
        ("- url: https://a.example/\n  url: https://b.example/", "list, line 2, url: it stands twice"),
        ("- url: https://a.example/\n  every: 15", "line 2, every: '15' is no span of time (write for example 15m"),
        ("- url: https://a.example/\n  every: 2d", "a source is polled every 1s to 1d"),
        ("- url: https://a.example/\n  house: perhaps", "line 2, house: 'perhaps' is neither (write true or false)"),
        ("- url: https://a.example/\n  lang: Korean (South)", "is no language tag (write for example en-GB or ko)"),
        ("- url: [https://a.example/]", "line 1, url: one value is wanted, not several"),
        ("- https://a.example/", "line 1: a source is written as names with values"),
        ("url: https://a.example/", "list, line 1: no list of sources"),
        ("- url: 'https://a.example/", "no YAML"),
        ("- {url: https://a.example/\n- b", "list, line 3, column 1: no YAML"),
        ("Dear colleagues,\n\tthese are our feeds", "list, line 1: no list of sources"),
        ("- courier-world.xml", "a source is written as names with values"),
        ("- feed: courier-world.xml", "line 1, feed: 'courier-world.xml' is no feed address"),
        ("[" * 5_000, "list"),
    ],
)
def test_yaml_that_is_wrong_is_refused_with_its_line_its_field_and_what_to_write(text, says):
    assert says in refusal(text.encode())


def test_all_that_is_wrong_is_told_at_once_but_no_more_than_anybody_reads():
    with pytest.raises(ManyFaultsError) as refused:
        read_list(b"- {url: x}\n- {name: A, colour: red}\n- {url: 'https://a.example/'}", file_name="list")
    assert [error.where for error in refused.value.errors] == ["list, line 1, url", "list, line 2, colour"]
    with pytest.raises(ManyFaultsError) as refused:
        read_list(b"- {url: x}\n" * 500, file_name="list")
    assert len(refused.value.errors) == 21
    assert "and 480 more" in str(refused.value)


def test_relative_addresses_count_from_where_they_are_served():
    listed = read_list(b"- feed: courier-world.xml", file_name="list", base="http://127.0.0.1:8080/demo/feeds/")
    assert listed.entries[0].url == "http://127.0.0.1:8080/demo/feeds/courier-world.xml"


SPELLINGS = [
    "https://news.example/feed",
    "http://news.example/feed",
    "HTTPS://News.Example:443/feed/",
    "http://news.example:80/feed",
    "feed://news.example/feed",
    "feed:https://news.example./feed#top",
    "https://news.example/fe%65d",
]


def test_all_spellings_of_an_address_are_one_and_other_addresses_are_not():
    assert len({address_key(spelling) for spelling in SPELLINGS}) == 1
    others = ["/feed?a=1", "/feed?a=2", "/Feed", "/feed/2", ":8080/feed", "/fe%2Fed"]
    assert len({address_key(f"https://news.example{other}") for other in others}) == len(others)
    assert address_key("https://뉴스.example/") == address_key("https://xn--vg1b002a.example")


def test_an_address_of_endless_length_is_refused():
    with pytest.raises(InputError, match="more than 2,000 characters"):
        read_address("https://a.example/" + "a" * 3_000)


@given(st.integers(int(LEAST_S), int(MOST_S)))
def test_a_span_that_is_written_is_read_as_the_same(seconds):
    assert read_span(write_span(seconds), where="") == seconds


NAMES = st.text(max_size=60).map(read_name)
PATHS = st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), max_size=30)
ADDRESSES = st.builds("https://{}.example/{}".format, st.integers(0, 10**9), PATHS).map(
    lambda written: read_address(written, where="")
)
FLAGS = st.sampled_from([None, True])
SOURCES = st.builds(
    Entry,
    url=ADDRESSES,
    name=NAMES.filter(bool),
    homepage=st.none() | ADDRESSES,
    outlet=NAMES.map(lambda name: name or None),
    lang=st.sampled_from([None, "en", "ko-KR", "pt-BR"]),
    house=FLAGS,
    pages=FLAGS,
    paused=FLAGS,
    every_s=st.none() | st.integers(int(LEAST_S), int(MOST_S)).map(float),
    folder=st.text(max_size=40).map(lambda text: read_folder(text) or None),
)


def unplaced(entry: Entry) -> dict[str, object]:
    return {**entry.told(), "url": entry.url, "paused": entry.paused}


@given(st.lists(SOURCES, max_size=6, unique_by=lambda entry: entry.url))
def test_what_is_exported_is_imported_as_the_same(sources):
    by_address = {entry.url: unplaced(entry) for entry in sources}
    for lines in (write_opml(sources, title="Ours <&>", at=AT), write_yaml(sources)):
        text = "".join(lines)
        read = entries(text.encode())
        assert {entry.url: unplaced(entry) for entry in read} == by_address
        assert len(read) == len(sources)


@given(st.binary(max_size=300) | st.text(max_size=200).map(opml))
def test_whatever_is_handed_in_is_read_or_refused(data):
    with suppress(InputError):  # and nothing else
        assert read_list(data, file_name="list").format in {"OPML", "YAML"}


@pytest.mark.parametrize("brackets", [b"[" * 200_000, b"- " * 100_000, b"{a: " * 100_000])
def test_a_yaml_that_is_nested_without_end_is_refused_and_ends_no_process(brackets):
    with pytest.raises(InputError, match="nested too deeply"):
        read_list(brackets, file_name="sources.yaml")
