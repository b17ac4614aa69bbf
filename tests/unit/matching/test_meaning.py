"""Which articles a query finds, and on which words: MATCHING.md's examples and settled points."""

from __future__ import annotations

import pytest

from worker.matching.analyser import ArticleText, analyse
from worker.matching.evaluate import evidence, holds
from worker.matching.evidence import Match, Span, Strength
from worker.matching.query import Reference, parse
from worker.matching.reading import article_text
from worker.model import Field


def finds(query: str, body: str = "", **fields: str | list[str]) -> bool:
    return holds(parse(query), analyse(article_text({"body": body, **fields})))


def spans(query: str, article: ArticleText) -> list[tuple[str, str]]:
    return [(span.part, span.alias) for span in evidence(parse(query), analyse(article))]


def test_a_woman_is_not_in_oman():
    assert finds("oman", "A tanker left Oman.")
    assert not finds("oman", "A woman left.")


@pytest.mark.parametrize(
    ("query", "found", "not_found"),
    [
        ("russia", ["Russia", "RUSSIA’S", "russia-backed"], ["Russian", "Prussia"]),
        (
            "US",
            ["the US said", "U.S. troops", "in the U. S. today", "US-led", "US가", "the U.S"],
            ["tell us", "Us", "u.s.", "USA"],
        ),
        ("NATO", ["NATO", "Nato", "N.A.T.O."], ["nato"]),
        ("COVID", ["Covid-19", "COVID"], ["covid"]),
        ("США", ["в США"], ["сша", "Сша"]),
        ("НАТО", ["Нато"], ["нато"]),
        ("G7", ["g7", "G7이"], ["G70"]),
        ("iPhone", ["IPHONE", "iphone"], []),
        ("NGOs", ["ngos"], []),
        ("a.m. radio", ["9 A.M. radio", "radio am"], ["radio at 9 a m"]),
        ("AM", ["AM", "A.M."], ["a.m.", "I am"]),
        ('"KIM JONG-UN"', ["Kim Jong Un", "kim jong-un", "KIM JONG‑UN"], ["Kim Jong, Il and Un"]),
        ('"US troops"', ["US troops", "U.S. Troops"], ["told us troops"]),
        ("AT&T", ["AT&T", "at&t"], ["att"]),
        ('"n korea"', ["N. Korea", "N Korea’s"], ["North Korea"]),
        ("=Turkey", ["Turkey", "Turkey’s"], ["turkey", "TURKEY"]),
        ("=US", ["US"], ["U.S.", "us"]),
        ("=북한", ["북한"], ["북한이"]),
        ("=Müller", ["Müller", "Mu\u0308ller"], ["Muller", "müller"]),
        ("북한", ["북한", "북한이", "북한의", "북한에서는", "북한·미국"], ["북한산", "북한강", "월북한"]),
        ("러", ["한·러 회담", "러"], ["러는", "러가"]),
        ("북한이", ["북한이"], ["북한", "북한의"]),
        ("北朝鮮", ["北朝鮮が発射"], ["北の朝鮮", "朝鮮"]),
        ("ミサイル", ["弾道ミサイル発射", "ﾐｻｲﾙ"], ["ミサ"]),
        ("missil*", ["missile", "MISSILES", "missil"], ["misses", "antimissile"]),
        ("북한*", ["북한산", "북한"], ["월북한"]),
        ("北*", ["北京"], ["東京"]),
        ('"kim jong*"', ["Kim Jong-un", "kim jongnam"], ["Kim Il Jong", "Kim Jo"]),
        ("muller", ["Müller", "MÜLLER"], []),
        ("strasse", ["Straße", "STRASSE"], []),
        ("ukraine", ["l’Ukraine"], []),
        ("o'brien", ["O’Brien"], ["brien"]),
        ("don't", ["DON’T"], ["dont"]),
        ("1,000", ["1,000 tons"], ["1000", "1, 000"]),
        ("lodz", [], ["Łódź"]),
        ("missile", ["mis\u00adsile"], []),
        ("москва", ["Москва́"], ["Москвы"]),
        ("روسيا", ["رُوسِيَا", "روســيا"], []),
        ("istanbul", ["İstanbul"], []),
    ],
)
def test_a_word_finds_its_own_forms_and_no_others(query, found, not_found):
    assert [text for text in found if not finds(query, text)] == []
    assert [text for text in not_found if finds(query, text)] == []


@pytest.mark.parametrize(
    ("query", "found", "not_found"),
    [
        ("korea missile", ["a missile over Korea"], ["korea", "missile"]),
        ("korea AND missile", ["a missile over Korea"], ["korea"]),
        ("korea OR missile", ["korea", "missile"], ["film"]),
        ("korea | missile", ["korea"], ["film"]),
        ("korea NOT film", ["korea"], ["korea film"]),
        ("korea -film", ["korea"], ["korea film", "film"]),
        ("korea missile OR film", ["film", "korea missile"], ["korea"]),
        ("korea (missile OR film)", ["korea film"], ["film", "korea"]),
        ("korea -(film award)", ["korea film"], ["korea film award"]),
        ('korea -"film award"', ["korea award film"], ["korea film award"]),
    ],
)
def test_operators_combine(query, found, not_found):
    assert [text for text in found if not finds(query, text)] == []
    assert [text for text in not_found if finds(query, text)] == []


