"""What an article must at least contain before a query is worth asking: its anchors.

Decides on which of its words or prefixes a query is hung. At least one of them is in every article that makes the
query true, and the fewer articles have any, the fewer questions are asked in vain. Pure; the engine calls it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from worker.matching.tree import And, AnyOf, AtLeast, Case, Near, Node, Not, Or, Phrase, Prefix, Reference, Term


class Anchor(NamedTuple):
    """A word's key, or the beginning of one."""

    text: str
    is_prefix: bool = False


def anchors(node: Node, cost: Callable[[Anchor], float]) -> frozenset[Anchor]:
    """Choose a query's anchors, never none: an AND hangs on its cheapest child, an OR on all of them, NOT on nothing.

    Raises `ValueError` for a reference, and for a query of absence only, which `checks` never lets through.

    >>> from worker.matching.parser import parse
    >>> sorted(anchor.text for anchor in anchors(parse("north (korea | dprk) -film"), lambda anchor: -len(anchor.text)))
    ['dprk', 'korea']
    """
    match node:
        case Term():
            is_inflected = node.word.case is Case.INFLECTED  # not every stemmer keeps a word's beginning
            return frozenset({Anchor("", is_prefix=True) if is_inflected else Anchor(node.word.key)})
        case Prefix():
            return frozenset({Anchor(node.stem, is_prefix=True)})
        case Phrase():
            return frozenset({min((Anchor(word.key) for word in node.words), key=cost)})
        case Or():
            return frozenset().union(*(anchors(child, cost) for child in node.children))
        case And():
            wanted = [anchors(child, cost) for child in node.children if not isinstance(child, Not)]
            return min(wanted, key=lambda choice: sum(map(cost, choice)))
        case Near():
            return min((anchors(side, cost) for side in (node.left, node.right)), key=lambda side: sum(map(cost, side)))
        case AtLeast():
            return anchors(node.child, cost)
        case AnyOf():
            choices = sorted((anchors(child, cost) for child in node.children), key=lambda one: sum(map(cost, one)))
            return frozenset().union(*choices[: len(choices) - node.count + 1])
        case Not() | Reference():
            raise ValueError(f"{node} cannot be hung on anything")
