"""The shared topics' queries, as the owner of an engine keeps them beside it.

Decides what an `@` reference stands for at the moment, and whose queries must be put together again when some topics
change. Readers' own queries may name shared topics, but nobody can name an own query: so only these few hundred trees
are kept. Pure; called by `run_following`.
"""

from __future__ import annotations

from collections.abc import Iterable

from worker.errors import QueryError
from worker.matching.query import Node, parse
from worker.matching.references import resolve, slugs


class SharedTopics:
    """Every shared topic's query by slug, also the ones that are refused."""

    def __init__(self) -> None:
        self._trees: dict[str, Node] = {}
        self._refused: dict[str, QueryError] = {}

    def __bool__(self) -> bool:
        return bool(self._trees or self._refused)

    def put(self, slug: str, query: str) -> None:
        """Put a topic's query in place of its earlier one, even where it cannot be read."""
        self._trees.pop(slug, None)
        self._refused.pop(slug, None)
        try:
            self._trees[slug] = parse(query)
        except QueryError as error:
            self._refused[slug] = error

    def drop(self, slug: str) -> None:
        """Forget a topic that has been taken away."""
        self._trees.pop(slug, None)
        self._refused.pop(slug, None)

    def affected(self, changed: Iterable[str]) -> set[str]:
        """Return the changed topics with all that name one of them, directly or not.

        >>> topics = SharedTopics()
        >>> for slug, query in {"kim": "dprk", "war": "@kim missile", "news": "@war | @film", "film": "film"}.items():
        ...     topics.put(slug, query)
        >>> sorted(topics.affected(["kim"]))
        ['kim', 'news', 'war']
        """
        found = set(changed)
        if not found:
            return found
        named = {slug: slugs(node) for slug, node in self._trees.items()}
        while more := {slug for slug, names in named.items() if slug not in found and not names.isdisjoint(found)}:
            found |= more
        return found

    def resolve(self, query: str, *, slug: str | None = None) -> Node:
        """Return a query without references: a shared topic's, that has been put, or a reader's own.

        Raises `QueryError`.
        """
        if slug in self._refused:
            raise self._refused[slug]
        node = parse(query) if slug is None else self._trees[slug]
        return resolve(node, self._trees) if "@" in query else node
