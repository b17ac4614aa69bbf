"""What a query is, once it has been read: a tree of frozen nodes that can be compared, hashed and shared.

Decides nothing. Offsets into the query's text are kept for error messages and stay out of equality, so that two queries
with the same meaning are one. `parser` builds trees, `canonical` writes them, `evaluate` and the engine walk them.
A construct of the full language becomes one more class here and one more case in each of those walks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from worker.model import Field

TEXT_FIELDS = (Field.TITLE, Field.SUMMARY, Field.BODY)
"""Where a word looks when its query names no field."""


class Case(StrEnum):
    """What a word asks of the form it is found in.

    `CAPITALS`: two or three letters want capitals (US, U.S.), more are content with a leading one (Nato).
    `EXACT`: the very surface of the query, marks and case included.
    `INFLECTED`: any case, and any inflection that the stemmer of the article's language knows; never inside a phrase.
    """

    ANY = "any"
    CAPITALS = "capitals"
    EXACT = "exact"
    INFLECTED = "inflected"


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """One word as a query wants it: the key to look up, and what its surface must be.

    `surface` is the word in NFKC where it is exact, the same in lower case where it is inflected, and "" otherwise.
    """

    key: str
    case: Case = Case.ANY
    surface: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Term:
    """One word. `scope` is the field it was restricted to; `None` means the text fields.

    Every leaf has a `within`: 0, or how many of the body's first words it looks at, besides the whole title (FIRST/n).
    With a `scope`, it looks only there, and only `Field.BODY` is cut short.
    """

    word: Word
    scope: Field | None = None
    within: int = 0
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Prefix:
    """Any word that begins with `stem`, a folded key, in any case."""

    stem: str
    scope: Field | None = None
    within: int = 0
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Phrase:
    """Words in a row, within one paragraph. `words` may be followed by one more that begins with `stem`, unless "".

    There are always two or more in all: a phrase of one word is a `Term` or a `Prefix`.
    """

    words: tuple[Word, ...]
    stem: str = ""
    scope: Field | None = None
    within: int = 0
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """Another topic's query, to be put in its place by `references.resolve`."""

    slug: str
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class And:
    """All of the children, two or more, none of them an `And`. At least one is no `Not`."""

    children: tuple[Node, ...]
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Or:
    """Any of the children, two or more, none of them an `Or` or a `Not`."""

    children: tuple[Node, ...]
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Not:
    """The child must be absent. Stands only directly inside an `And`."""

    child: Node
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Near:
    """Both in one field, at most `distance` words apart, not overlapping; left before right if `is_ordered`.

    Each side is a leaf, an `Or` of such sides, or another `Near`, which then counts as the words from its one end to
    its other. Words next to each other are 1 apart; between longer pieces, the nearest ends count.
    """

    left: Node
    right: Node
    distance: int
    is_ordered: bool = False
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class AtLeast:
    """`count` occurrences or more of the child, a leaf or an `Or` of leaves, over all searched fields.

    A word of the article counts once, whatever it answers to: of overlapping occurrences the first to end counts.
    """

    count: int
    child: Node
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class AnyOf:
    """`count` or more of the children hold; there are more children than `count`, none is a `Not`, `count` is over 1.

    ANY/1 is an `Or`, and an ANY that wants all of its children is an `And`.
    """

    count: int
    children: tuple[Node, ...]
    at: int = field(default=0, compare=False)


Leaf: TypeAlias = Term | Prefix | Phrase
Node: TypeAlias = Leaf | Reference | And | Or | Not | Near | AtLeast | AnyOf


def all_of(children: tuple[Node, ...], *, at: int = 0) -> Node:
    """Join by AND, flat: no `And` of one child, none directly inside another, and no child twice.

    >>> a, b, c = (Prefix(stem=stem) for stem in "abc")
    >>> all_of((all_of((a, b)), c)) == And(children=(a, b, c)), all_of((a,)) == a
    (True, True)
    """
    flat = dict.fromkeys(
        grand for child in children for grand in (child.children if isinstance(child, And) else (child,))
    )
    return next(iter(flat)) if len(flat) == 1 else And(children=tuple(flat), at=at)


def any_of(children: tuple[Node, ...], *, at: int = 0) -> Node:
    """Join by OR, flat, like `all_of`."""
    flat = dict.fromkeys(
        grand for child in children for grand in (child.children if isinstance(child, Or) else (child,))
    )
    return next(iter(flat)) if len(flat) == 1 else Or(children=tuple(flat), at=at)


def children(node: Node) -> tuple[Node, ...]:
    """Return a node's children in the query's order; a leaf has none."""
    match node:
        case Term() | Prefix() | Phrase() | Reference():
            return ()
        case And() | Or() | AnyOf():
            return node.children
        case Not() | AtLeast():
            return (node.child,)
        case Near():
            return (node.left, node.right)


def depth(node: Node, of_topic: Callable[[str], int] = lambda _: 0) -> int:
    """Count how deep a tree's brackets are nested, a NEAR counting as a pair; `of_topic` knows how deep a reference is.

    >>> a, b = Prefix(stem="a"), Prefix(stem="b")
    >>> near = Near(left=Or(children=(a, b)), right=b, distance=5)
    >>> depth(And(children=(a, Or(children=(a, b))))), depth(near), depth(Near(left=near, right=a, distance=5))
    (1, 1, 2)
    """
    deepest = 0
    waiting: list[tuple[Node, int]] = [(node, 0)]
    while waiting:
        current, level = waiting.pop()
        if isinstance(current, Reference):
            level += of_topic(current.slug)
        deepest = max(deepest, level)
        waiting.extend((child, level + _is_bracketed(child, current)) for child in children(current))
    return deepest


def _is_bracketed(child: Node, parent: Node) -> bool:
    match parent:
        case Near() | AnyOf():
            return True
        case And() | Not():
            return isinstance(child, And | Or)
        case _:
            return isinstance(parent, AtLeast) and isinstance(child, Or)


def walk(node: Node) -> Iterator[Node]:
    """Go through a tree, parents before children, in the query's order, however deep it is."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(reversed(children(current)))


def leaves(node: Node) -> Iterator[Leaf]:
    """Go through a tree's words, phrases and prefixes, in the query's order."""
    return (part for part in walk(node) if isinstance(part, Term | Prefix | Phrase))
