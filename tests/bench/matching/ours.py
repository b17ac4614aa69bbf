"""Our side of the benchmark: the engine behind the same requests that the peer answers, and those about itself alone.

Started by `side` with the workload's folder and sizes; reads requests from standard input, a line each, and answers
each with a line of JSON. Articles come as text: analysing them is part of every figure, unless it says otherwise.
"""

from __future__ import annotations

import ctypes
import gc
import json
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import psutil

from tests.bench.matching.odd import odd_inputs, reader, reading_per_language
from tests.bench.matching.updates import update_while_matching
from tests.bench.matching.workload import Workload, read_articles, read_queries
from worker.matching.analyser import AnalysedArticle, ArticleText, analyse
from worker.matching.engine import Engine
from worker.matching.query import parse
from worker.matching.warming import compile_now


class Ours:
    """An engine and the workload that it is asked about."""

    def __init__(self, workload: Workload) -> None:
        self._workload = workload
        self._articles = read_articles(workload, 0, workload.measured)
        self._engine = Engine.build({})

    def compile(self) -> dict[str, object]:
        """Use compiled kernels, as a worker does that has been running for a while."""
        started = time.perf_counter()
        compile_now()
        return {"compile_s": time.perf_counter() - started}

    def register(self, file: str, count: str) -> dict[str, object]:
        """Read queries and index them; the first time as a whole, later one by one. Then learn and merge once."""
        before = _resident_bytes()
        started = time.perf_counter()
        nodes = {number: parse(query) for number, query in read_queries(Path(file), 0, int(count))}
        parsed = time.perf_counter()
        if len(self._engine):
            for number, node in nodes.items():
                self._engine.add(number, node)
        else:
            self._engine = Engine.build(nodes)
        del nodes
        built = time.perf_counter()
        self._learn()
        learned = time.perf_counter()
        return {
            "parse_s": parsed - started,
            "build_s": built - parsed,
            "learn_s": learned - built,
            "index_bytes": self._engine.size_bytes,
            "grown_bytes": _resident_bytes() - before,
        }

    def run(self, first: str, end: str) -> dict[str, object]:
        """Match articles, timed by the processor's clock: on a busy machine the other one counts what others do."""
        matching, articles = self._engine.numbers, self._articles[int(first) : int(end)]
        started = time.process_time()
        matches = sum(len(matching(analyse(article))) for article in articles)
        return {"seconds": time.process_time() - started, "matches": matches}

    def sets(self, first: str, end: str) -> dict[str, object]:
        """Tell what each article matches."""
        articles = self._articles[int(first) : int(end)]
        return {"sets": [list(map(int, self._engine.matching(analyse(article)))) for article in articles]}

    def steps(self, first: str, end: str) -> dict[str, object]:
        """Time what the engine does, in seconds an article: reading alone, matching, matching with evidence."""
        articles = self._articles[int(first) : int(end)]
        nothing = reader()
        work = {"reading_s": nothing.matching, "matching_s": self._engine.numbers, "evidence_s": self._engine.match}
        return {name: _seconds(one, articles) / len(articles) for name, one in work.items()}

    def updates(self, first: str, count: str) -> dict[str, object]:
        """Add and remove queries of the workload that no engine has yet, while matching."""
        start, end = int(first), int(first) + int(count)
        spare = [parse(query) for _, query in read_queries(self._workload.topics, start, end)]
        return update_while_matching(self._engine, spare, self._articles)

    def odd(self, characters: str, times: str) -> dict[str, object]:
        """Match odd articles, the longest of so many characters, and ask odd queries."""
        return dict(odd_inputs(self._engine, self._articles, longest=int(characters), times=int(times)))

    def languages(self, times: str) -> dict[str, object]:
        """Time reading alone in several languages."""
        return reading_per_language(int(times))

    def _learn(self) -> None:
        for article in read_articles(self._workload, self._workload.measured, sys.maxsize):
            self._engine.matching(analyse(article))
        self._engine.merge()
        gc.collect()
        gc.freeze()  # as every process that matches does once its index stands


def _seconds(work: Callable[[AnalysedArticle], object], articles: Iterable[ArticleText]) -> float:
    started = time.process_time()
    for article in articles:
        work(analyse(article))
    return time.process_time() - started


def _resident_bytes() -> int:
    """Return what this process holds in memory, after giving back what it only keeps in reserve."""
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)
    return psutil.Process().memory_info().rss


def main() -> None:
    """Answer requests until standard input ends."""
    folder, queries, hot_queries, measured, held_out = sys.argv[1:]
    ours: Final = Ours(
        Workload(
            folder=Path(folder),
            queries=int(queries),
            hot_queries=int(hot_queries),
            measured=int(measured),
            held_out=int(held_out),
        )
    )
    for line in sys.stdin:
        name, *arguments = line.split()
        answer: Callable[..., dict[str, Any]] = getattr(ours, name)
        sys.stdout.write(json.dumps(answer(*arguments)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
