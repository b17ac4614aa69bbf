"""Common refusals of queries are said in the reader's language; every sentence kept for it is really said."""

from __future__ import annotations

import pytest

from worker.errors import QueryError
from worker.matching.query import parse
from worker.matching.references import resolve
from worker.rendering.language import Languages
from worker.resources import templates_dir
from worker.web.refusals import _PATTERNS, refusal

LANGUAGES = Languages(templates_dir() / "locales")
REFUSED = (
    "", "(oman", "oman)", "()", '"oman', "oman AND", "OR oman", "-oman", "the of", "a OR (NOT b)", "korea --film",
    "oman && iran", "kor* OR a*", "???", "intitle:oman", "foo:oman", "near/5 x", "@omn", "@zzz",
)  # fmt: skip


def refused(query: str) -> QueryError:
    with pytest.raises(QueryError) as told:
        resolve(parse(query), {"oman": "oman"})
    return told.value


@pytest.mark.parametrize("query", REFUSED)
def test_english_is_as_the_room_says_it_and_korean_is_korean(query):
    error = refused(query)
    assert refusal(error, LANGUAGES.best("en")) == f"{error.reason} ({error.hint})"
    assert any("가" <= letter <= "힣" for letter in refusal(error, LANGUAGES.best("ko")))


def test_no_sentence_is_kept_that_the_room_says_no_more():
    said = [f"{error.reason} ({error.hint})" for error in map(refused, REFUSED)]
    assert [sentence for sentence, pattern in _PATTERNS if not any(map(pattern.fullmatch, said))] == []


def test_a_rare_refusal_stays_as_it_is():
    error = refused("ATLEAST/0 x")
    assert refusal(error, LANGUAGES.best("ko")) == "ATLEAST wants a number from 1 to 1,000 (write ATLEAST/5)"
