"""The files that people bring their queries in: what in them is a query, and what its name."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.errors import InputError
from worker.matching.foreign.listings import Entry, entries
from worker.matching.foreign.naming import Slugs, cleaned, shortened

TAKEOUT = {
    "alerts": [
        {
            "query": "north korea",
            "language": "en",
            "country": "GB",
            "apply_language_restrict": True,
            "apply_region_restrict": False,
            "source": ["NEWS"],
            "delivery_method": "EMAIL",
        },
        {"query": "oman", "language": "en", "country": "GB", "apply_region_restrict": True},
    ]
}
MELTWATER = {
    "searches": [
        {"id": 1, "name": "SpaceX", "query": {"type": "boolean", "boolean": 'spacex NOT "elon musk"'}},
        {
            "id": 2,
            "name": "Rockets",
            "query": {
                "type": "keyword",
                "all_keywords": ["rocket"],
                "any_keywords": ["engine", "north korea"],
                "not_keywords": ["toy"],
            },
        },
    ]
}
OPML = """<?xml version="1.0"?>
<opml version="2.0"><body>
  <outline text="News"><outline type="rss" text="Google Alert - &quot;north korea&quot; missile" xmlUrl="https://x"/></outline>
  <outline text="Google Alert – oman" title="Google Alert – oman"/>
  <outline text="The Ledger"/>
</body></opml>"""
ATOM = "<feed><title>Google Alert - north &amp; south korea</title><entry><title>Envoy</title></entry></feed>"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("korea\noman\n", [Entry(line=1, query="korea"), Entry(line=2, query="oman")]),
        ("\ufeff# ours\r\n\r\n#\r\n  korea  \r\n", [Entry(line=4, query="korea")]),
        ("#brexit OR korea", [Entry(line=1, query="#brexit OR korea")]),
        ("korea, north\n", [Entry(line=1, query="korea, north")]),
        ("{NATO} AND {US}\nkorea", [Entry(line=1, query="{NATO} AND {US}"), Entry(line=2, query="korea")]),
        ("[korea or dprk] and missile", [Entry(line=1, query="[korea or dprk] and missile")]),
        ("name,query\nKorea,north korea\n", [Entry(line=2, name="Korea", query="north korea")]),
        ('Query;Title\n"a; b";One\n', [Entry(line=2, name="One", query="a; b")]),
        ("# ours\nid\tName\tSearch\n7\tKorea\tkorea\n\n", [Entry(line=3, name="Korea", query="korea")]),
        (
            'name,query\nA,"one\ntwo"\n# no\nB,three\n',
            [Entry(line=2, name="A", query="one\ntwo"), Entry(line=5, name="B", query="three")],
        ),
        ('name,query\nK,"north korea"\n', [Entry(line=2, name="K", query='"north korea"')]),
        ('name;query\nK;"north korea" OR dprk\n', [Entry(line=2, name="K", query='"north korea" OR dprk')]),
        ('name\tquery\nK\ta "b c"\r\n', [Entry(line=2, name="K", query='a "b c"')]),
        ('name,query\nK,"""north korea"", OR dprk"\n', [Entry(line=2, name="K", query='"north korea", OR dprk')]),
        ('"name","query"\n"K","north korea"\n', [Entry(line=2, name="K", query="north korea")]),
        ("query\nkorea\n", [Entry(line=2, query="korea")]),
        ("name,query\nK,\n,oman\n", [Entry(line=2, name="K", query=""), Entry(line=3, query="oman")]),
        (
            '{"name": "K", "query": "korea"}\n# x\n{"query": "oman"}\n',
            [Entry(line=1, name="K", query="korea"), Entry(line=3, query="oman")],
        ),
        (
            '["korea", {"boolean": "oman", "title": "O"}]',
            [Entry(line=1, query="korea"), Entry(line=2, name="O", query="oman")],
        ),
        (
            json.dumps(TAKEOUT),
            [Entry(line=1, query="north korea", lang="en"), Entry(line=2, query="oman", region="GB")],
        ),
        (
            json.dumps(MELTWATER),
            [
                Entry(line=1, name="SpaceX", query='spacex NOT "elon musk"'),
                Entry(line=2, name="Rockets", query='"rocket" AND ("engine" OR "north korea") NOT ("toy")'),
            ],
        ),
        (
            json.dumps({"search": MELTWATER["searches"][0]}),
            [Entry(line=1, name="SpaceX", query='spacex NOT "elon musk"')],
        ),
        (OPML, [Entry(line=3, query='"north korea" missile'), Entry(line=4, query="oman")]),
        (ATOM, [Entry(line=1, query="north & south korea")]),
    ],
)
def test_a_file_is_read_as_what_it_is(text: str, found: list[Entry]) -> None:
    assert entries(text, where="alerts") == found


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "alerts: there is no query in it"),
        ("# nothing\n\n", "alerts: there is no query in it"),
        ("name,query\n", "alerts: there is no query in it"),
        ("<opml><outline text='The Ledger'/></opml>", "alerts: there is no query in it"),
        ('{"query": "korea"}\n{"query": \n', "alerts, line 2: this line is no JSON"),
        ('{"query": "korea"}\n{"name": "K"}\n', "alerts, entry 2: this entry has no query"),
        ('{"query": 7}', "alerts, entry 1: this entry has no query"),
        ('[["korea"]]', "alerts, entry 1: this entry has no query"),
        ('{"query": {"type": "combined", "combined_search": {}}}', "alerts, entry 1: this entry has no query"),
        ('name,query\nK,"north korea, OR dprk\nL,x\n', "alerts, line 2: a quote is never closed"),
        ('name,query\nK,"north korea" OR a, b\n', "alerts, line 2: more columns than the header has"),
        ("name,query\nK,korea, japan\n", "alerts, line 2: more columns than the header has"),
        ("name,query\nK," + "x" * 200_000, "alerts, line 2: is no CSV"),
    ],
)
def test_a_file_without_queries_is_refused_with_a_hint(text: str, says: str) -> None:
    with pytest.raises(InputError) as refusal:
        entries(text, where="alerts")
    assert str(refusal.value).startswith(says)
    assert refusal.value.hint


@given(text=st.text(max_size=80) | st.text(alphabet='{}[]<>",;\t\nquerynam# ', max_size=60))
def test_no_file_crashes(text: str) -> None:
    try:
        found = entries(text, where="alerts")
    except InputError:
        return
    assert found
    assert all(entry.line >= 1 for entry in found)


@given(names=st.lists(st.text(max_size=90), max_size=8))
def test_slugs_are_what_topics_import_accepts_and_never_the_same(names: list[str]) -> None:
    slugs = Slugs()
    given_out = [slugs.of(name, line) for line, name in enumerate(names, start=1)]
    assert len(set(given_out)) == len(names)
    assert all(slug.isascii() and len(slug) <= 80 and slug == slug.lower() for slug in given_out)
    assert all(part and part.isalnum() for slug in given_out for part in slug.split("-"))


def test_a_name_is_one_line_that_can_be_printed() -> None:
    assert cleaned("a\u2028b\x07c\ud800d\u00a0e") == "a b c d e"
    assert shortened("x" * 90) == "x" * 60 + "…"
