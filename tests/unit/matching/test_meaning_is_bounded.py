"""The worst that 20,000 characters can ask of a long article is answered in seconds, evidence included."""

from __future__ import annotations

import pytest

from worker.matching.analyser import ArticleText, analyse
from worker.matching.checks import MAX_CHARACTERS
from worker.matching.evaluate import evidence, holds
from worker.matching.query import parse

ARTICLE = analyse(ArticleText(title="Alpha", body="alpha bravo charlie " * 10_000))


@pytest.mark.timeout(30)  # most took minutes, when each mention of a word was looked up by itself
@pytest.mark.parametrize(
    "query",
    [
        "alpha " * 3_300,
        "alpha OR " * 2_200 + "bravo",
        "ANY/2 (" + "alpha, " * 2_800 + "bravo)",
        "ATLEAST/1000 (" + "alpha OR " * 2_200 + "bravo)",
        "(" + "alpha OR " * 1_100 + "bravo) NEAR/100 (" + "bravo OR " * 1_000 + "charlie)",
        "alpha" + " NEAR/5 alpha" * 49,
        "(alpha NEAR/9 bravo) OR " * 800 + "charlie",
    ],
)
def test_a_word_is_looked_up_once_however_often_a_query_has_it(query: str) -> None:
    assert len(query) <= MAX_CHARACTERS
    node = parse(query)
    assert holds(node, ARTICLE)
    assert evidence(node, ARTICLE)
