"""A minute of queries that nobody would write: each is read, or refused with a place and a hint."""

from __future__ import annotations

import random
import time
from collections import Counter

import pytest

from worker.errors import QueryError
from worker.matching.analyser import ArticleText, analyse
from worker.matching.checks import MAX_CHARACTERS
from worker.matching.evaluate import evidence, holds
from worker.matching.query import Node, canonical, parse

DURATION_S = 60
WORDS = (
    "alpha", "bravo", "US", "U.S.", "the", "북한", "북한*", "北朝鮮", "北*", "missil*", "Kim-Jong", "1,000", "3.5",
    "it's", "=Turkey", "~missiles", '"alpha bravo"', '"kim jong*"', "title:alpha", "tag:북한", "body:bravo",
)  # fmt: skip
PIECES = (
    *WORDS, "AND", "OR", "NOT", "NEAR", "NEAR/3", "ONEAR/100", "NEAR/0", "near/5", "NEAR5", "ATLEAST/2", "ATLEAST/1",
    "ANY/1", "ANY/2", "ANY/3", "FIRST/5", "FIRST/1", "(", "(", "(", ")", ")", ")", ",", ",", "、", "，", "|", "||",
    "&&", "!", "-", "–", "~", "=", "@", "@topic", "title:", "tags:", "url:", "body:", "nofield:", '"', "“", "”", "«",
    "*", " ", " ", " ", "\n", "\t", "\u00a0", "\u3000", "\0", "\ud800", "\u0301",
    "\u00ad", "\u200b", "½", "™", "İ", "ß", "ǅ", "J\u030c", "か\u3099", "\u0345", "Ꭰ", "𝒜", "９", "（", "）", "｜",
    "🇰🇷", "\U0001f468\u200d\U0001f469",
)  # fmt: skip
ARTICLE = analyse(
    ArticleText(
        title="Alpha bravo U.S. 북한이",
        summary="missiles bravo alpha",
        body="alpha bravo alpha 北朝鮮 Kim-Jong 1,000 it's " * 40,
        tags=("alpha", "bravo"),
        lang="en",
    )
)


def made_up(dice: random.Random) -> str:
    """Return a heap of pieces, or a query that is well formed but for a few accidents."""
    if dice.random() < 0.5:
        return "".join(dice.choices(PIECES, k=dice.choice([3, 8, 20, 60])))
    query = dice.choice(WORDS)
    for _ in range(dice.choice([1, 3, 8, 40])):
        other = dice.choice(WORDS if dice.random() < 0.95 else PIECES)
        query = dice.choice(
            [
                f"({query}) {other}",
                f"{query} OR {other}",
                f"{query} {other}",
                f"{query} -({other})",
                f"{query} NEAR/{dice.randint(1, 9)} {other}",
                f"({other} | {query})",
                f"ANY/{dice.randint(1, 3)} ({query}, {other}, alpha)",
                f"ATLEAST/{dice.randint(1, 3)} ({query} | {other})",
                f"FIRST/{dice.randint(1, 20)} ({query})",
                f"title:({query})",
                f"{other} {query}",
            ]
        )
    if dice.random() < 0.5:
        at = dice.randrange(len(query) + 1)
        query = query[:at] + dice.choice(["", dice.choice(PIECES)]) + query[at + dice.randrange(3) :]
    return query * dice.choice([1, 1, 1, 1, 2, 2_000])


@pytest.mark.drill
def test_a_minute_of_nonsense_is_read_or_refused_and_never_crashes_the_parser():
    seed = random.randrange(1 << 32)
    dice, until_s = random.Random(seed), time.monotonic() + DURATION_S
    answers: Counter[bool] = Counter()
    while time.monotonic() < until_s:
        query = made_up(dice)
        try:
            answers[is_read(query)] += 1
        except BaseException as error:
            error.add_note(f"seed {seed}, after {answers.total()} queries: {query[:2_000]!r}")
            raise
    assert min(answers[True], answers[False]) > 100


def is_read(query: str) -> bool:
    """Read a query and use it in every way; or look at why it is refused."""
    node, refusal = answer(query)
    if refusal:
        assert 0 <= refusal.offset <= min(len(query), MAX_CHARACTERS)
        assert refusal.hint
        return False
    assert node
    text = canonical(node)
    if len(text) <= MAX_CHARACTERS:
        assert parse(text) == node
        assert canonical(parse(text)) == text
    if "@" not in query:
        assert bool(evidence(node, ARTICLE)) == holds(node, ARTICLE)
    return True


def answer(query: str) -> tuple[Node | None, QueryError | None]:
    try:
        return parse(query), None
    except QueryError as refusal:
        return None, refusal
