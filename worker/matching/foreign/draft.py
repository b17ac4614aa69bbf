"""A foreign query as it was read, before anybody asked what of it can be kept.

Decides nothing. The sources' modules make drafts, `building` turns them into our tree. A draft may hold what our
language has no word for: `Lost` stands in its place until it is known what the query does without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from worker.matching.tree import Case
from worker.model import Field


class Fate(StrEnum):
    """What became of a piece that was not simply kept."""

    CHANGED = "changed"
    DROPPED = "dropped"


class Effect(StrEnum):
    """What the query finds now, against what it found where it came from."""

    SAME = "the same"
    MORE = "more"
    LESS = "less"
    OTHER = "other things"


class Finding(NamedTuple):
    """One piece of a foreign query, as it stood at an offset (in code points), and what became of it."""

    at: int
    text: str
    fate: Fate
    effect: Effect
    says: str


class Place(NamedTuple):
    """Where words are looked for: a field, or `None` for all text fields; and how far, 0 for all of it."""

    field: Field | None = None
    within: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """Words in a row. A `*` stands for any end of a word or any letters in it, a `?` for one letter."""

    text: str
    at: int
    case: Case = Case.ANY


@dataclass(frozen=True, kw_only=True, slots=True)
class Lost:
    """What cannot be carried over; `why` is for the report. What `is_idle` asked for nothing before, either."""

    text: str
    at: int
    why: str
    is_idle: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Noted:
    """The child, which finds something else here than it did where it comes from: `says` tells how."""

    child: Draft
    text: str
    at: int
    effect: Effect
    says: str


@dataclass(frozen=True, kw_only=True, slots=True)
class All:
    """All of the children."""

    children: tuple[Draft, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Any:
    """One of the children, or more."""

    children: tuple[Draft, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Without:
    """The child must be absent."""

    child: Draft
    at: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Close:
    """Both, at most `distance` words apart: 1 is side by side. `written` is the operator as it stood."""

    left: Draft
    right: Draft
    distance: int
    is_ordered: bool
    at: int
    written: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Often:
    """The child at least `count` times."""

    count: int
    child: Draft
    at: int
    written: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Only:
    """The child, looked for in some places only. `written` is the field's name as it stood."""

    places: tuple[Place, ...]
    child: Draft
    at: int
    written: str


Draft: TypeAlias = Words | Lost | Noted | All | Any | Without | Close | Often | Only


def both(left: Draft, right: Draft) -> Draft:
    """Join by AND, flat on the left, so that a long row stays a shallow draft."""
    return All(children=(*left.children, right) if isinstance(left, All) else (left, right))


def either(left: Draft, right: Draft) -> Draft:
    """Join by OR, like `both`."""
    return Any(children=(*left.children, right) if isinstance(left, Any) else (left, right))


def but_not(left: Draft, right: Draft) -> Draft:
    """Join what must be there to what must not."""
    return both(left, Without(child=right, at=offset(right)))


def side_by_side(left: Draft, right: Draft) -> Draft:
    """Join as neighbours: plain words become one phrase.

    >>> side_by_side(Words(text="bill", at=0), Words(text="clinton", at=5))
    Words(text='bill clinton', at=0, case=<Case.ANY: 'any'>)
    """
    if isinstance(left, Noted):
        return replace(left, child=side_by_side(left.child, right))
    if isinstance(right, Noted):
        return replace(right, child=side_by_side(left, right.child))
    if isinstance(left, Words) and isinstance(right, Words) and left.case is right.case is Case.ANY:
        return Words(text=f"{left.text} {right.text}", at=left.at)
    return Close(left=left, right=right, distance=1, is_ordered=True, at=offset(right), written="")


def parts(draft: Draft) -> tuple[Draft, ...]:
    """Return a draft's children, in the order in which they stood."""
    match draft:
        case All() | Any():
            return draft.children
        case Close():
            return (draft.left, draft.right)
        case Noted() | Without() | Often() | Only():
            return (draft.child,)
        case Words() | Lost():
            return ()


def spoken(draft: Draft) -> Iterator[Words]:
    """Go through a draft's words, in the order in which they stood."""
    waiting = [draft]
    while waiting:
        current = waiting.pop()
        if isinstance(current, Words):
            yield current
        waiting.extend(reversed(parts(current)))


def reworded(draft: Draft, change: Callable[[str], str]) -> Draft:
    """Return a draft with every word written otherwise."""
    match draft:
        case Words():
            return replace(draft, text=change(draft.text))
        case All() | Any():
            return replace(draft, children=tuple(reworded(child, change) for child in draft.children))
        case Close():
            return replace(draft, left=reworded(draft.left, change), right=reworded(draft.right, change))
        case Noted() | Without() | Often() | Only():
            return replace(draft, child=reworded(draft.child, change))
        case Lost():
            return draft


def written(name: str, child: Draft) -> str:
    """Write a field with all that it was asked for, for the report.

    >>> written("ns=", Any(children=(Words(text="gcat", at=4), Words(text="gsanc", at=12))))
    'ns=(gcat, gsanc)'
    """
    values = [words.text for words in spoken(child)]
    return name + (values[0] if len(values) == 1 else f"({', '.join(values)})")


def offset(draft: Draft) -> int:
    """Return where a draft begins in its query."""
    match draft:
        case All() | Any():
            return offset(draft.children[0])
        case Close():
            return offset(draft.left)
        case _:
            return draft.at
