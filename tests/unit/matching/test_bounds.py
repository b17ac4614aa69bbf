"""What stored terms say of a query is never wrong: what is sure holds, and what is not possible does not."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.thorough import thorough
from tests.unit.matching.generated import articles, nodes
from worker.matching.analyser import ArticleText, analyse
from worker.matching.bounds import Block, Kind, Sign, signs
from worker.matching.evaluate import holds
from worker.matching.inflection import LANGUAGES
from worker.matching.occurrences import language_of
from worker.matching.query import Node, parse
from worker.matching.terms import MAX_KEY, MAX_TERMS, forms_of, pack, stored_stem, terms_of, unpack


def block(texts: Sequence[ArticleText], query: Node) -> Block:
    """Store articles as the database would, and look the query's signs up."""
    analysed = [analyse(text) for text in texts]
    found = [terms_of(article) or frozenset() for article in analysed]
    numbers = {key: number for number, key in enumerate(sorted(frozenset().union(*found)), 1)}
    stems = {
        (language, stored_stem(form, language), key)
        for article in analysed
        if (language := language_of(article)) in LANGUAGES
        for form, key in forms_of(article)
    }
    packed = [pack(numbers[key] for key in keys) for keys in found]
    return Block(*unpack(packed), {sign: looked_up(sign, numbers, stems) for sign in signs(query)})


def looked_up(sign: Sign, numbers: Mapping[str, int], stems: Collection[tuple[str, str, str]]) -> list[int]:
    match sign.kind:
        case Kind.WORD:
            return [numbers[sign.key]] if sign.key in numbers else []
        case Kind.PREFIX:
            return [number for key, number in numbers.items() if key.startswith(sign.key)]
        case Kind.INFLECTED:
            return [numbers[key] for language, stem, key in stems if stored_stem(sign.key, language) == stem]


def judged(query: str, *texts: ArticleText) -> list[str]:
    """Say of each article what its terms say."""
    bounds = block(texts, parse(query)).bounds(parse(query))
    words = {(True, True): "holds", (False, True): "perhaps", (False, False): "fails"}
    return [words[bool(sure), bool(possible)] for sure, possible in zip(*bounds, strict=True)]


@thorough(many=300)
@given(nodes, st.lists(articles, max_size=5))
def test_what_is_sure_holds_and_what_holds_is_possible(node, texts):
    sure, possible = block(texts, node).bounds(node)
    meant = np.array([holds(node, analyse(text)) for text in texts], dtype=bool)
    assert not (sure & ~meant).any()
    assert not (meant & ~possible).any()


@pytest.mark.parametrize(
    ("query", "text", "said"),
    [
        ("korea", "Korea’s envoy", "holds"),
        ("korea", "a film", "fails"),
        ("US", "the U.S. envoy", "holds"),
        ("US", "tell us", "fails"),
        ("NATO", "NATO speaks", "holds"),
        ("NATO", "Nato speaks", "perhaps"),
        ("북한", "북한이 밝혔다", "holds"),
        ("kore*", "Korea", "holds"),
        ('"north korea"', "north of Korea", "perhaps"),
        ('"north korea"', "Korea", "fails"),
        ("korea -film", "Korea", "holds"),
        ("korea -film", "Korea film", "fails"),
        ('korea -"spy film"', "Korea film spy", "perhaps"),
        ("=Turkey", "Turkey", "perhaps"),
        ("korea | film", "film", "holds"),
        ("~missile", "missiles", "perhaps"),
        ("~missile", "a missile", "holds"),
        ("~missile", "the mission", "fails"),
        ("korea NEAR/3 envoy", "Korea’s envoy", "perhaps"),
        ("korea NEAR/3 envoy", "Korea", "fails"),
        ("ATLEAST/2 korea", "Korea", "perhaps"),
        ("ANY/2 (korea, envoy, film)", "Korea’s film", "holds"),
        ("ANY/2 (korea, envoy, film)", "Korea", "fails"),
        ("ANY/2 (korea, =Film, =Envoy)", "Korea’s film", "perhaps"),
        ("FIRST/5 (korea)", "Korea", "perhaps"),
    ],
)
def test_where_terms_tell_nobody_reads_the_text(query, text, said):
    assert judged(query, ArticleText(title=text), ArticleText(body=text)) == [said, said]


def test_short_fields_are_told_apart_and_long_ones_must_be_read():
    korea = [ArticleText(title="Korea"), ArticleText(body="Korea"), ArticleText(tags=("Korea",))]
    assert judged("title:korea", *korea) == ["holds", "fails", "fails"]
    assert judged("tag:korea", *korea) == ["fails", "fails", "holds"]
    assert judged("body:korea", *korea) == ["perhaps", "perhaps", "fails"]
    assert judged("url:korea", *korea) == ["perhaps", "perhaps", "perhaps"]


def test_words_longer_than_what_is_stored_are_read_to_be_told_apart():
    long = "a" * MAX_KEY
    assert judged(f"{long}b", ArticleText(title=f"{long}c"), ArticleText(title="a")) == ["perhaps", "fails"]


def test_an_article_of_too_many_words_leaves_no_terms():
    assert terms_of(analyse(ArticleText(body=" ".join(map(str, range(MAX_TERMS + 1)))))) is None
