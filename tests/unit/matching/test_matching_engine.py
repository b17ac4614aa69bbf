"""The engine says what brute force says, and brute force what a second, naive reading of the rules says."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from worker.errors import QueryError
from worker.matching.analyser import AnalysedArticle, ArticleText, Token, analyse
from worker.matching.engine import Engine
from worker.matching.evaluate import evidence, holds
from worker.matching.hangul import PARTICLES
from worker.matching.query import And, Case, Node, Not, Or, Phrase, Prefix, Reference, Term, Word, parse
from worker.model import Field

WORDS = (
    "us", "US", "U.S.", "Us", "nato", "NATO", "Nato", "korea", "Korea’s", "KOREA", "korean", "n.", "N.", "the", "The",
    "북한", "북한이", "북한에서는", "북한산", "북", "北", "朝", "か\u3099", "が", "e\u0301", "é", "E", "mis\u00adsile",
    "missiles", "3.5", "G7이", "½", "™", "İ", "ß", "SS", "\0", "\ud800", "…", "l’é",
)  # fmt: skip
SEPARATORS = (" ", " ", " ", "-", "\n", "\n\n", ", ", ". ", "")

texts = st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(SEPARATORS)), max_size=12).map(
    lambda pairs: "".join(word + separator for word, separator in pairs)
)
articles = st.builds(
    ArticleText, title=texts, summary=texts, body=texts, author=texts, tags=st.lists(texts, max_size=3).map(tuple)
)
leaf_texts = st.one_of(
    st.sampled_from(WORDS),
    st.sampled_from(WORDS).map(lambda word: f"={word}"),
    st.sampled_from(["kor*", "missil*", "북한*", "北*", '"the kor*"', '"us kor*"']),
    st.lists(st.sampled_from(WORDS), min_size=2, max_size=3).map(lambda words: f'"{" ".join(words)}"'),
    st.tuples(st.sampled_from(["title", "tag", "author"]), st.sampled_from(WORDS)).map(":".join),
)
query_texts = st.recursive(
    leaf_texts,
    lambda inner: st.tuples(inner, st.sampled_from([" ", " OR ", " NOT "]), inner).map("({0[0]}){0[1]}({0[2]})".format),
    max_leaves=5,
)


def read(query: str) -> Node | None:
    try:
        return parse(query)
    except QueryError:
        return None


nodes = query_texts.map(read).filter(lambda node: node is not None)


def naive(node: Node, article: AnalysedArticle) -> bool:
    """Ask every place of every field, with nothing but tokens."""
    match node:
        case And():
            return all(naive(child, article) for child in node.children)
        case Or():
            return any(naive(child, article) for child in node.children)
        case Not():
            return not naive(node.child, article)
        case Reference():
            raise AssertionError
    scope = [node.scope] if node.scope else [Field.TITLE, Field.SUMMARY, Field.BODY]
    fields = [list(article.fields[name].tokens()) for name in scope if name in article.fields]
    return any(naive_leaf(node, tokens[place:]) for tokens in fields for place in range(len(tokens)))


def naive_leaf(leaf: Term | Prefix | Phrase, tokens: list[Token]) -> bool:
    words = (leaf.word,) if isinstance(leaf, Term) else leaf.words if isinstance(leaf, Phrase) else ()
    stem = "" if isinstance(leaf, Term) else leaf.stem
    length = len(words) + bool(stem)
    row = tokens[:length]
    return (
        len(row) == length
        and len({token.paragraph for token in row}) == 1
        and all(naive_word(word, token) for word, token in zip(words, row, strict=False))
        and row[-1].key.startswith(stem)
    )


def naive_word(word: Word, token: Token) -> bool:
    if word.case is Case.EXACT:
        return token.surface == word.surface
    with_particle = len(word.key) > 1 and token.key.startswith(word.key) and token.key[len(word.key) :] in PARTICLES
    letters = [character for character in token.surface if character.isalpha()]
    all_capitals = token.surface.isupper()
    if word.case is Case.CAPITALS and not all_capitals:
        enough = sum(character.isalpha() for character in word.key) >= 4
        return token.key == word.key and enough and letters[0].isupper()
    return token.key == word.key or with_particle


@settings(max_examples=600)
@given(nodes, articles)
def test_the_meaning_agrees_with_a_naive_reading_of_the_rules(node, article):
    analysed = analyse(article)
    assert holds(node, analysed) == naive(node, analysed)
    assert bool(evidence(node, analysed)) == holds(node, analysed)


@settings(max_examples=300)
@given(st.lists(nodes, max_size=12), articles)
def test_the_engine_agrees_with_brute_force(queries, article):
    expressions = dict(enumerate(queries))
    analysed = analyse(article)
    engine = Engine.build(expressions)
    expected = {number: evidence(node, analysed) for number, node in expressions.items() if holds(node, analysed)}
    assert {match.expression: match.spans for match in engine.match(analysed)} == expected
    assert engine.matching(analysed) == tuple(sorted(expected))


@settings(max_examples=300)
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


TestEngineUnderChange = EngineUnderChange.TestCase
TestEngineUnderChange.settings = settings(max_examples=40, stateful_step_count=20)


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


def test_ten_thousand_topics_do_not_mean_ten_thousand_questions():
    topics = {number: parse(f"the topic{number} (korea | place{number})") for number in range(10_000)}
    engine = Engine.build(topics)
    article = analyse(ArticleText(body="The topic7 of the day: Korea. And so the place77 of the topic77."))
    assert engine.matching(article) == (7, 77)
    assert len(engine._candidates(article)) == 2
