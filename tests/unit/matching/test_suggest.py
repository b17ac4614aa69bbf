"""A topic that is suggested finds all that the query would have found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.matching.generated import FEW_WORDS, articles
from worker.errors import QueryError
from worker.matching.analyser import ArticleText, analyse
from worker.matching.evaluate import holds
from worker.matching.query import parse
from worker.matching.references import resolve
from worker.matching.suggest import Directory, KnownTopic

KOREA = KnownTopic(
    slug="north-korea",
    names=("North Korea", "북한"),
    query='"North Korea" OR DPRK OR Pyongyang NOT restaurant OR 북한* OR (Kim AND nuclear)',
)
OMAN = KnownTopic(slug="oman", names=("Oman", "오만"), query="Oman OR Muscat OR title:sultan")
DIRECTORY = Directory([KOREA, OMAN, KnownTopic(slug="broken", names=("Broken",), query="(never")])


def suggested(query: str) -> list[tuple[str, str]]:
    return [(found.slug, found.query) for found in DIRECTORY.suggest(query)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("north korea", [("north-korea", "")]),
        ('"NORTH KOREA"', [("north-korea", "")]),
        ("북한", [("north-korea", "")]),
        ("북한군", [("north-korea", "")]),  # the topic's prefix
        ("dprk OR pyongyang", [("north-korea", "")]),
        ("north korea missile", [("north-korea", "@north-korea AND missile")]),
        ("missile dprk -film", [("north-korea", "missile AND @north-korea NOT film")]),
        ("muscat OR dprk", [("oman", "@oman OR dprk"), ("north-korea", "muscat OR @north-korea")]),
        ("northkorea", [("north-korea", "")]),  # misspelt
        ("omann", [("oman", "")]),
    ],
)
def test_a_topic_is_named_that_says_what_is_meant(query, expected):
    assert suggested(query) == expected


@pytest.mark.parametrize(
    "query",
    [
        "kim",  # the topic wants more than that
        "sultan",  # the topic wants it in the headline
        "title:dprk",  # narrower than the topic
        "FIRST/20 oman",
        "oman NEAR/5 iran",
        "missile -dprk",  # what is not wanted
        "@oman",
        "broken news",
    ],
)
def test_nothing_is_suggested_that_means_something_else(query):
    assert suggested(query) == []


def test_what_else_a_topic_covers_is_told_in_the_readers_script_and_not_its_name_again():
    (found,) = Directory(
        [KnownTopic(slug="k", names=("Korea", "한국"), query="korea OR korean OR 한국인 OR 서울 OR Seoul OR KCNA")]
    ).suggest("korea")
    assert found.also[:2] == ("Seoul", "KCNA")
    (found,) = Directory(
        [KnownTopic(slug="k", names=("Korea", "한국"), query="korea OR Seoul OR 서울 OR 부산")]
    ).suggest("한국")
    assert found.also[:2] == ("서울", "부산")


words = st.sampled_from(FEW_WORDS)


@given(
    st.lists(words, min_size=1, max_size=4, unique=True),
    st.lists(words, min_size=1, max_size=3, unique=True),
    st.sampled_from([" OR ", " "]),
    articles,
)
def test_what_is_suggested_finds_all_that_the_query_finds(covered, asked, joint, article: ArticleText):
    topic = KnownTopic(slug="topic", names=("Its name",), query=" OR ".join(covered))
    query = joint.join(asked)
    try:
        node = parse(query)
        found = Directory([topic]).suggest(query)
    except QueryError:
        return
    read = analyse(article)
    for suggestion in found:
        instead = resolve(parse(suggestion.query or "@topic"), {"topic": topic.query})
        assert holds(instead, read) or not holds(node, read)


def test_each_word_is_looked_up_once_however_many_topics_it_may_mean(monkeypatch):
    directory = Directory(KnownTopic(slug=f"t{number}", names=("Korea",), query="kor*") for number in range(50))
    asked = []
    look_up = Directory._topics_of

    def noted(known, keys):
        asked.append(keys)
        return look_up(known, keys)

    monkeypatch.setattr(Directory, "_topics_of", noted)
    found = directory.suggest(" OR ".join(f"kor{number}" for number in range(100)))
    assert [one.slug for one in found] == ["t0", "t1", "t2"]
    assert len(asked) == 100
