"""Puts topics' queries in the place of their `@` references.

Decides what a reference may lead to: a known topic, never back to itself, never to a query too large to be evaluated.
Never loads topics; callers hand in all that a reference may name. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from graphlib import CycleError, TopologicalSorter
from typing import Final, NamedTuple

from worker.errors import QueryError
from worker.matching.checks import MAX_DEPTH
from worker.matching.parser import parse
from worker.matching.tree import And, AnyOf, Node, Not, Or, Phrase, Prefix, Reference, Term, all_of, any_of, depth, walk

MAX_LEAVES: Final = 20_000
"""What a query may grow to; otherwise thirty topics, each naming the one before twice, would fill the memory."""


def slugs(node: Node) -> frozenset[str]:
    """Return the topics that a query names itself; what these name in turn is not followed.

    >>> from worker.matching.parser import parse
    >>> sorted(slugs(parse("@russia OR (@china trade) OR @russia")))
    ['china', 'russia']
    """
    return frozenset(reference.slug for reference in _references(node))


def resolve(node: Node, topics: Mapping[str, Node | str]) -> Node:
    """Return a query without references, given the queries of all topics by slug, read or as text.

    Text is parsed only where a reference leads to it. Raises `QueryError`, as `resolve_all` and `parse` do; `where` is
    "" if the fault lies in the query itself.

    >>> from worker.matching.parser import parse
    >>> from worker.matching.canonical import canonical
    >>> canonical(resolve(parse("@kim -film"), {"kim": "kim | 김정은"}))
    '(kim OR 김정은) NOT film'
    """
    _check_known(node, topics, where="")
    return _resolved(node, _resolve_in_order(_reachable(node, topics)), where="").node


def resolve_all(topics: Mapping[str, Node]) -> dict[str, Node]:
    """Return every topic's query without references, in the order given.

    Raises `QueryError` for an unknown slug, a cycle (named from end to end), or a query that grows too large or too
    deep; its `where` is the slug of the topic at fault. A retry never helps.
    """
    for slug, node in topics.items():
        _check_known(node, topics, where=slug)
    known = _resolve_in_order(topics)
    return {slug: known[slug].node for slug in topics}


class _Resolved(NamedTuple):
    node: Node
    leaves: int
    depth: int


def _references(node: Node) -> Iterator[Reference]:
    return (part for part in walk(node) if isinstance(part, Reference))


def _reachable(node: Node, topics: Mapping[str, Node | str]) -> dict[str, Node]:
    found: dict[str, Node] = {}
    waiting = sorted(slugs(node))
    while waiting:
        slug = waiting.pop()
        if slug not in found:
            found[slug] = _read(topics[slug], where=slug)
            _check_known(found[slug], topics, where=slug)
            waiting.extend(sorted(slugs(found[slug])))
    return found


def _read(query: Node | str, *, where: str) -> Node:
    if not isinstance(query, str):
        return query
    try:
        return parse(query)
    except QueryError as error:
        raise QueryError(error.reason, offset=error.offset, where=where, hint=error.hint) from error


def _resolve_in_order(topics: Mapping[str, Node]) -> dict[str, _Resolved]:
    """Resolve topics so that each comes after those that it names; their results are shared, not repeated."""
    named = {slug: sorted(slugs(node)) for slug, node in topics.items()}
    try:
        order = list(TopologicalSorter(named).static_order())
    except CycleError as error:
        raise _cycle(error.args[1][::-1], topics) from error
    known: dict[str, _Resolved] = {}
    for slug in order:
        known[slug] = _resolved(topics[slug], known, where=slug)
    return known


def _resolved(node: Node, known: Mapping[str, _Resolved], *, where: str) -> _Resolved:
    leaves = 0
    for part in walk(node):
        if isinstance(part, Reference):
            leaves += known[part.slug].leaves
        elif isinstance(part, Term | Prefix | Phrase):
            leaves += 1
    deep = depth(node, lambda slug: known[slug].depth + 1)
    if leaves > MAX_LEAVES or deep > MAX_DEPTH:
        raise QueryError(
            f"with its topics put in, the query grows to {leaves:,} words and brackets {deep:,} deep",
            offset=next(_references(node)).at,
            where=where,
            hint=f"{MAX_LEAVES:,} words and a depth of {MAX_DEPTH} are allowed; name fewer topics",
        )
    return _Resolved(_replaced(node, known), leaves, deep)


def _replaced(node: Node, known: Mapping[str, _Resolved]) -> Node:
    match node:
        case Reference():
            return known[node.slug].node
        case And():
            return all_of(tuple(_replaced(child, known) for child in node.children), at=node.at)
        case Or():
            return any_of(tuple(_replaced(child, known) for child in node.children), at=node.at)
        case AnyOf():
            return replace(node, children=tuple(_replaced(child, known) for child in node.children))
        case Not():
            return Not(child=_replaced(node.child, known), at=node.at)
        case _:
            return node  # nothing inside NEAR and ATLEAST names a topic


def _cycle(cycle: list[str], topics: Mapping[str, Node]) -> QueryError:
    fault = next(reference for reference in _references(topics[cycle[0]]) if reference.slug == cycle[1])
    return QueryError(
        f"topics refer to each other in a circle: {' -> '.join(f'@{slug}' for slug in cycle)}",
        offset=fault.at,
        where=cycle[0],
        hint="take one of these references out",
    )


def _check_known(node: Node, topics: Mapping[str, object], *, where: str) -> None:
    for reference in _references(node):
        if reference.slug not in topics:
            close = get_close_matches(reference.slug, topics, n=1)
            raise QueryError(
                f"there is no topic @{reference.slug}",
                offset=reference.at,
                where=where,
                hint=f"did you mean @{close[0]}?" if close else "name a topic that exists",
            )
