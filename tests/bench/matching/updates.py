"""What it costs to add and remove queries while articles keep coming.

Decides the turns: an addition, an article, a removal, an article. Then a merge in a second thread, as the engine does
it by itself, with articles and additions going on. The core is one, so that what the merge takes is seen.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count, cycle
from statistics import median

from worker.matching.analyser import ArticleText, analyse
from worker.matching.engine import Engine
from worker.matching.tree import Node


def update_while_matching(engine: Engine, spare: Sequence[Node], articles: Sequence[ArticleText]) -> dict[str, object]:
    """Return seconds of additions, removals and articles, each as (median, 99th percentile, longest)."""
    numbers = count(10 * len(engine) + 1_000_000)
    texts = cycle(articles)
    adding: list[float] = []
    removing: list[float] = []
    matching: list[float] = []
    for node in spare:
        number = next(numbers)
        adding.append(_seconds(partial(engine.add, number, node)))
        matching.append(_seconds(partial(_match, engine, next(texts))))
        removing.append(_seconds(partial(engine.remove, number)))
        matching.append(_seconds(partial(_match, engine, next(texts))))
    return {
        "add": _spread(adding),
        "remove": _spread(removing),
        "matching": _spread(matching),
        **_merge_meanwhile(engine, spare, texts=articles, first=next(numbers)),
    }


def _merge_meanwhile(
    engine: Engine, spare: Sequence[Node], *, texts: Sequence[ArticleText], first: int
) -> dict[str, object]:
    """Merge what was changed in another thread, and go on meanwhile; take it all out again in the end."""
    for number, node in enumerate(spare, start=first):
        engine.add(number, node)
    merging = threading.Thread(target=engine.merge)
    adding: list[float] = []
    matching: list[float] = []
    number = first + len(spare)
    started = time.perf_counter()
    merging.start()
    for text, node in zip(cycle(texts), cycle(spare)):
        if not merging.is_alive():
            break
        adding.append(_seconds(partial(engine.add, number, node)))
        matching.append(_seconds(partial(_match, engine, text)))
    merging.join()
    merged = time.perf_counter()
    for added in range(first, number + bool(adding)):
        engine.remove(added)
    engine.merge()
    return {
        "merge_s": merged - started,
        "add_during_merge": _spread(adding),
        "matching_during_merge": _spread(matching),
    }


def _match(engine: Engine, text: ArticleText) -> None:
    engine.matching(analyse(text))


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _spread(seconds: list[float]) -> tuple[float, float, float]:
    ordered = sorted(seconds) or [0.0]
    return median(ordered), ordered[int(0.99 * (len(ordered) - 1))], ordered[-1]
