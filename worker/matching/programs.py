"""What a query becomes in the index: a plan of what it hangs on, and a program for what the plan cannot say.

Decides both from the query's tree. A plan names features of which some must be in any article that makes the query true
(compiled.build says how it is written); where a plan is not the whole truth, the program is (compiled.occurrences runs
it). `index` stores them. Knows no article.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from worker.matching.compiled import layout
from worker.matching.compiled.build import MOST_INLINE
from worker.matching.compiled.layout import ALWAYS
from worker.matching.features import Features, text_hash
from worker.matching.leaves import letters
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
)
from worker.model import Field

_PLACES = {name: place for place, name in enumerate(Field)}
_TEXT = 0b111  # title, summary, body
_TITLE_AND_BODY = 0b101


@dataclass(frozen=True, kw_only=True, slots=True)
class LeafWords:
    """A leaf for the kernels: where it looks, and feature, form and surface of each word."""

    fields: int
    within: int
    words: tuple[tuple[int, int, int], ...]


@dataclass(kw_only=True, slots=True)
class Compiled:
    """A query, compiled. `code` is empty where the plan says all.

    Its skips count from its own start and its leaves from 0: `targets` and `leaf_places` say where in the code these
    numbers stand, so that they can be moved to the place that the code gets in an index.
    """

    plan: list[int] = field(default_factory=list)
    code: list[int] = field(default_factory=list)
    targets: list[int] = field(default_factory=list)
    leaf_places: list[int] = field(default_factory=list)
    leaves: list[LeafWords] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One alternative of a plan; `says_all` is False where more has to be looked at."""

    needed: tuple[int, ...] = ()
    unwanted: tuple[int, ...] = ()
    groups: tuple[tuple[int, ...], ...] = ()
    says_all: bool = True


def compile_query(node: Node, features: Features) -> Compiled:
    """Compile a query without references, giving features to what has none yet. Raises `ValueError` for a reference."""
    result = Compiled()
    branches = node.children if isinstance(node, Or) else (node,)
    alternatives = [_wanted(branch, features) for branch in branches]
    result.plan = [len(alternatives)]
    for wanted in alternatives:
        result.plan += [wanted.says_all, len(wanted.needed), len(wanted.unwanted), len(wanted.groups)]
        result.plan += [*wanted.needed, *wanted.unwanted]
        for group in wanted.groups:
            result.plan += [len(group), *group]
    if not all(map(_is_inline, alternatives)):
        _Coder(features, result).run(node)
    return result


def _is_inline(wanted: _Wanted) -> bool:
    """Tell whether a row can say all of an alternative, whichever feature it hangs on."""
    if not wanted.says_all or len(wanted.unwanted) > 1:
        return False
    # Hung on a feature, a row can ask for one group besides; hung on a group, for one more.
    most_needed = MOST_INLINE + 1 if not wanted.groups else MOST_INLINE if len(wanted.groups) == 1 else 0
    return len(wanted.groups) <= 2 and len(wanted.needed) <= most_needed


# What must be in an article -----------------------------------------------------------------------------------------


def _wanted(node: Node, features: Features) -> _Wanted:
    match node:
        case Term() | Prefix() | Phrase():
            return _leaf_wanted(node, features)
        case And():
            return _all(tuple(_wanted(child, features) for child in node.children))
        case Or():
            return _either(tuple(_wanted(child, features) for child in node.children))
        case AnyOf():
            return _partial(_either(tuple(_wanted(child, features) for child in node.children)))
        case AtLeast():
            return _partial(_wanted(node.child, features))
        case Near():
            return _partial(_all((_wanted(node.left, features), _wanted(node.right, features))))
        case Not():
            absent = _wanted(node.child, features)
            if absent.says_all and not absent.unwanted and len(absent.needed) + len(absent.groups) == 1:
                return _Wanted(unwanted=absent.needed or absent.groups[0])
            return _Wanted(says_all=False)
        case Reference():
            raise ValueError(f"@{node.slug} was not resolved: it cannot be hung on anything")