def test_a_phrase_crosses_a_line_but_neither_a_paragraph_nor_a_field():
    assert finds('"north korea"', "north\nkorea")
    assert not finds('"north korea"', "north\n\nkorea")
    assert not finds('"north korea"', "korea", title="north")
    assert finds("north korea", "korea", title="north")


def test_a_plain_word_looks_in_title_summary_and_body_only():
    for name in ("title", "summary", "body"):
        assert holds(parse("kyiv"), analyse(article_text({name: "Kyiv"})))
    for name in ("author", "section", "source", "lang", "url"):
        article = analyse(article_text({name: "Kyiv"}))
        assert not holds(parse("kyiv"), article)
        assert holds(parse(f"{name}:kyiv"), article)
    tagged = analyse(ArticleText(tags=("Kyiv",)))
    assert not holds(parse("kyiv"), tagged)
    assert holds(parse("tag:kyiv"), tagged)
    assert holds(parse("tags:kyiv"), tagged)


def test_a_field_holds_for_the_whole_group():
    assert finds("title:(kyiv OR lviv) talks", "talks", title="Lviv")
    assert not finds("title:(kyiv OR lviv) talks", "talks in Lviv")


def test_a_phrase_never_spans_two_tags():
    assert finds('tag:"north korea"', tags=["north korea"])
    assert not finds('tag:"north korea"', tags=["north", "korea"])


def test_an_address_can_be_searched_by_its_parts():
    url = "https://news.example/world/north-korea-fires"
    assert finds("url:news.example", url=url)
    assert finds("url:https://news.example/world", url=url)
    assert finds("url:north-korea", url=url)


def test_evidence_names_every_place_in_the_original_text():
    article = ArticleText(title="U.S. envoy", body="“Korea”’s envoy: N. Korea, 북한이, KOREA")
    found = evidence(parse('(korea | 북한) US -film "n korea"'), analyse(article))
    assert [(span.field, span.part, span.alias) for span in found] == [
        (Field.TITLE, "US", "U.S."),
        (Field.BODY, "korea", "Korea"),
        (Field.BODY, '"n korea"', "N. Korea"),
        (Field.BODY, "korea", "Korea"),
        (Field.BODY, "북한", "북한이"),
        (Field.BODY, "korea", "KOREA"),
    ]
    assert all(
        {"title": article.title, "body": article.body}[span.field][span.start : span.end] == span.alias
        for span in found
    )


def test_evidence_leaves_out_branches_that_do_not_hold():
    assert spans("korea OR (missile test)", ArticleText(body="korea missile")) == [("korea", "korea")]


def test_evidence_of_what_does_not_hold_is_empty():
    assert spans("korea missile", ArticleText(body="korea")) == []


def test_the_same_place_is_named_once_for_each_part_that_found_it():
    assert spans("korea OR korea OR kore*", ArticleText(body="korea")) == [("kore*", "korea"), ("korea", "korea")]


def test_occurrences_of_a_phrase_may_overlap():
    assert spans('"a b a"', ArticleText(body="a b a b a")) == [('"a b a"', "a b a"), ('"a b a"', "a b a")]


def test_a_phrase_may_hold_a_word_twice_or_end_with_a_prefix():
    assert spans('"new york new yor*"', ArticleText(body="New York, New Yorkers")) == [
        ('"new york new yor*"', "New York, New Yorkers")
    ]


def test_evidence_in_tags_counts_in_all_of_them_joined():
    (span,) = evidence(parse("tag:korea"), analyse(ArticleText(tags=("asia", "Korea"))))
    assert span == Span(field=Field.TAG, start=5, end=10, part="tag:korea", alias="Korea")


@pytest.mark.parametrize(
    ("article", "strength"),
    [
        (ArticleText(title="korea", summary="korea", body="korea"), Strength.TITLE),
        (ArticleText(summary="korea", body="korea"), Strength.SUMMARY),
        (ArticleText(body="korea"), Strength.BODY),
    ],
)
def test_the_best_place_gives_a_match_its_strength(article, strength):
    match = Match(expression=1, spans=evidence(parse("korea"), analyse(article)))
    assert match.strength is strength


def test_a_title_is_stronger_than_a_summary_and_that_than_a_body():
    assert Strength.TITLE > Strength.SUMMARY > Strength.BODY


def test_a_reference_that_nobody_resolved_is_a_defect():
    with pytest.raises(ValueError, match="@korea"):
        holds(Reference(slug="korea"), analyse(ArticleText(body="korea")))
