"""Vetoes: words of a title that a query may leave out, and the query that does."""

from __future__ import annotations

import pytest
from hypothesis import given

from tests.unit.matching.generated import articles, nodes
from worker.errors import QueryError
from worker.matching.analyser import analyse
from worker.matching.canonical import canonical
from worker.matching.evaluate import holds
from worker.matching.query import parse
from worker.matching.vetoes import MOST_WORDS, leaving_out, words_to_leave_out


@given(articles, articles, nodes)
def test_every_word_offered_keeps_that_story_out_and_nothing_else_but_its_like(article, other, node):
    query, read, again = canonical(node), analyse(article), analyse(other)
    for word in words_to_leave_out(article.title, node):
        try:
            narrowed = parse(leaving_out(query, word))
        except QueryError:  # a query at the limit of what may be asked
            continue
        assert not holds(narrowed, read)
        assert holds(narrowed, again) == (holds(node, again) and not holds(parse(word), again))


@pytest.mark.parametrize(
    ("title", "query", "words"),
    [
        ("Missiles over Korea", "korea ~missile", ("missiles",)),  # an inflection is another word to a veto
        ("Korean missiles", "kor*", ("missiles",)),
        ("Korea without the film", "korea NOT film", ("without",)),
        ("A 2026 W7 of on", "x", ()),
        ("THE UN AND NATO", "x", ("UN", "nato")),
        ("AND OR NOT", "x", ()),
        ("日本の地震", "x", ()),
        ("북한이 쏜 미사일을", "북한", ("미사일",)),
        ("", "x", ()),
    ],
)
def test_what_is_offered(title, query, words):
    assert words_to_leave_out(title, parse(query)) == words


def test_no_more_is_offered_than_a_reader_can_look_through():
    title = " ".join(f"word{letter}" for letter in "abcdefghijklmnop")
    assert len(words_to_leave_out(title, parse("x"))) == MOST_WORDS


@pytest.mark.parametrize(
    ("query", "narrowed"),
    [
        ("quake akita", "quake akita NOT film"),
        ("quake OR akita", "(quake OR akita) NOT film"),
        ("quake NOT tsunami", "quake NOT tsunami NOT film"),
        ("@japan", "@japan NOT film"),
        ('"north korea" NEAR/5 missile', '"north korea" NEAR/5 missile NOT film'),
    ],
)
def test_brackets_stand_where_they_are_needed(query, narrowed):
    assert leaving_out(query, "film") == narrowed
