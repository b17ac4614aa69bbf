"""What may stand on a side of NEAR and behind ATLEAST: that which has a place in the text.

Decides refusals of single operators. Pure; `parser` calls it, and `foreign.building` for what others wrote.
"""

from __future__ import annotations

from typing import Final

from worker.errors import QueryError
from worker.matching.tree import (
    TEXT_FIELDS,
    And,
    AnyOf,
    AtLeast,
    Near,
    Node,
    Not,
    Or,
    Phrase,
    Prefix,
    Reference,
    Term,
    walk,
)
from worker.model import Field

_NAMES: Final = {And: "AND", Not: "NOT", AnyOf: "ANY", AtLeast: "ATLEAST", Reference: "a topic", Near: "NEAR"}
_HINTS: Final = {
    And: "write (a NEAR/5 b) (a NEAR/5 c)",
    Not: "write (a NEAR/5 b) NOT c",
    AnyOf: "write (a NEAR/5 b) ANY/2 (c, d, e)",
    AtLeast: "write (a NEAR/5 b) ATLEAST/3 a",
    Reference: "write the topic's words here instead",
}


def check_sides(near: Near, operator: str) -> Near:
    """Return a `Near` whose sides are words, OR groups or other NEARs, and may meet in a field. Raises `QueryError`."""
    sides = (near.right,) if isinstance(near.left, Near) else (near.left, near.right)  # a NEAR's own have been checked
    for side in sides:
        for node in walk(side):
            if isinstance(node, And | Not | AnyOf | AtLeast | Reference):
                raise QueryError(
                    f"{_NAMES[type(node)]} cannot stand beside {operator}", offset=node.at, hint=_HINTS[type(node)]
                )
    if not _fields(near.left) & _fields(near.right):
        raise QueryError(
            f"the sides of {operator} look in different fields", offset=near.right.at, hint="write title:(a NEAR/5 b)"
        )
    return near


def check_counted(child: Node, operator: str) -> Node:
    """Return a word or an OR group of words. Raises `QueryError` for anything else."""
    for node in walk(child):
        if isinstance(node, And | Not | AnyOf | AtLeast | Near | Reference):
            raise QueryError(
                f"{_NAMES[type(node)]} cannot stand behind {operator}",
                offset=node.at,
                hint="write ATLEAST/3 (a OR b), and the rest outside the brackets",
            )
    return child


def _fields(side: Node) -> frozenset[Field]:
    """Return where all of a side may stand."""
    match side:
        case Term() | Prefix() | Phrase() if side.scope:
            return frozenset({side.scope})
        case Term() | Prefix() | Phrase():
            return frozenset({Field.TITLE, Field.BODY} if side.within else TEXT_FIELDS)
        case Near():
            return _fields(side.left) & _fields(side.right)
        case Or():
            return frozenset().union(*map(_fields, side.children))
        case _:
            return frozenset()
