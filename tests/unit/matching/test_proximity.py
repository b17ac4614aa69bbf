"""NEAR in long articles and on hot words: the same meaning, a stretch at a time, and bounded."""

from __future__ import annotations

import random
from itertools import product

import pytest
from hypothesis import given

from tests.thorough import thorough
from tests.unit.matching.generated import articles, read, sides
from tests.unit.matching.naive import Piece, joint, naive, pieces
from worker.matching import proximity
from worker.matching.analyser import AnalysedArticle, ArticleText, analyse
from worker.matching.evaluate import evidence, holds
from worker.matching.query import Near, Node, Or, parse
from worker.model import Field

nears = sides.map(read).filter(lambda node: isinstance(node, Near))


def taking_part(node: Near, article: AnalysedArticle) -> set[tuple[Field, int, int]]:
    """Return the places, in the text, of all words in any way of making a NEAR true."""
    parts = set().union(*(parts for _, parts in ways(node, article)))
    words = {name: field.words for name, field in article.fields.items()}
    return {(name, words[name].starts[first], words[name].ends[last]) for name, first, last in parts}


def ways(node: Node, article: AnalysedArticle) -> set[tuple[Piece, frozenset[Piece]]]:
    match node:
        case Or():
            return set().union(*(ways(child, article) for child in node.children))
        case Near():
            pairs = list(product(ways(node.left, article), ways(node.right, article)))
            pairs += [] if node.is_ordered else [(right, left) for left, right in pairs]
            joined = {(joint(left[0], right[0], node.distance), left[1] | right[1]) for left, right in pairs}
            return {(piece, parts) for piece, parts in joined if piece}
        case _:
            return {(piece, frozenset({piece})) for piece in pieces(node, article)}


@thorough(many=300)
@given(nears, articles)
def test_a_near_means_the_same_however_short_the_stretches_are(node, article):
    analysed = analyse(article)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(proximity, "_STRETCH", 2)
        in_stretches = evidence(node, analysed)
        assert holds(node, analysed) == bool(in_stretches) == naive(node, analysed)
    assert in_stretches == evidence(node, analysed)
    assert {(span.field, span.start, span.end) for span in in_stretches} == taking_part(node, analysed)


@pytest.mark.parametrize(
    "query",
    [
        "alpha ONEAR/2 delta",
        "alpha ONEAR/7 alpha ONEAR/9 bravo",
        "alpha ONEAR/3 bravo NEAR/2 carol",
        "carol ONEAR/60 (alpha NEAR/50 (bravo OR delta))",
        '"alpha bravo" NEAR/90 ((carol ONEAR/20 alpha) OR delta)',
        "(alpha NEAR/5 bravo OR carol NEAR/5 delta) ONEAR/100 (alpha ONEAR/3 alpha OR delta)",
    ],
)
def test_a_near_means_the_same_in_a_long_article(query):
    node = parse(query)
    for many in (100, 600):
        dice = random.Random(many)
        filler = [f"w{number}" for number in range(many)]
        words = dice.choices(["alpha bravo", "alpha", "bravo", "carol", "delta", *filler], k=len(filler) * 10)
        article = analyse(ArticleText(title="alpha", body=" ".join(words)))
        assert holds(node, article) == bool(evidence(node, article)) == naive(node, article)


HOT = analyse(ArticleText(body="quick quick brown " * 60_000 + "fox"))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("quick NEAR/100 quick NEAR/1 fox", False),
        ("fox NEAR/2 (quick NEAR/100 quick)", True),
        ("fox ONEAR/100 (quick NEAR/100 brown)", False),
        ("quick ONEAR/1 quick ONEAR/1 quick NEAR/100 brown", False),
        ("quick NEAR/100 (quick NEAR/100 (quick NEAR/100 brown))", True),
        ("(quick | brown) NEAR/100 (quick | brown) NEAR/100 (quick | brown) NEAR/1 dog", False),
    ],
)
def test_a_hot_word_in_an_article_of_a_megabyte_costs_no_more_than_reading_it(query, expected):
    assert holds(parse(query), HOT) == expected
    spans = evidence(parse(query), HOT)
    assert bool(spans) == expected
    assert len(spans) < 10 * proximity.MAX_ENDS


def test_evidence_of_a_near_names_the_words_that_take_part_and_no_others():
    article = analyse(ArticleText(body="alpha bravo. x x x x x alpha x x bravo x x x x alpha"))
    found = evidence(parse("alpha NEAR/3 bravo"), article)
    assert [(span.start, span.alias) for span in found] == [(0, "alpha"), (6, "bravo"), (23, "alpha"), (33, "bravo")]


def test_evidence_of_a_nested_near_leaves_out_inner_pairs_that_the_outer_one_does_not_want():
    article = analyse(ArticleText(body="alpha bravo x x x x x x carol alpha x bravo"))
    found = evidence(parse("alpha NEAR/2 bravo NEAR/3 carol"), article)
    assert [span.start for span in found] == [24, 30, 38]
