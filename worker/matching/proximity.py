"""What NEAR means: which pieces of a text stand close enough together, however NEARs are nested.

Decides over the places that `occurrences` finds, one field at a time. A hot word in a long article has millions of
pairs, which are never listed: only the surroundings of a NEAR's rarest operand are read, a stretch at a time, and all
pieces that end at one word are the bits of one number. Pure; only `evaluate` calls it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from worker.matching.analyser import AnalysedArticle
from worker.matching.occurrences import Place, places, searched_fields
from worker.matching.tree import Leaf, Near, Node, Or, Phrase, Prefix, Term, leaves
from worker.model import Field

_Pieces: TypeAlias = dict[int, int]
"""Pieces of text by the position of their last word: bit n stands for the piece that began n words before it."""

MAX_ENDS: Final = 200
"""For how many last words of a NEAR, in each field, evidence is given; more of the same says nothing new."""

_STRETCH: Final = 4_096  # words


class _Stretch(NamedTuple):
    """Some of a field's words, and the places of a NEAR's leaves in all of the field.

    `known` keeps the pieces of each side once they have been found, by the side's identity.
    """

    found: Mapping[Leaf, Sequence[Place]]
    begin: int
    end: int
    known: dict[int, _Pieces]

    def places(self, leaf: Leaf) -> Sequence[Place]:
        everywhere = self.found.get(leaf, ())
        return everywhere[bisect_left(everywhere, (self.begin,)) : bisect_left(everywhere, (self.end,))]


def is_near(near: Near, article: AnalysedArticle) -> bool:
    """Tell whether both sides stand close together in some field."""
    return any(_meet(near, stretch) for name in article.fields for stretch in _stretches(near, article, name))


def parts_of(near: Near, article: AnalysedArticle) -> Iterator[tuple[Leaf, Field, Place]]:
    """Find the words that take part in what makes a NEAR true, for some `MAX_ENDS` ends in each field."""
    for name in article.fields:
        ends = 0
        for stretch in _stretches(near, article, name):
            pieces = sorted(_pieces(near, stretch).items())[: MAX_ENDS - ends]
            for leaf, place in _parts(near, dict(pieces), stretch):
                yield leaf, name, place
            ends += len(pieces)
            if ends == MAX_ENDS:
                break


def _stretches(near: Near, article: AnalysedArticle, name: Field) -> Iterator[_Stretch]:
    """Cut out what lies around the rarest operand; whatever makes the NEAR true lies wholly in one stretch."""
    found = {leaf: tuple(places(leaf, article, name)) for leaf in set(leaves(near)) if name in searched_fields(leaf)}
    rarest = min((_places(side, found) for side in _operands(near)), key=len)
    reach, index = _length(near), 0
    while index < len(rarest):
        first, _ = rarest[index]
        index = bisect_left(rarest, (first + _STRETCH,))
        yield _Stretch(found, first - reach, rarest[index - 1][1] + reach, {})


def _places(side: Node, found: Mapping[Leaf, Sequence[Place]]) -> list[Place]:
    return sorted(place for leaf in set(leaves(side)) for place in found.get(leaf, ()))


def _operands(near: Near) -> Iterator[Node]:
    """Go through the sides of a NEAR, and of NEARs that are sides of it: each of them must be there."""
    for side in (near.left, near.right):
        if isinstance(side, Near):
            yield from _operands(side)
        else:
            yield side


def _length(node: Node) -> int:
    """Return how many words a piece may have at most."""
    match node:
        case Near():
            return _length(node.left) + _length(node.right) + node.distance
        case Or():
            return max(map(_length, node.children))
        case Phrase():
            return len(node.words) + 1
        case _:
            return 1


def _pieces(node: Node, stretch: _Stretch) -> _Pieces:
    """Find everything in a stretch that makes a side of a NEAR true. The caller must not change it."""
    if id(node) not in stretch.known:
        stretch.known[id(node)] = _found(node, stretch)
    return stretch.known[id(node)]


def _found(node: Node, stretch: _Stretch) -> _Pieces:
    found: _Pieces = {}
    match node:
        case Term() | Prefix() | Phrase():
            for first, last in stretch.places(node):
                found[last] = found.get(last, 0) | 1 << (last - first)
        case Or():
            for child in dict.fromkeys(node.children):
                for last, bits in _pieces(child, stretch).items():
                    found[last] = found.get(last, 0) | bits
        case Near():
            left, right = _pieces(node.left, stretch), _pieces(node.right, stretch)
            for before, after in _orders(node, left, right):
                joined = _Joined(before, node.distance)
                for last, first in _ends(after):
                    if bits := joined.behind(first):
                        found[last] = found.get(last, 0) | bits << (last - first)
        case _:
            raise ValueError(f"{node} has no place in a text")
    return found


def _meet(near: Near, stretch: _Stretch) -> bool:
    left, right = _pieces(near.left, stretch), _pieces(near.right, stretch)
    for before, after in _orders(near, left, right):
        lasts = sorted(before)
        if any(_behind(lasts, first, near.distance) for _, first in _ends(after)):
            return True
    return False


def _parts(node: Node, wanted: _Pieces, stretch: _Stretch) -> Iterator[tuple[Leaf, Place]]:
    """Find the words that make up the wanted pieces of a node."""
    match node:
        case Term() | Prefix() | Phrase():
            for last, first in _ends(wanted):
                yield node, (first, last)
        case Or():
            for child in dict.fromkeys(node.children):
                pieces = _pieces(child, stretch)
                yield from _parts(
                    child, {last: wanted[last] & pieces[last] for last in wanted.keys() & pieces}, stretch
                )
        case Near():
            left, right = _pieces(node.left, stretch), _pieces(node.right, stretch)
            lefts: _Pieces = {}
            rights: _Pieces = {}
            taken = _orders(node, lefts, rights)
            for (before, after), (befores, afters) in zip(_orders(node, left, right), taken, strict=True):
                lasts = sorted(before)
                for last, first in _ends({last: after[last] for last in wanted if last in after}):
                    for earlier in _behind(lasts, first, node.distance):
                        if bits := before[earlier] & wanted[last] >> (last - earlier):
                            befores[earlier] = befores.get(earlier, 0) | bits
                            afters[last] = afters.get(last, 0) | 1 << (last - first)
            yield from _parts(node.left, lefts, stretch)
            yield from _parts(node.right, rights, stretch)


def _orders(near: Near, left: _Pieces, right: _Pieces) -> Sequence[tuple[_Pieces, _Pieces]]:
    """Return what comes before what."""
    return ((left, right),) if near.is_ordered else ((left, right), (right, left))


def _ends(pieces: _Pieces) -> Iterator[tuple[int, int]]:
    """Go through pieces by their last and first words."""
    for last, bits in pieces.items():
        left = bits
        while left:
            lowest = left & -left
            yield last, last - lowest.bit_length() + 1
            left ^= lowest


def _behind(lasts: Sequence[int], word: int, distance: int) -> Sequence[int]:
    """Return those of some ascending positions that are at most a distance before a word."""
    return lasts[bisect_left(lasts, word - distance) : bisect_left(lasts, word)]


class _Joined:
    """Answers which pieces end at most `distance` words before a word, quickly even where all words are such ends.

    The text is cut into blocks of `distance` words. What ends behind a word ends in the rest of one block and the
    beginning of the next, and for both of these the pieces are put together once.
    """

    def __init__(self, pieces: _Pieces, distance: int) -> None:
        self._distance = distance
        self._lasts = sorted(pieces)
        self._from = self._together(pieces, reversed(self._lasts))
        self._until = self._together(pieces, self._lasts)

    def behind(self, word: int) -> int:
        """Return those pieces: bit n stands for one that began n words before `word`."""
        low = bisect_left(self._lasts, word - self._distance)
        if low == len(self._lasts) or self._lasts[low] >= word:
            return 0
        found, block = 0, (word - self._distance) // self._distance
        end = (block + 1) * self._distance
        if self._lasts[low] < end:
            found = self._from[self._lasts[low]] << (word - end)
        high = self._lasts[bisect_left(self._lasts, word) - 1]
        return found | self._until[high] >> (end + self._distance - word) if high >= end else found

    def _together(self, pieces: _Pieces, lasts: Iterator[int] | Sequence[int]) -> _Pieces:
        """Put the pieces of each block together, one after another; bit n is n words before the block's end."""
        together: _Pieces = {}
        block, bits = -1, 0
        for last in lasts:
            if last // self._distance != block:
                block, bits = last // self._distance, 0
            bits |= pieces[last] << ((block + 1) * self._distance - last)
            together[last] = bits
        return together
