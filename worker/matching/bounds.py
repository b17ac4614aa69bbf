"""What an article's stored terms say about a query, without its text: it holds, it cannot hold, or only the text tells.

Decides two answers for each article of a block at once: `sure`, and `possible`. Every construct has both, and NOT turns
them into each other; where they agree, nobody needs to read the article. Whatever terms cannot know (case, order,
distance, counts, addresses) is possible and not sure. Pure, and vectorised; `run_backtest` calls it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import reduce
from itertools import chain
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from worker.matching.leaves import letters
from worker.matching.terms import MAX_KEY, QUALIFIED, Numbers, stored_key
from worker.matching.tree import (
    TEXT_FIELDS,
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
    Term,
    Word,
    walk,
)
from worker.model import Field

Flags: TypeAlias = NDArray[np.bool_]


class Kind(StrEnum):
    """How a sign finds its terms in the vocabulary."""

    WORD = "word"
    PREFIX = "prefix"
    INFLECTED = "inflected"


class Sign(NamedTuple):
    """Something that stands in an article or not: any of the vocabulary's terms that the sign stands for."""

    kind: Kind
    key: str


class Bounds(NamedTuple):
    """For each article of a block: that the query certainly holds, and that it may."""

    sure: Flags
    possible: Flags


def signs(node: Node) -> frozenset[Sign]:
    """Return all that must be looked up in the vocabulary before a query can be judged.

    >>> from worker.matching.parser import parse
    >>> sorted(f"{sign.kind} {sign.key}" for sign in signs(parse('title:korea "kim jong*" UN')))
    ['prefix jong', 'word ^un', 'word kim', 'word title:korea']
    """
    found: set[Sign] = set()
    for part in walk(node):
        if isinstance(part, Term | Prefix | Phrase):
            found.update(_needed_signs(part))
            found.update(sign for sign in (_telling_sign(part), _inflected_sign(part)) if sign)
    return frozenset(found)


