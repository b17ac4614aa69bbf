"""What NEAR means: which pieces of a text stand close enough together, however NEARs are nested.

Decides over the places that `occurrences` finds, one field at a time. A hot word in a long article has millions of
pairs; they are never listed: all places that end at one word are kept as the bits of one number. Pure; only `evaluate`
calls it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final, TypeAlias

from worker.matching.analyser import AnalysedArticle
from worker.matching.occurrences import Place, places, searched_fields
from worker.matching.tree import Leaf, Near, Node, Or, Phrase, Prefix, Term
from worker.model import Field

_Pieces: TypeAlias = Mapping[int, int]
"""Pieces of text by the position of their last word: bit n stands for the piece that began n words before it."""

MAX_ENDS: Final = 1_000
"""For how many last words of a NEAR, in each field, the evidence is told; the rest of a long article adds nothing."""


def is_near(near: Near, article: AnalysedArticle) -> bool:
    """Tell whether both sides stand close together in some field."""
    return any(_meet(near, article, name) for name in article.fields)


def parts_of(near: Near, article: AnalysedArticle) -> Iterator[tuple[Leaf, Field, Place]]:
    """Find the words that take part in what makes a NEAR true, for its first `MAX_ENDS` ends in each field."""
    for name in article.fields:
        wanted = dict(islice(sorted(_pieces(near, article, name).items()), MAX_ENDS))
        for leaf, place in _parts(near, wanted, article, name):
            yield leaf, name, place


def _meet(near: Near, article: AnalysedArticle, name: Field) -> bool:
    left = _pieces(near.left, article, name)
    right = _pieces(near.right, article, name) if left else {}
    if not left or not right:
        return False
    orders = ((left, right),) if near.is_ordered else ((left, right), (right, left))
    return any(next(_joints(before, after, near.distance), None) for before, after in orders)


def _pieces(node: Node, article: AnalysedArticle, name: Field) -> _Pieces:
    found: dict[int, int] = {}
    match node:
        case Term() | Prefix() | Phrase():
            if name in searched_fields(node):
                for first, last in places(node, article, name):
                    found[last] = found.get(last, 0) | 1 << (last - first)
        case Or():
            for child in node.children:
                for last, bits in _pieces(child, article, name).items():
                    found[last] = found.get(last, 0) | bits
        case Near():
            left, right = _pieces(node.left, article, name), _pieces(node.right, article, name)
            for before, after in ((left, right),) if node.is_ordered else ((left, right), (right, left)):
                for earlier, _, last in _joints(before, after, node.distance):
                    found[last] = found.get(last, 0) | before[earlier] << (last - earlier)
        case _:
            raise ValueError(f"{node} has no place in a text")
    return found


def _joints(before: _Pieces, after: _Pieces, distance: int) -> Iterator[tuple[int, int, int]]:
    """Find pieces that follow others within a distance: the last word of the one, the first and last of the other."""
    lasts = sorted(before)
    for last, bits in after.items():
        for first in _firsts(last, bits):
            for index in range(bisect_left(lasts, first - distance), bisect_left(lasts, first)):
                yield lasts[index], first, last


def _firsts(last: int, bits: int) -> Iterator[int]:
    while bits:
        lowest = bits & -bits
        yield last - lowest.bit_length() + 1
        bits ^= lowest


def _parts(node: Node, wanted: _Pieces, article: AnalysedArticle, name: Field) -> Iterator[tuple[Leaf, Place]]:
    """Find the words that make up the wanted pieces of a node."""
    match node:
        case Term() | Prefix() | Phrase():
            for last, bits in wanted.items():
                for first in _firsts(last, bits):
                    yield node, (first, last)
        case Or():
            for child in node.children:
                yield from _parts(child, _common(wanted, _pieces(child, article, name)), article, name)
        case Near():
            left, right = _pieces(node.left, article, name), _pieces(node.right, article, name)
            lefts: dict[int, int] = {}
            rights: dict[int, int] = {}
            orders = ((left, right, lefts, rights), (right, left, rights, lefts))
            for before, after, befores, afters in orders[: 1 if node.is_ordered else 2]:
                ends = {last: after[last] for last in wanted if last in after}
                for earlier, first, last in _joints(before, ends, node.distance):
                    if bits := (before[earlier] << (last - earlier)) & wanted[last]:
                        befores[earlier] = befores.get(earlier, 0) | bits >> (last - earlier)
                        afters[last] = afters.get(last, 0) | 1 << (last - first)
            yield from _parts(node.left, lefts, article, name)
            yield from _parts(node.right, rights, article, name)


def _common(one: _Pieces, other: _Pieces) -> _Pieces:
    both = {last: bits & other[last] for last, bits in one.items() if last in other}
    return {last: bits for last, bits in both.items() if bits}
