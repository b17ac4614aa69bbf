"""What a query means agrees with a second, naive reading of the rules, and its evidence with the text."""

from __future__ import annotations

from hypothesis import given

from tests.thorough import thorough
from tests.unit.matching.generated import articles, nodes, trees
from tests.unit.matching.naive import naive
from worker.matching.analyser import analyse
from worker.matching.evaluate import evidence, holds
from worker.matching.query import canonical, parse
from worker.model import Field


@thorough(many=300)
@given(nodes, articles)
def test_the_meaning_agrees_with_a_naive_reading_of_the_rules(node, article):
    analysed = analyse(article)
    assert holds(node, analysed) == naive(node, analysed)
    assert bool(evidence(node, analysed)) == holds(node, analysed)


@thorough(many=300)
@given(nodes, articles)
def test_every_span_covers_its_alias_in_the_original_text(node, article):
    originals = {
        Field.TITLE: article.title,
        Field.SUMMARY: article.summary,
        Field.BODY: article.body,
        Field.AUTHOR: article.author,
        Field.TAG: "\u2029".join(article.tags),
    }
    for span in evidence(node, analyse(article)):
        assert 0 <= span.start < span.end
        assert originals[span.field][span.start : span.end] == span.alias


@thorough(many=300)
@given(trees)
def test_a_tree_is_read_again_from_its_canonical_text(tree):
    assert parse(canonical(tree)) == tree