class Block:
    """A block of articles, known by their terms only.

    `vocabulary` has the terms that each sign stands for; a sign that is not in it may stand anywhere.
    """

    def __init__(self, numbers: Numbers, counts: NDArray[np.int64], vocabulary: Mapping[Sign, Sequence[int]]) -> None:
        self._size = len(counts)
        self._wanted = np.unique(np.fromiter(chain.from_iterable(vocabulary.values()), dtype=np.int64))
        self._places = {sign: np.searchsorted(self._wanted, np.asarray(found)) for sign, found in vocabulary.items()}
        self._known: dict[Sign, Flags] = {}
        place, article = self._hits(numbers, counts)
        order = np.argsort(place, kind="stable")
        self._articles = article[order]
        self._starts = np.searchsorted(place[order], np.arange(len(self._wanted) + 1))

    def bounds(self, node: Node) -> Bounds:
        """Judge a query whose references are resolved. Raises `ValueError` for a reference."""
        match node:
            case Term() | Prefix() | Phrase():
                return self._leaf(node)
            case And() | Or() | AnyOf():
                return self._enough(node.children, _needed(node))
            case Near():
                return self._unsure(self._enough((node.left, node.right), 2))
            case AtLeast():
                return self._unsure(self.bounds(node.child))
            case Not():
                child = self.bounds(node.child)
                return Bounds(~child.possible, ~child.sure)
        raise ValueError(f"{node} was not resolved")

    def _hits(self, numbers: Numbers, counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Find every wanted term in the block: its place in `_wanted`, and the article that has it."""
        table = np.full(int(self._wanted[-1]) + 2 if len(self._wanted) else 1, -1, dtype=np.int32)
        table[self._wanted] = np.arange(len(self._wanted), dtype=np.int32)
        places = table.take(numbers, mode="clip")  # the last entry is nobody's, and so is every number beyond it
        at = np.flatnonzero(places >= 0)
        return places[at].astype(np.int64), np.searchsorted(np.cumsum(counts), at, side="right")

    def _enough(self, children: Sequence[Node], needed: int) -> Bounds:
        sure, possible = np.zeros(self._size, dtype=np.int32), np.zeros(self._size, dtype=np.int32)
        for child in children:
            known = self.bounds(child)
            sure += known.sure
            possible += known.possible
        return Bounds(sure >= needed, possible >= needed)

    def _unsure(self, known: Bounds) -> Bounds:
        return Bounds(self._none(), known.possible)

    def _leaf(self, leaf: Leaf) -> Bounds:
        possible = self._together(_needed_signs(leaf))
        telling = _telling_sign(leaf)
        if inflected := _inflected_sign(leaf):
            possible = possible | self._present(inflected)
        return Bounds(self._present(telling) & possible if telling else self._none(), possible)

    def _together(self, needed: Iterable[Sign]) -> Flags:
        return reduce(np.logical_and, map(self._present, needed), np.ones(self._size, dtype=np.bool_))

    def _present(self, sign: Sign) -> Flags:
        if sign not in self._known:
            flags = np.full(self._size, sign not in self._places)
            for place in self._places.get(sign, ()):
                flags[self._articles[self._starts[place] : self._starts[place + 1]]] = True
            self._known[sign] = flags
        return self._known[sign]

    def _none(self) -> Flags:
        return np.zeros(self._size, dtype=np.bool_)


def _needed(node: And | Or | AnyOf) -> int:
    match node:
        case And():
            return len(node.children)
        case Or():
            return 1
        case AnyOf():
            return node.count


def _needed_signs(leaf: Leaf) -> Iterator[Sign]:
    """Return what must stand in an article for a leaf to hold there, all of it; inflections may stand for the word.

    Of inflections, only those in the text are known, and of addresses, nothing.
    """
    is_inflected = isinstance(leaf, Term) and leaf.word.case is Case.INFLECTED
    if leaf.scope is Field.URL or (is_inflected and leaf.scope not in {None, *TEXT_FIELDS}):
        return
    match leaf:
        case Term():
            yield _word(leaf.word, leaf.scope)
        case Prefix():
            yield _prefix(leaf.stem, leaf.scope)
        case Phrase():
            yield from (_word(word, leaf.scope) for word in leaf.words)
            if leaf.stem:
                yield _prefix(leaf.stem, leaf.scope)


def _telling_sign(leaf: Leaf) -> Sign | None:
    """Return what need only stand in an article for a leaf to hold there; no case, order or place that is not known."""
    if leaf.within or isinstance(leaf, Phrase) or not (leaf.scope is None or leaf.scope in QUALIFIED):
        return None
    if isinstance(leaf, Prefix):
        return _prefix(leaf.stem, leaf.scope) if len(leaf.stem) < MAX_KEY else None
    if len(leaf.word.key) >= MAX_KEY or leaf.word.case is Case.EXACT:
        return None
    return _sign(leaf.word.key, leaf.scope, in_capitals=leaf.word.case is Case.CAPITALS)


def _inflected_sign(leaf: Leaf) -> Sign | None:
    """Return what may stand there instead of the word itself; its key is a form, as `inflection.stem` takes it."""
    if isinstance(leaf, Term) and leaf.word.case is Case.INFLECTED:
        return Sign(Kind.INFLECTED, leaf.word.surface)
    return None


def _word(word: Word, scope: Field | None) -> Sign:
    """Return a word's sign: two or three letters are found in capitals only, more in other forms too."""
    return _sign(word.key, scope, in_capitals=word.case is Case.CAPITALS and letters(word.key) < 4)


def _sign(key: str, scope: Field | None, *, in_capitals: bool) -> Sign:
    return Sign(Kind.WORD, stored_key(key, scope if scope in QUALIFIED else None, in_capitals=in_capitals))


def _prefix(stem: str, scope: Field | None) -> Sign:
    return Sign(Kind.PREFIX, stored_key(stem, scope if scope in QUALIFIED else None))
