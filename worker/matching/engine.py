"""Many standing queries against one article at a time: the compiled engine.

Decides when its index is built anew and with what room; `index` stores, `programs` compiles queries, the kernels under
`compiled` match. Equal queries are one expression, evaluated once, however many owners it has. Never loads or stores
anything but a snapshot of itself. Threads may share an engine: whoever changes it waits for the article in hand, and an
article waits at most for one change.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from typing import Final, Self

from worker.matching import snapshot, warming
from worker.matching.analyser import AnalysedArticle
from worker.matching.canonical import canonical
from worker.matching.compiled import runtime
from worker.matching.compiled.layout import Article, Expressions, Postings, Vocabulary
from worker.matching.compiled.runtime import Kernels
from worker.matching.compiled.tables import Array
from worker.matching.evaluate import evidence
from worker.matching.evidence import Match
from worker.matching.index import Index
from worker.matching.inflecting import Inflections
from worker.matching.parser import parse_again
from worker.matching.programs import compile_query
from worker.matching.scratch import Scratch
from worker.matching.tree import Node

_FIRST_MERGE_ROWS: Final = 2048
_MERGE_SHARE: Final = 16  # of the base's rows, as many in the delta ask for a merge
# An article meets four in a thousand of 100,000 readers' queries. Of these, this many trees hold nine in ten, in 16 MB;
# an eighth as many would hold one in four, and reading the others again would take half of all the time for evidence.
_TREES_KEPT: Final = 32_768
_FIRST_LESSON: Final = 256  # articles; then four times as many, and so on
_LAST_LESSON: Final = 1 << 18


class Engine:
    """An index of standing queries, each known to its owner by a number of his choice, -2**62 or higher."""

    def __init__(self, kernels: Kernels | None = None) -> None:
        """Make an empty engine; `kernels` other than the process's own are for those who compile or test them."""
        self._kernels_of_its_own = kernels
        self._index = Index()
        self._scratch = Scratch()
        self._views: tuple[Vocabulary, Postings, Expressions, int] | None = None  # of the index as it is now
        self._inflections = Inflections(self._index.features)
        self._busy = threading.RLock()
        self._merging = threading.Lock()
        self._is_building = False
        self._articles = 0
        self._next_lesson = _FIRST_LESSON

    @classmethod
    def build(cls, expressions: Mapping[int, Node]) -> Self:
        """Index queries whose references are resolved; empty is allowed. Raises `ValueError` for a reference.

        >>> from worker.matching.analyser import ArticleText, analyse
        >>> from worker.matching.parser import parse
        >>> engine = Engine.build({7: parse("korea"), 3: parse('"north korea" film'), 5: parse("kore*")})
        >>> [match.expression for match in engine.match(analyse(ArticleText(title="North Korea")))]
        [5, 7]
        """
        engine = cls()
        with engine.loading():
            for owner, node in expressions.items():
                engine.add(owner, node)
        return engine

    def loading(self) -> _Loading:
        """Return a context in which many queries are added at once and hung all together at its end.

        Until then they match nothing.
        """
        return _Loading(self)

    def __len__(self) -> int:
        """Return how many owners there are."""
        return self._index.owners.count

    def add(self, expression: int, node: Node) -> None:
        """Add a query, or put another in its place; it applies to the next article.

        Raises `ValueError` for a reference that nobody resolved, and then changes nothing.
        """
        text = canonical(node)
        with self._busy:
            index = self._index
            known = index.find(text)
            if known < 0:
                known = index.put(text, compile_query(node, index.features))
            before = index.owners.find(expression)
            if before == known:
                return
            if before >= 0:
                index.take(expression)
            index.give(known, expression)
            self._views = None
            if not self._is_building:
                index.hang(known, self._kernels)
        self._merge_if_large()

    def remove(self, expression: int) -> None:
        """Take a query out. Raises `KeyError` if it is not there."""
        with self._busy:
            self._views = None
            self._index.take(expression)

    def match(self, article: AnalysedArticle) -> tuple[Match, ...]:
        """Return every query that an article makes true, with its evidence, by ascending number."""
        with self._busy:
            found = self._index.texts_and_owners(self._true(article)[0])
        explained = ((owners, evidence(_read(text), article)) for text, owners in found if owners)
        matches = (Match(expression=owner, spans=spans) for owners, spans in explained for owner in owners)
        return tuple(sorted(matches, key=attrgetter("expression")))

    def matching(self, article: AnalysedArticle) -> tuple[int, ...]:
        """Return only the numbers of the queries that an article makes true, ascending; far quicker than `match`."""
        owners = self.numbers(article)
        owners.sort()
        return tuple(owners.tolist())

    def numbers(self, article: AnalysedArticle) -> Array:
        """Return the same as an array of 64-bit integers, in no order: for thousands of matches an article."""
        with self._busy:
            return self._true(article)[1].copy()

    def merge(self) -> None:
        """Build the index anew from what is alive, by what articles have taught; matching goes on meanwhile."""
        with self._merging:
            with self._busy:
                index, kernels = self._index, self._kernels
                costs, alive = index.begin_base(self._scratch.document_frequency)
            base = index.build_base(kernels, costs, alive)
            with self._busy:
                self._views = None
                index.install(base, kernels, costs)

    def save(self, path: Path) -> None:
        """Write a snapshot to a file, in one step. Matching pauses while the index is copied. Raises `OSError`."""
        self.merge()
        with self._busy:
            content = snapshot.frozen((self._index, self._scratch.document_frequency, self._articles))
        snapshot.write(path, content)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return an engine as it was saved. Raises `StaleSnapshotError`, a `ValueError`, or `OSError` if that fails."""
        engine = cls()
        engine._index, engine._scratch.document_frequency, engine._articles = snapshot.read(path)
        engine._inflections = Inflections(engine._index.features)
        return engine

    @property
    def _kernels(self) -> Kernels:
        return self._kernels_of_its_own or runtime.kernels()

    @property
    def size_bytes(self) -> int:
        """Return how much memory the index takes."""
        with self._busy:
            return self._index.size_bytes

    def _true(self, article: AnalysedArticle) -> tuple[Array, Array]:
        """Return the expressions that an article makes true, and who asks them, until the next article."""
        kernels = self._kernels
        started_s = time.perf_counter()
        if self._views is None:
            index = self._index
            self._views = index.features.as_arrays, index.postings(), index.expressions(), index.owners.count
        found = self._scratch.match(kernels, Article(*article.codes, *self._inflections.of(article)), *self._views)
        if not kernels.are_compiled:
            warming.interpreted_for(time.perf_counter() - started_s)
        self._articles += 1
        if self._articles == self._next_lesson:
            self._next_lesson = min(4 * self._next_lesson, self._next_lesson + _LAST_LESSON)
            self._merge_in_background()
        return found

    def _merge_if_large(self) -> None:
        base = self._index.base
        rows = len(base.plain) + len(base.branch) + len(base.conditional)
        if not self._is_building and self._index.delta_used > max(_FIRST_MERGE_ROWS, rows // _MERGE_SHARE):
            self._merge_in_background()

    def _merge_in_background(self) -> None:
        if not self._merging.locked():
            threading.Thread(target=self.merge, name="merge", daemon=True).start()


class _Loading:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __enter__(self) -> None:
        self._engine._is_building = True  # noqa: SLF001  a part of the engine

    def __exit__(self, *_: object) -> None:
        self._engine._is_building = False  # noqa: SLF001  a part of the engine
        self._engine.merge()


@lru_cache(maxsize=_TREES_KEPT)
def _read(text: str) -> Node:
    return parse_again(text)
