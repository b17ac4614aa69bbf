"""Judges a reader's own query on behalf of signup, which does not know the query language. Calls the matching room."""

from __future__ import annotations

from worker.errors import QueryError
from worker.matching.query import Node, canonical, parse
from worker.matching.references import resolve, slugs
from worker.store import topics
from worker.store.database import Database


def canonical_query(database: Database, query: str) -> str:
    """Return the canonical form of a query. Raises `QueryError`, also for an `@topic` that does not exist."""
    node = parse(query)
    if slugs(node):
        resolve(node, _shared_topics(database))
    return canonical(node)


def _shared_topics(database: Database) -> dict[str, Node]:
    with database.read() as conn:
        rows = topics.topics(conn, shared_only=True)
    return {row.slug: node for row in rows if row.slug and (node := _parsed(row.query)) is not None}


def _parsed(query: str) -> Node | None:
    try:
        return parse(query)
    except QueryError:  # a topic that is switched off already must not keep readers from other queries
        return None
