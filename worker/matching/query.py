"""The query language as the rest of the house sees it: read a query, write it, know its parts.

Decides nothing itself; `parser`, `canonical` and `tree` do the work. docs/query-language.md is what people read.
"""

from __future__ import annotations

from worker.matching.canonical import canonical
from worker.matching.parser import parse
from worker.matching.tree import (
    And,
    AnyOf,
    AtLeast,
    Case,
    Leaf,
    Near,
    Node,
    Not,
    Or,
    Phrase,
    Prefix,
    Reference,
    Term,
    Word,
    children,
    walk,
)

__all__ = [
    "And",
    "AnyOf",
    "AtLeast",
    "Case",
    "Leaf",
    "Near",
    "Node",
    "Not",
    "Or",
    "Phrase",
    "Prefix",
    "Reference",
    "Term",
    "Word",
    "canonical",
    "children",
    "parse",
    "walk",
]
