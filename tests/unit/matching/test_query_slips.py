"""Slips of the hand and of the clipboard, which must not quietly turn a query into another one."""

from __future__ import annotations

import pytest

from worker.errors import QueryError
from worker.matching.canonical import canonical
from worker.matching.query import parse


@pytest.mark.parametrize(
    ("query", "offset", "reason"),
    [
        ("korea --film", 6, "two dashes before a word"),
        ("korea -–film", 6, "two dashes before a word"),
        ("korea －－film", 6, "two dashes before a word"),
        ("korea NOT-film", 6, "NOT hangs on what follows"),
        ("korea AND-film", 6, "AND hangs on what follows"),
        ("korea OR–film", 6, "OR hangs on what follows"),
        ("korea AND/OR film", 6, "AND hangs on what follows"),
        ("title:OR/AND", 6, "OR hangs on what follows"),
    ],
)
def test_what_looks_like_an_operator_and_is_none_is_refused(query, offset, reason):
    with pytest.raises(QueryError) as refusal:
        parse(query)
    assert (refusal.value.offset, refusal.value.reason) == (offset, reason)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("korea \u200bOR dprk", "korea OR dprk"),
        ("korea\u2060 OR\u2060 dprk", "korea OR dprk"),
        ("\u200ekorea\u200e \u200eNOT\u200e \u200efilm\u200e", "korea NOT film"),
        ("\ufeffkorea -\ufefffilm", None),
        ("\u202bسوريا OR\u202c ايران", "سوريا OR ايران"),
        ("title:\u200bkorea", "title:korea"),
        ("می\u200cخواهم OR film", "میخواهم OR film"),
        ("korea\u00adn", "korean"),
    ],
)
def test_characters_that_nobody_sees_change_nothing(query, text):
    if text is None:
        with pytest.raises(QueryError):
            parse(query)
    else:
        assert canonical(parse(query)) == text


@pytest.mark.parametrize("dash", "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d-")
def test_any_dash_before_a_word_is_a_not(dash):
    assert canonical(parse(f"korea {dash}film")) == "korea NOT film"


@pytest.mark.parametrize(
    "query", ['"NOT-film"', '"AND/OR" film', "and/or film", "Or-gate", "land-or-sea", "korea a--b"]
)
def test_words_that_only_resemble_operators_are_words(query):
    assert canonical(parse(query))
