"""How a query is read, step by step, and which of its steps an article makes true.

Decides what people are shown of a query: every operator and word, and a topic's own query beneath its name. Pure; the
command line calls it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from worker.matching.analyser import AnalysedArticle
from worker.matching.canonical import canonical
from worker.matching.checks import idle_words
from worker.matching.evaluate import holds
from worker.matching.references import resolve, slugs
from worker.matching.tree import Node, Reference, Term, children, leaves


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """A node of a query as it was written. `holds` is `None` without an article."""

    node: Node
    holds: bool | None
    steps: tuple[Step, ...]


def notes(query: Node) -> tuple[str, ...]:
    """Say what in a query may not mean what its author thinks, though it is allowed.

    >>> from worker.matching.parser import parse
    >>> notes(parse("korea or japan"))
    ('"or" is looked for as a word; the operator is written OR',)
    """
    words = dict.fromkeys(leaf.word.key for leaf in leaves(query) if isinstance(leaf, Term))
    operators = [word for word in words if word in ("and", "or", "not")]
    idle = dict.fromkeys(map(canonical, idle_words(query)))
    return (
        *(f'"{word}" is looked for as a word; the operator is written {word.upper()}' for word in operators),
        *(f"{word} alone makes it match nearly everything; write an acronym in capitals" for word in idle),
    )


def explain(node: Node, topics: Mapping[str, Node | str], article: AnalysedArticle | None = None) -> Step:
    """Explain a query, given the queries of the topics that it may name. Raises `QueryError`, as `resolve` does.

    >>> from worker.matching.parser import parse
    >>> [[type(step.node).__name__ for step in part.steps] for part in explain(parse("@a b"), {"a": "c | d"}).steps]
    [['Or'], []]
    """
    resolved = resolve(node, topics) if slugs(node) else node
    parts = (resolved,) if isinstance(node, Reference) else children(node)
    return Step(
        node=node,
        holds=None if article is None else holds(resolved, article),
        steps=tuple(explain(part, topics, article) for part in parts),
    )
