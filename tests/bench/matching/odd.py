"""Inputs that break what was only tried on ordinary ones, and other languages than English; with the time each takes.

Decides what is odd: an article of a megabyte, one without a word, a query of 20,000 characters, queries of absence.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import cycle
from statistics import median
from typing import Final

from tests.bench.matching.languages import SAMPLES
from worker.matching.analyser import ArticleText, analyse
from worker.matching.engine import Engine
from worker.matching.query import parse
from worker.matching.stopwords import STOP_WORDS

_LONGEST_QUERY: Final = 20_000
_CHARACTERS: Final = 3_600  # about the length of the workload's articles
_NOTS: Final = 100


def odd_inputs(engine: Engine, articles: Sequence[ArticleText], *, longest: int, times: int) -> dict[str, float]:
    """Return seconds by what was done, medians of so many times; every query is taken out again."""
    long_article = ArticleText(title="Everything", body="\n\n".join(_fill([one.body for one in articles], longest)))
    seen = {word for one in articles[:20] for word in one.body.lower().split() if word.isalpha()}
    words = sorted(seen - STOP_WORDS)
    long_query = _join(" OR ", words, _LONGEST_QUERY)
    absent = [f"{word} {_join(' ', [f'-{other}' for other in words], 2_000)}" for word in words[:_NOTS]]
    plain = _median(partial(_match, engine, articles[0]), times)
    figures: dict[str, float] = {
        f"article of {longest:,} characters": _median(partial(_match, engine, long_article), min(times, 3)),
        f"article of {longest:,} characters, with evidence": _once(lambda: engine.match(analyse(long_article))),
        "article without a word": _median(partial(_match, engine, ArticleText()), times),
        "query of 20,000 characters, parsing": _median(lambda: parse(long_query), min(times, 3)),
    }
    first = 10 * len(engine) + 5_000_000
    node = parse(long_query)
    figures["query of 20,000 characters, adding"] = _once(lambda: engine.add(first, node))
    figures["an ordinary article with it"] = _median(partial(_match, engine, articles[0]), times)
    figures["query of 20,000 characters, removing"] = _once(lambda: engine.remove(first))
    nodes = [parse(query) for query in absent]
    figures[f"{_NOTS} queries with {absent[0].count('-')} NOTs each, adding all"] = sum(
        _once(partial(engine.add, first + number, node)) for number, node in enumerate(nodes)
    )
    figures["an ordinary article with them"] = _median(partial(_match, engine, articles[0]), times)
    for number in range(len(nodes)):
        engine.remove(first + number)
    figures["an ordinary article without any of this"] = plain
    return figures


def reader() -> Engine:
    """Return an engine that reads articles and finds nothing in them."""
    return Engine.build({0: parse("qqqqq")})


def reading_per_language(times: int) -> dict[str, object]:
    """Return for each sample how long a text of the usual length takes to be read, for matching and for evidence."""
    figures: dict[str, object] = {}
    engine = reader()
    for name, (lang, sample) in SAMPLES.items():
        paragraphs = _fill(sample.strip().split("\n\n"), _CHARACTERS)
        text = ArticleText(title=paragraphs[0][:80], body="\n\n".join(paragraphs), lang=lang)
        words = sum(len(field.words.keys) for field in analyse(text).fields.values())
        figures[name] = {
            "seconds": _median(partial(_match, engine, text), times),
            "evidence_s": _median(partial(_read_for_evidence, text), times),
            "characters": len(text.body),
            "words": words,
        }
    return figures


def _match(engine: Engine, text: ArticleText) -> None:
    engine.matching(analyse(text))


def _read_for_evidence(text: ArticleText) -> int:
    return len(analyse(text).fields)


def _fill(pieces: Sequence[str], characters: int) -> list[str]:
    """Repeat pieces until they have so many characters together."""
    filled: list[str] = []
    waiting = cycle(pieces)
    while sum(map(len, filled)) < characters:
        filled.append(next(waiting))
    return filled


def _join(separator: str, words: Sequence[str], characters: int) -> str:
    """Join as many words as fit, each once."""
    joined = words[0]
    for word in words[1:]:
        if len(joined) + len(separator) + len(word) > characters:
            break
        joined += separator + word
    return joined


def _once(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _median(work: Callable[[], object], times: int) -> float:
    return median(_once(work) for _ in range(times))
