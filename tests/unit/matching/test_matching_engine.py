"""The engine says what brute force says, before and after changes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.thorough import often, thorough
from tests.unit.matching.generated import articles, nodes
from worker.matching.analyser import ArticleText, analyse
from worker.matching.engine import Engine
from worker.matching.evaluate import evidence, holds
from worker.matching.query import Node, Reference, parse


@thorough(many=300)
@given(st.lists(nodes, max_size=12), articles)
def test_the_engine_agrees_with_brute_force(queries, article):
    expressions = dict(enumerate(queries))
    analysed = analyse(article)
    engine = Engine.build(expressions)
    expected = {number: evidence(node, analysed) for number, node in expressions.items() if holds(node, analysed)}
    assert {match.expression: match.spans for match in engine.match(analysed)} == expected
    assert engine.matching(analysed) == tuple(sorted(expected))


class EngineUnderChange(RuleBasedStateMachine):
    """Topics come, change and go while articles arrive."""

    @initialize()
    def begin(self):
        self.engine = Engine.build({})
        self.expressions: dict[int, Node] = {}
        self.article = analyse(ArticleText(title="US and N. Korea", body="북한이 missiles the Korean Nato, 北朝"))

    @rule(number=st.integers(0, 6), node=nodes)
    def add(self, number, node):
        self.engine.add(number, node)
        self.expressions[number] = node

    @rule(number=st.integers(0, 6))
    def remove(self, number):
        if number in self.expressions:
            self.engine.remove(number)
            del self.expressions[number]
        else:
            with pytest.raises(KeyError):
                self.engine.remove(number)

    @rule(article=articles)
    def arrive(self, article):
        self.article = analyse(article)

    @invariant()
    def agrees_with_brute_force(self):
        expected = tuple(sorted(number for number, node in self.expressions.items() if holds(node, self.article)))
        assert self.engine.matching(self.article) == expected
        assert len(self.engine) == len(self.expressions)


TestEngineUnderChange = pytest.mark.thorough(EngineUnderChange.TestCase)
TestEngineUnderChange.settings = settings(max_examples=often(few=15, many=60), stateful_step_count=20)


def test_matches_come_in_the_order_of_their_numbers():
    engine = Engine.build({9: parse("korea"), -1: parse("kore*"), 4: parse("film"), 2: parse("korea | film")})
    matches = engine.match(analyse(ArticleText(body="Korea")))
    assert [match.expression for match in matches] == [-1, 2, 9]


def test_an_empty_engine_and_an_empty_article_match_nothing():
    assert Engine.build({}).match(analyse(ArticleText(body="korea"))) == ()
    assert Engine.build({1: parse("korea")}).match(analyse(ArticleText())) == ()


def test_equal_queries_are_evaluated_once_and_reported_to_each_owner():
    engine = Engine.build({number: parse(f"korea{' ' * number}-film") for number in range(1, 4)})
    first, second, third = engine.match(analyse(ArticleText(body="Korea")))
    assert [first.expression, second.expression, third.expression] == [1, 2, 3]
    assert first.spans is second.spans is third.spans


def test_a_changed_query_replaces_the_old_one():
    engine = Engine.build({1: parse("korea")})
    engine.add(1, parse("film"))
    assert engine.matching(analyse(ArticleText(body="korea"))) == ()
    assert engine.matching(analyse(ArticleText(body="film"))) == (1,)
    assert len(engine) == 1


def test_an_unresolved_reference_is_not_indexed():
    engine = Engine.build({})
    with pytest.raises(ValueError, match="cannot be hung"):
        engine.add(1, Reference(slug="korea"))
    assert len(engine) == 0


def test_of_ten_thousand_topics_only_those_in_the_article_are_found():
    topics = {number: parse(f"the topic{number} (korea | place{number})") for number in range(10_000)}
    engine = Engine.build(topics)
    article = analyse(ArticleText(body="The topic7 of the day: Korea. And so the place77 of the topic77."))
    assert engine.matching(article) == (7, 77)
