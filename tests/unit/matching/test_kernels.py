"""The kernels read words, and look queries up, exactly as the plain modules do; compiled and interpreted alike."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.thorough import thorough
from tests.unit.matching.generated import articles, nodes
from worker.matching import warming
from worker.matching.analyser import ArticleText, analyse
from worker.matching.compiled import runtime
from worker.matching.compiled.tables import CODES, tables
from worker.matching.engine import Engine
from worker.matching.evaluate import holds
from worker.matching.folding import fold, normalise
from worker.matching.parser import parse
from worker.matching.scratch import Scratch
from worker.matching.words import words

PIECES = (
    "a", "Z", "s", "S", "L", "l", "'", "’", ".", ",", "-", "1", "３", "²", "½", " ", "\n", "\r", "\t", "\u2029", "\x85",
    "é", "œ", "Æ", "Œ", "ß", "İ", "ſ", "ﬁ", "한", "국", "가", "이", "ば", "が", "北", "朝", "Ａ", "Ω", "ς", "\u0301",
    "\u3099", "\u00ad", "_", "U.S.", "l'", "dell'", "'s", "\r\n", "\n\n", " . ", "qu'", "ㄱ", "क\u093f", "ع\u064e",
)  # fmt: skip
odd_texts = st.one_of(st.lists(st.sampled_from(PIECES), max_size=16).map("".join), st.text(max_size=12))


@pytest.fixture(scope="session", params=["interpreted", "compiled"])
def kernels(request):
    if request.param == "interpreted":
        return runtime.interpreted()
    before = runtime.kernels()
    warming.compile_now()
    compiled = runtime.kernels()
    runtime.use(before)
    return compiled


def test_no_character_beyond_the_tables_belongs_to_a_word():
    assert not any(chr(code).isalnum() for code in range(CODES, 0x110000))


def test_the_table_of_folds_says_what_fold_says():
    table = tables()
    for code in (code for code in range(1, CODES) if not 0xD800 <= code < 0xE000):
        folded = int(table.fold[code])
        run = [folded] if folded > 0 else [] if folded == 0 else table.more[~folded + 1 :][: table.more[~folded]]
        assert "".join(map(chr, run)) == fold(chr(code)), hex(code)


@thorough(many=300)
@given(text=odd_texts)
def test_a_segment_has_the_words_that_words_finds(kernels, text):
    normalised = normalise(text).text
    codes = np.frombuffer(normalised.encode("utf-32-le", "surrogatepass"), np.uint32)
    reading = Scratch().reading
    count = kernels.segment(codes, tables(), reading, 0, len(codes), 0)
    expected = words(text)
    places = zip(reading.starts[:count], reading.ends[:count], strict=True)
    assert [normalised[start:end] for start, end in places] == list(expected.surfaces)
    breaks = np.flatnonzero(reading.breaks[:count]).tolist()
    assert breaks == [first for first in expected.paragraphs if first < count]


@thorough(many=150)
@given(queries=st.lists(nodes, min_size=1, max_size=12), article=articles, merges=st.sets(st.integers(0, 12)))
def test_an_engine_says_what_each_query_means_before_and_after_merges(kernels, queries, article, merges):
    engine, analysed = Engine(kernels), analyse(article)
    for number, node in enumerate(queries):
        engine.add(number, node)
        if number in merges:
            engine.merge()
        expected = tuple(one for one, query in enumerate(queries[: number + 1]) if holds(query, analysed))
        assert engine.matching(analysed) == expected


def test_what_is_removed_and_asked_again_between_merges_is_found_once(kernels):
    engine, article = Engine(kernels), analyse(ArticleText(title="Rain in Busan"))
    engine.add(1, parse("rain"))
    engine.merge()
    engine.remove(1)
    assert engine.matching(article) == ()
    engine.add(2, parse("rain"))
    assert engine.matching(article) == (2,)
    engine.remove(2)
    engine.merge()
    engine.add(3, parse("rain"))
    engine.add(4, parse("busan"))
    assert engine.matching(article) == (3, 4)


def test_a_place_that_nobody_needs_is_used_again():
    engine = Engine()
    for number in range(300):
        engine.add(number, parse(f"word{number}"))
        engine.remove(number)
        if number % 50 == 49:
            engine.merge()
    assert engine._index.count <= 100


def test_many_owners_share_an_expression():
    engine, article = Engine(), analyse(ArticleText(title="Rain"))
    for owner in range(100):
        engine.add(owner, parse("rain"))
    for owner in range(0, 100, 2):
        engine.remove(owner)
    assert engine.matching(article) == tuple(range(1, 100, 2))
    assert engine._index.count == 1
    engine.merge()
    for owner in range(1, 99, 2):
        engine.remove(owner)
    assert engine.matching(article) == (99,)


def test_a_number_too_low_is_refused():
    with pytest.raises(ValueError, match="lowest number"):
        Engine().add(-(2**62) - 1, parse("rain"))


@pytest.mark.parametrize(
    "text", ["", "rain " * 200_000, "a" * 1_000_000, "l'" * 100_000, "U. " * 100_000, "가" * 200_000]
)
def test_articles_of_any_size_are_read(kernels, text):
    if not kernels.are_compiled and len(text) > 1000:
        text = text[: len(text) // 100]
    engine = Engine(kernels)
    for number, query in enumerate(("rain", "rain NEAR/3 rain", "ATLEAST/1000 rain", "rai*", '"rain rain rain"')):
        engine.add(number, parse(query))
    wet = text.startswith("rain ")
    expected = (0, 1, 2, 3, 4) if wet else ()
    assert engine.matching(analyse(ArticleText(body=text))) == expected
    assert engine.matching(analyse(ArticleText(title="Rain"))) == (0, 3)


def test_nothing_of_an_earlier_article_is_left(kernels):
    engine = Engine(kernels)
    engine.add(1, parse('"heavy rain in busan"'))
    engine.add(2, parse("busan NEAR/3 rain"))
    assert engine.matching(analyse(ArticleText(body="Today heavy rain in Busan"))) == (1, 2)
    assert engine.matching(analyse(ArticleText(body="Then heavy rain in"))) == ()
    assert engine.matching(analyse(ArticleText(body="Today heavy rain"))) == ()


def test_articles_are_matched_while_many_queries_are_loaded(kernels):
    engine, article = Engine(kernels), analyse(ArticleText(body="rain " + " ".join(f"word{n}" for n in range(500))))
    engine.add(-1, parse("rain"))
    with engine.loading():
        for number in range(500):
            engine.add(number, parse(f"word{number}"))
        assert engine.matching(article) == (-1,)
    assert engine.matching(article) == (-1, *range(500))