def _all(parts: Sequence[_Wanted]) -> _Wanted:
    return _Wanted(
        needed=tuple(dict.fromkeys(feature for part in parts for feature in part.needed)),
        unwanted=tuple(dict.fromkeys(feature for part in parts for feature in part.unwanted)),
        groups=tuple(dict.fromkeys(group for part in parts for group in part.groups)),
        says_all=all(part.says_all for part in parts),
    )


def _either(parts: Sequence[_Wanted]) -> _Wanted:
    """Reduce alternatives to a group with one feature of each, or more where an alternative is a group itself."""
    group: dict[int, None] = {}
    says_all = True
    for part in parts:
        is_simple = part.says_all and not part.unwanted and len(part.needed) + len(part.groups) == 1
        says_all = says_all and is_simple
        # Of what a phrase needs, pairs come last and are the rarest.
        group.update(dict.fromkeys(part.needed[-1:] or _smallest(part.groups)))
    return _Wanted(groups=(tuple(group),), says_all=says_all)


def _smallest(groups: Sequence[tuple[int, ...]]) -> Sequence[int]:
    return min(groups, key=len) if groups else (ALWAYS,)


def _partial(wanted: _Wanted) -> _Wanted:
    """Keep what must be there of something that takes more than presence to be true."""
    return _Wanted(needed=wanted.needed, groups=wanted.groups, says_all=False)


def _leaf_wanted(leaf: Leaf, features: Features) -> _Wanted:
    words = _leaf_words(leaf, features)
    if isinstance(leaf, Term) and leaf.word.case is Case.INFLECTED:
        inflected = features.inflection(leaf.word.surface)
        feature, _, _ = words.words[0]
        either = tuple(_variant(features, one, words, layout.ANY_FORM, 0) for one in (feature, inflected))
        return _Wanted(groups=(either,))
    needed = [
        _variant(features, feature, words, form, surface)
        for feature, form, surface in words.words
        if len(words.words) == 1 or form != layout.ANY_FORM or words.fields & _TEXT == 0
    ]
    if len(words.words) > 1 and words.fields & ~_TEXT == 0:
        numbers = [feature for feature, _, _ in words.words]
        needed += [features.pair(first, second) for first, second in pairwise(numbers)]
    is_plain_pair = len(needed) == 1 and len(words.words) == 2 and words.fields == _TEXT and not words.within
    return _Wanted(needed=tuple(dict.fromkeys(needed)), says_all=len(words.words) == 1 or is_plain_pair)


def _variant(features: Features, feature: int, words: LeafWords, form: int, surface: int) -> int:
    if form == layout.ANY_FORM and words.fields == _TEXT:
        return feature
    return features.variant(feature, fields=words.fields, within=words.within, form=form, surface=surface)


def _leaf_words(leaf: Leaf, features: Features) -> LeafWords:
    asked: list[tuple[int, int, int]] = []
    match leaf:
        case Term():
            asked = [_word(leaf.word, features)]
        case Prefix():
            asked = [(features.prefix(leaf.stem), layout.ANY_FORM, 0)]
        case Phrase():
            asked = [_word(word, features) for word in leaf.words]
            if leaf.stem:
                asked.append((features.prefix(leaf.stem), layout.ANY_FORM, 0))
    everywhere = _TITLE_AND_BODY if leaf.within else _TEXT
    fields = everywhere if leaf.scope is None else 1 << _PLACES[leaf.scope]
    return LeafWords(fields=fields, within=leaf.within, words=tuple(asked))


def _word(word: Word, features: Features) -> tuple[int, int, int]:
    match word.case:
        case Case.ANY | Case.INFLECTED:
            return features.word(word.key), layout.ANY_FORM, 0
        case Case.CAPITALS:
            return features.word(word.key), layout.LEADING if letters(word.key) >= 4 else layout.CAPITALS, 0
        case Case.EXACT:
            return features.word(word.key), layout.EXACT, text_hash(word.surface)


