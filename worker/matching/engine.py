"""Many standing queries against one article at a time.

Decides which queries are asked at all: each hangs on its anchors, and only those with an anchor in the article are
evaluated. Equal queries are one expression and are evaluated once, however many topics and readers share it. Never
loads or stores anything. This first form keeps its postings in dicts and does not learn how frequent words are in
articles; a compiled one takes its place behind the same methods. Pure apart from its own index, which one thread at a
time may change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Final, Self

from worker.matching.analyser import AnalysedArticle
from worker.matching.anchors import Anchor, anchors
from worker.matching.evaluate import evidence, holds
from worker.matching.evidence import Match
from worker.matching.stopwords import STOP_WORDS
from worker.matching.tree import Node

_COST_OF_STOP_WORD: Final = 100_000  # stands in every article: worse than any crowd of queries on one word
_COST_OF_PREFIX: Final = 100  # stands for many words


@dataclass(eq=False, kw_only=True, slots=True)
class _Expression:
    """A distinct query, on what it hangs, and who asks it."""

    node: Node
    anchors: frozenset[Anchor]
    ids: set[int] = field(default_factory=set)


class Engine:
    """An index of standing queries, each known to its owner by a number."""

    def __init__(self) -> None:
        self._by_id: dict[int, _Expression] = {}
        self._by_node: dict[Node, _Expression] = {}
        self._words: dict[str, set[_Expression]] = {}
        self._prefixes: dict[str, set[_Expression]] = {}
        self._prefix_lengths: Counter[int] = Counter()

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
        for expression, node in expressions.items():
            engine.add(expression, node)
        return engine

    def __len__(self) -> int:
        return len(self._by_id)

    def add(self, expression: int, node: Node) -> None:
        """Add a query, or put another in its place; it applies to the next article."""
        if expression in self._by_id:
            self.remove(expression)
        known = self._by_node.get(node) or self._hang(node)
        known.ids.add(expression)
        self._by_id[expression] = known

    def remove(self, expression: int) -> None:
        """Take a query out. Raises `KeyError` if it is not there."""
        known = self._by_id.pop(expression)
        known.ids.discard(expression)
        if not known.ids:
            self._take_down(known)

    def match(self, article: AnalysedArticle) -> tuple[Match, ...]:
        """Return every query that an article makes true, with its evidence, by ascending number."""
        found = ((candidate, evidence(candidate.node, article)) for candidate in self._candidates(article))
        matches = (
            Match(expression=number, spans=spans) for candidate, spans in found if spans for number in candidate.ids
        )
        return tuple(sorted(matches, key=attrgetter("expression")))

    def matching(self, article: AnalysedArticle) -> tuple[int, ...]:
        """Return only the numbers of the queries that an article makes true, ascending; quicker than `match`."""
        found = (candidate for candidate in self._candidates(article) if holds(candidate.node, article))
        return tuple(sorted(number for candidate in found for number in candidate.ids))

    def _candidates(self, article: AnalysedArticle) -> set[_Expression]:
        candidates: set[_Expression] = set()
        for known in article.fields.values():
            for key in self._words.keys() & known.positions.keys():
                candidates |= self._words[key]
            for stem in self._prefixes.keys() & self._beginnings(known.positions):
                candidates |= self._prefixes[stem]
        return candidates

    def _beginnings(self, keys: Iterable[str]) -> set[str]:
        return {key[:length] for length in self._prefix_lengths for key in keys}

    def _hang(self, node: Node) -> _Expression:
        expression = _Expression(node=node, anchors=anchors(node, self._cost))
        for anchor in expression.anchors:
            hooks = self._hooks(anchor)
            if anchor.is_prefix and anchor.text not in hooks:
                self._prefix_lengths[len(anchor.text)] += 1
            hooks.setdefault(anchor.text, set()).add(expression)
        self._by_node[node] = expression
        return expression

    def _take_down(self, expression: _Expression) -> None:
        for anchor in expression.anchors:
            hooks = self._hooks(anchor)
            hooks[anchor.text].discard(expression)
            if not hooks[anchor.text]:
                del hooks[anchor.text]
                if anchor.is_prefix:
                    self._prefix_lengths[len(anchor.text)] -= 1
        self._prefix_lengths += Counter()  # drops lengths that no prefix has any more
        del self._by_node[expression.node]

    def _hooks(self, anchor: Anchor) -> dict[str, set[_Expression]]:
        return self._prefixes if anchor.is_prefix else self._words

    def _cost(self, anchor: Anchor) -> float:
        """Guess how often an anchor asks in vain: by what it is, what already hangs on it, and how short it is."""
        hung = len(self._hooks(anchor).get(anchor.text, ()))
        kind = _COST_OF_PREFIX if anchor.is_prefix else _COST_OF_STOP_WORD if anchor.text in STOP_WORDS else 0
        return kind + hung + 1 / (len(anchor.text) or 0.001)
