"""What a translated query finds, what of it is lost, and that nothing is lost without a word."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from worker.errors import QueryError
from worker.matching.analyser import ArticleText, analyse
from worker.matching.canonical import canonical
from worker.matching.evaluate import holds
from worker.matching.foreign.building import GAP
from worker.matching.foreign.draft import Effect, Fate, Finding
from worker.matching.foreign.origin import Source
from worker.matching.foreign.translation import Translation, translate
from worker.matching.parser import parse

ENVOY = ArticleText(
    title="Envoy of North Korea in Geneva",
    summary="Talks on missiles begin.",
    body="The US and North Korea met. " + "Nobody said much. " * 40 + "A film was shown. Korea, Korea, Korea.",
    source="Northfield Ledger",
    lang="en-GB",
    url="https://www.ledger.example/world/7",
    author="Ann Lee",
)


@pytest.mark.parametrize(
    ("source", "query", "finds"),
    [
        (Source.GOOGLE, "korea envoy OR minister", True),
        (Source.GOOGLE, "korea minister OR spokesman", False),
        (Source.GOOGLE, "korea -film", False),
        (Source.GOOGLE, "korea -opera site:ledger.example", True),
        (Source.GOOGLE, "korea site:other.example", False),
        (Source.GOOGLE, "envoy AROUND(1) korea", False),
        (Source.GOOGLE, "envoy AROUND(2) korea", True),
        (Source.GOOGLE, "intitle:geneva intitle:film", False),
        (Source.GOOGLE, '"envoy * korea"', True),
        (Source.GOOGLE, '"envoy korea"', False),
        (Source.GOOGLE, "US korea", True),
        (Source.GOOGLE, "~missile korea", True),
        (Source.FACTIVA, "north korea and talks", True),
        (Source.FACTIVA, "korea north", False),
        (Source.FACTIVA, "envoy adj2 korea", False),
        (Source.FACTIVA, "envoy adj3 korea", True),
        (Source.FACTIVA, "korea near3 envoy", True),
        (Source.FACTIVA, "korea adj3 geneva and hd=envoy", True),
        (Source.FACTIVA, "hd=film", False),
        (Source.FACTIVA, "hlp=missiles", True),
        (Source.FACTIVA, "lp=geneva", False),
        (Source.FACTIVA, "hlp=film", False),
        (Source.FACTIVA, "film/F50/", False),
        (Source.FACTIVA, "atleast5 korea", True),
        (Source.FACTIVA, "atleast6 korea", False),
        (Source.FACTIVA, "la=en and korea not by=smith", True),
        (Source.FACTIVA, "la=fr and korea", False),
        (Source.FACTIVA, "sn=northfield ledger and missil*", True),
        (Source.FACTIVA, "env?y and north korea", True),
        (Source.MELTWATER, 'korea AND (geneva OR vienna) NOT "an opera"', True),
        (Source.MELTWATER, "envoy NEAR/1 korea", False),
        (Source.MELTWATER, "envoy ONEAR/2 korea AND title:geneva", True),
        (Source.MELTWATER, "geneva ONEAR/5 korea", False),
        (Source.MELTWATER, "{missiles}", True),
        (Source.MELTWATER, "{Missiles}", False),
        (Source.MELTWATER, "ingress:missiles AND language:english", True),
        (Source.NEXIS, "korea and geneva or vienna", True),
        (Source.NEXIS, "envoy pre/2 korea", False),
        (Source.NEXIS, "envoy pre/3 korea and not opera", True),
        (Source.NEXIS, "hlead(missil!) and byline(lee)", True),
        (Source.NEXIS, "headline(allcaps(korea))", False),
    ],
)
def test_a_translated_query_finds_what_it_found(source: Source, query: str, finds: bool) -> None:
    assert holds(translate(query, source).node, analyse(ENVOY)) is finds


def dropped(translation: Translation) -> list[tuple[str, Effect]]:
    return [(one.text, one.effect) for one in translation.findings if one.fate is Fate.DROPPED]


@pytest.mark.parametrize(
    ("query", "becomes", "lost"),
    [
        ("korea and wc>9", "korea", [("wc>9", Effect.MORE)]),
        ("korea not wc>9", "korea", [("wc>9", Effect.MORE)]),
        ("korea or wc>9", "korea", [("wc>9", Effect.LESS)]),
        ("korea and (film or wc>9)", "korea AND film", [("wc>9", Effect.LESS)]),
        ("korea and (re=usa or wc>9)", "korea", [("re=usa", Effect.MORE), ("wc>9", Effect.MORE)]),
        ("korea not (film and wc>9)", "korea NOT film", [("wc>9", Effect.LESS)]),
        ("korea not (film or wc>9)", "korea NOT film", [("wc>9", Effect.MORE)]),
        ("korea not (film not wc>9)", "korea NOT film", [("wc>9", Effect.LESS)]),
        ("korea near5 ns=gcat", "korea", [("ns=gcat", Effect.MORE)]),
        ("atleast3 ns=gcat and korea", "korea", [("ns=gcat", Effect.MORE)]),
        ("korea or (not film)", "korea", [("NOT film", Effect.LESS)]),
        ("korea not (not film)", "korea AND film", []),
        ("korea not ((not film) and (not opera))", "korea AND (film OR opera)", []),
        ("korea and ns=(gcat or gsanc)", "korea", [("ns=(gcat, gsanc)", Effect.MORE)]),
        ("korea and un*", "korea", [("un*", Effect.MORE)]),
        ("korea and *ism", "korea", [("*ism", Effect.MORE)]),
        ("korea and &", "korea", [("&", Effect.SAME)]),
    ],
)
def test_what_is_dropped_is_named_with_what_it_does(query: str, becomes: str, lost: list[tuple[str, Effect]]) -> None:
    translation = translate(query, Source.FACTIVA)
    assert (translation.query, dropped(translation)) == (becomes, lost)
    assert translation.is_whole is all(effect is Effect.SAME for _, effect in lost)


@pytest.mark.parametrize("query", ["location:us", "-location:us", "& *", "-korea"])
def test_a_query_of_which_nothing_is_left_is_refused(query: str) -> None:
    with pytest.raises(QueryError):
        translate(query, Source.GOOGLE)


def test_an_alert_for_one_language_stays_one() -> None:
    assert translate("korea OR dprk", Source.GOOGLE, lang="en").query == "(korea OR dprk) AND lang:en"


def test_an_alert_for_one_country_says_that_it_finds_more_now() -> None:
    assert dropped(translate("korea", Source.GOOGLE, region="GB")) == [("only from GB", Effect.MORE)]


def test_capitals_are_pointed_out_once() -> None:
    found = translate("US OR NATO OR US korea", Source.GOOGLE).findings
    assert [(one.text, one.effect) for one in found] == [("US, NATO", Effect.LESS)]


def test_a_query_in_capitals_throughout_is_taken_for_one_in_lower_case() -> None:
    translation = translate("NORTH KOREA AND (MISSILE* OR US SANCTIONS) AND UN", Source.FACTIVA)
    assert translation.query == '"north korea" AND (missile* OR "US sanctions") AND UN'


def test_the_twenty_first_prefix_becomes_a_word_with_its_inflections() -> None:
    stems = [f"stem{letter}" for letter in "abcdefghijklmnopqrstu"]
    translation = translate(" or ".join(f"{stem}*" for stem in stems), Source.FACTIVA)
    assert translation.query == " OR ".join([*(f"{stem}*" for stem in stems[:20]), f"~{stems[20]}"])
    assert [one.text for one in translation.findings] == ["stemu*"]


def test_a_change_inside_a_not_counts_the_other_way_round() -> None:
    (finding,) = translate("korea not engineer$3", Source.FACTIVA).findings
    assert finding == Finding(10, "engineer$3", Fate.CHANGED, Effect.LESS, "any ending, of any length")


def test_a_word_near_itself_must_be_there_twice() -> None:
    assert translate("korea near5 korea", Source.FACTIVA).query == "korea NEAR/5 korea"


def test_a_long_row_is_no_deep_one() -> None:
    words = [f"w{number}" for number in range(2_000)]
    assert translate(" OR ".join(words), Source.GOOGLE).query == " OR ".join(words)
    assert translate(" ".join(words), Source.FACTIVA).query == f'"{" ".join(words)}"'


def test_a_gap_of_stars_stays_within_what_our_language_allows() -> None:
    assert translate(f'"a1 {"* " * 40}b1"', Source.GOOGLE).query == "a1 ONEAR/100 b1"
    assert translate('"a1 * * b1"', Source.GOOGLE).query == f"a1 ONEAR/{1 + 2 * GAP} b1"


ODDITIES = """
    ( ) [ ] { } " “ ” | - – ~ * ? + : = / ^ $ % ! , . & < > ' ％ （ ） ＂ \u200b \U0001f525
    korea missile US NATO the un 북한 朝鲜 ко́рея 7 wom?n missil* un* colo*r k$1
    AND OR NOT and or not NEAR/5 ONEAR/2 near3 adj2 same w/5 pre/3 /N9/ /F50/ atleast3 ATLEAST3( w/p NOT/5
    intitle: allintitle: site:x.example inurl: source: location:us before:2020 AROUND(3) 1..9
    hd= hlp=( hd:x -x la=en ns=gcat wc>300 by= title: ingress:( country:us {Korea} ^9 #tag @name date after 2024
    HLEAD( headline( allcaps( plural( length>9 w/s
"""
PIECES = st.sampled_from(ODDITIES.split())
QUERIES = (
    st.lists(PIECES, max_size=25).map(" ".join) | st.lists(PIECES, max_size=25).map("".join) | st.text(max_size=60)
)


def tried(query: str, source: Source) -> Translation | QueryError:
    try:
        return translate(query, source)
    except QueryError as error:
        return error


@given(query=QUERIES, source=st.sampled_from(Source))
@example(query="\ud800korea", source=Source.GOOGLE)
@example(query="NOT " * 60 + "korea", source=Source.MELTWATER)
@example(query="korea" + " near5 korea" * 60, source=Source.FACTIVA)
@example(query="korea" + "^9" * 60, source=Source.MELTWATER)
@example(query="wo?d " * 80, source=Source.FACTIVA)
@example(query="*" * 20_000, source=Source.NEXIS)
@example(query="* " * 10_000, source=Source.FACTIVA)
@example(query="k$1 " * 80, source=Source.FACTIVA)
def test_no_query_crashes_and_what_comes_out_is_always_accepted(query: str, source: Source) -> None:
    translation = tried(query, source)
    if isinstance(translation, QueryError):
        assert 0 <= translation.offset <= len(query)
        return
    assert parse(translation.query) == translation.node
    assert canonical(translation.node) == translation.query
    assert all(one.says and one.text and 0 <= one.at <= len(query) for one in translation.findings)


LOST = {
    Source.GOOGLE: ["location:us", "before:2020", "7..9", "filetype:pdf", "link:x.example"],
    Source.FACTIVA: ["wc>300", "ns=gcat", "re=usa", "date after 20240101", "un*", "*ism"],
    Source.MELTWATER: ["country:us", "sentiment:positive", "metaData.x:1", "un*"],
    Source.NEXIS: ["length > 300", "date > 2020", "un!"],
}


def trees(source: Source) -> st.SearchStrategy[str]:
    leaves = st.sampled_from(["korea", "film", "missile", *LOST[source]])
    no = "-" if source is Source.GOOGLE else "not "
    both = {Source.GOOGLE: " ", Source.NEXIS: " and "}.get(source, " and ")
    either = " OR " if source is Source.GOOGLE else " or "
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.tuples(inner, inner).map(lambda pair: f"({both.join(pair)})"),
            st.tuples(inner, inner).map(lambda pair: f"({either.join(pair)})"),
            inner.map(lambda one: f"(korea{both}{no}({one}))"),
        ),
        max_leaves=12,
    )


@given(pair=st.sampled_from(Source).flatmap(lambda source: st.tuples(st.just(source), trees(source))))
def test_every_dropped_piece_is_in_the_report(pair: tuple[Source, str]) -> None:
    source, query = pair
    translation = tried(query, source)
    if isinstance(translation, QueryError):
        assert translation.reason.startswith(("nothing of it", "only absence"))
        return
    reported = [text for text, _ in dropped(translation)]
    for piece in LOST[source]:
        shown = piece.replace("!", "*")
        assert reported.count(shown) == len({at for at in range(len(query)) if query.startswith(piece, at)}), query