# The program --------------------------------------------------------------------------------------------------------


class _Coder:
    """Writes a query's program: what is cheap to ask comes first, and the rest is skipped once the answer is known."""

    def __init__(self, features: Features, result: Compiled) -> None:
        self._features, self._result, self._code = features, result, result.code

    def run(self, node: Node) -> None:
        self._value(node)
        self._code.append(layout.END)

    def _value(self, node: Node) -> None:
        match node:
            case And():
                self._chain(sorted(node.children, key=_effort), layout.SKIP_IF_FALSE)
            case Or():
                self._chain(sorted(node.children, key=_effort), layout.SKIP_IF_TRUE)
            case Not():
                self._value(node.child)
                self._code.append(layout.NOT)
            case AnyOf():
                for place, child in enumerate(node.children):
                    self._value(child)
                    if place:
                        self._code.append(layout.ADD)
                self._code += [layout.ENOUGH, node.count]
            case Near() | AtLeast():
                self._guarded(node)
            case Term() | Prefix() | Phrase():
                self._guarded(node)
            case Reference():
                raise ValueError(f"@{node.slug} was not resolved")

    def _chain(self, children: Sequence[Node], skip: int) -> None:
        places = []
        for place, child in enumerate(children):
            if place:
                places.append(self._skip(skip))
            self._value(child)
        self._land(places)

    def _guarded(self, node: Near | AtLeast | Leaf) -> None:
        """Ask for the features that must be there, and for places only if they are not the whole truth."""
        wanted = _wanted(node, self._features)
        places = []
        for number, group in enumerate((*((feature,) for feature in wanted.needed), *wanted.groups)):
            if number:
                places.append(self._skip(layout.SKIP_IF_FALSE))
            inner = []
            for place, feature in enumerate(group):
                if place:
                    inner.append(self._skip(layout.SKIP_IF_TRUE))
                self._code.append(feature)
            self._land(inner)
        if not wanted.says_all:
            places.append(self._skip(layout.SKIP_IF_FALSE))
            match node:
                case AtLeast():
                    self._places(node.child)
                    self._code += [layout.COUNT, node.count]
                case _:
                    self._places(node)
                    self._code += [layout.COUNT, 1]
        self._land(places)

    def _places(self, node: Node) -> None:
        match node:
            case Term() | Prefix() | Phrase():
                self._leaf(node)
            case Or():
                for place, child in enumerate(node.children):
                    self._places(child)
                    if place:
                        self._code.append(layout.MERGE)
            case Near():
                self._places(node.left)
                self._places(node.right)
                self._code += [layout.NEAR, node.distance, node.is_ordered]
            case _:
                raise ValueError(f"{node} has no places")

    def _leaf(self, leaf: Leaf) -> None:
        words = _leaf_words(leaf, self._features)
        self._add_leaf(words)
        if isinstance(leaf, Term) and leaf.word.case is Case.INFLECTED:
            inflected = (self._features.inflection(leaf.word.surface), layout.ANY_FORM, 0)
            self._add_leaf(LeafWords(fields=words.fields, within=words.within, words=(inflected,)))
            self._code.append(layout.MERGE)

    def _add_leaf(self, words: LeafWords) -> None:
        for feature, _, _ in words.words:
            self._features.keep_positions(feature)
        self._code += [layout.LEAF, len(self._result.leaves)]
        self._result.leaf_places.append(len(self._code) - 1)
        self._result.leaves.append(words)

    def _skip(self, operation: int) -> int:
        self._code += [operation, 0]
        return len(self._code) - 1

    def _land(self, places: Sequence[int]) -> None:
        for place in places:
            self._code[place] = len(self._code)
        self._result.targets.extend(places)


def _effort(node: Node) -> int:
    """Say how dear a part is to ask: features, then groups, then what needs places."""
    match node:
        case Term() | Prefix():
            return 0
        case Not():
            return 1 + _effort(node.child)
        case Phrase():
            return 2
        case And() | Or() | AnyOf():
            return 3
        case _:
            return 4
