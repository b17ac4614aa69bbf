"""What the templates of mails may name, and what each of it has: taken from the views themselves.

Decides by type hints what `view.card.title` is and that `view.card.titel` is nothing. Pure: knows no template language.
`theme_check` asks for every name in a theme; docs/themes.md is written from it.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import is_dataclass, make_dataclass
from functools import lru_cache
from typing import Any, Final

from pydantic import BaseModel

from worker.content import Newsroom
from worker.rendering import samples
from worker.rendering.cards import CardView
from worker.rendering.colour import Palette
from worker.rendering.folders import folder_of
from worker.rendering.holes import marks
from worker.rendering.language import SOURCE_LANGUAGE, Language, Languages
from worker.rendering.theme_reach import may_reach
from worker.rendering.view import SectionView, view_of

Hint = Any  # a type, a union of types; None: nobody knows
_base: Final[Callable[[Hint], Hint]] = typing.get_origin

_Hole = make_dataclass("Hole", [(name, str) for name in marks("", "")])
_Hole.__module__ = __name__
FACES: Final = ("subject.txt.j2", "text.txt.j2", "html.j2")
_EVERYWHERE: Final[Mapping[str, Hint]] = {
    "newsroom": Newsroom,
    "language": Language,
    "palette": Palette,
    "hole": _Hole,
    "fragment": None,
    "varying": None,
    "subject": str,
    "pixel": str,
    "trap": str,
}
_OF_ONE_MAIL: Final = ("subject", "pixel", "trap")
_OF_HTML: Final = ("varying", "subject", "pixel", "trap")
FRAGMENT: Final[Mapping[str, Hint]] = {"one": CardView | SectionView, "size": str}
BY_CUSTOM: Final[Mapping[str, Hint]] = {"card": CardView, "one": CardView, "hole": _Hole}
"""What macros call what they are given."""


@lru_cache(maxsize=1)
def views() -> Mapping[str, Hint]:
    """Return the type of `view` in each folder of `templates/mail/` that a kind of mail is written by."""
    found: dict[str, set[type]] = {}
    language = _english()
    for kind in samples.KINDS:
        content = samples.content(kind, SOURCE_LANGUAGE)
        view = view_of(content, language, base_url="https://news.example")
        found.setdefault(folder_of(content), set()).add(type(view))
    return {folder: either(kinds) for folder, kinds in sorted(found.items())}


def context_of(template: str, used_by: Iterable[str] = (), *, handed: frozenset[str] | None = None) -> dict[str, Hint]:
    """Return what a mail's template may name. `used_by`: the templates that extend, include or import it.

    `handed`: the names under which it is given something as a fragment, which knows nothing of the mail around it.
    """
    folder, _, face = template.removeprefix("tocsin/").rpartition("/")
    if handed is not None:
        shared = {name: hint for name, hint in _EVERYWHERE.items() if name not in _OF_ONE_MAIL}
        return {**dict.fromkeys(handed), **shared, **FRAGMENT}
    folders = {folder} if folder in views() else {name.removeprefix("tocsin/").rpartition("/")[0] for name in used_by}
    shown = either(views()[name] for name in folders if name in views())
    context = {**_EVERYWHERE, "view": shown}
    return {
        name: hint for name, hint in context.items() if face not in FACES or face == "html.j2" or name not in _OF_HTML
    }


def members(hint: Hint) -> frozenset[str] | None:
    """Return the names that a value of a type has; None when that is not known.

    >>> sorted(members(Palette) or ())[:2], members(None)
    (['accent', 'accent_dark'], None)
    """
    if hint is None:
        return None
    found: set[str] = set()
    for one in _alternatives(hint):
        if one is type(None):
            continue
        if not isinstance(_origin(one), type):
            return None
        found |= _members(_origin(one))
    return frozenset(found)


def member(hint: Hint, name: str) -> Hint:
    """Return the type of one of a value's names; None when that is not known.

    >>> member(CardView, "title"), member(CardView, "summary_text"), member(CardView, "nothing")
    (<class 'str'>, <class 'str'>, None)
    """
    found = [_member(one, name) for one in _alternatives(hint)] if hint is not None else []
    known = [one for one in found if one is not None]
    return either(known) if known else None


def item(hint: Hint) -> Hint:
    """Return the type of what a value yields; None when that is not known.

    >>> item(tuple[int, ...]), item(str), item(None)
    (<class 'int'>, <class 'str'>, None)
    """
    found = [_item(one) for one in _alternatives(hint)] if hint is not None else []
    known = [one for one in found if one is not None]
    return either(known) if len(known) == len(found) and known else None


def parts(hint: Hint, count: int) -> tuple[Hint, ...]:
    """Return the types of a pair's halves, or of a longer tuple's places.

    >>> parts(tuple[str, int], 2)
    (<class 'str'>, <class 'int'>)
    """
    given = typing.get_args(hint) if _base(hint) is tuple else ()
    return given if len(given) == count and Ellipsis not in given else (None,) * count


def either(hints: Iterable[Hint]) -> Hint:
    """Return the union of types; None of none."""
    joined: Hint = None
    for one in dict.fromkeys(hints):
        joined = one if joined is None else joined | one
    return joined


def is_shown(hint: Hint) -> bool:
    """Tell whether a type is one of ours, whose members a document should name."""
    return any(isinstance(one, type) and (is_dataclass(one) or issubclass(one, BaseModel)) for one in flat(hint))


def flat(hint: Hint) -> list[Hint]:
    """Return all types within a type: those of a union, and those that a tuple holds."""
    found = []
    for one in _alternatives(hint) if hint is not None else []:
        inner = [part for part in typing.get_args(one) if part is not Ellipsis]
        found += [deep for part in inner for deep in flat(part)] if inner else [one]
    return found


def fields(one: type) -> dict[str, Hint]:
    """Return what a value of one of our types has for templates, by name: its fields, and what it works out."""
    return {
        name: _member(one, name) for name in sorted(_members(one)) if name in _hints(one) or _is_property(one, name)
    }


@lru_cache(maxsize=1)
def _english() -> Language:
    from worker.resources import templates_dir  # noqa: PLC0415  for the documents and checks only

    return Languages(templates_dir() / "locales").best(SOURCE_LANGUAGE)


def _alternatives(hint: Hint) -> tuple[Hint, ...]:
    if isinstance(hint, types.UnionType) or _base(hint) is typing.Union:
        return typing.get_args(hint)
    return (hint,)


def _origin(hint: Hint) -> Hint:
    return _base(hint) or hint


@lru_cache(maxsize=256)
def _members(one: type) -> frozenset[str]:
    return frozenset(name for name in {*dir(one), *_hints(one)} if not name.startswith("_") and may_reach(one, name))


@lru_cache(maxsize=256)
def _hints(one: type) -> Mapping[str, Hint]:
    try:
        return typing.get_type_hints(one)
    except (NameError, TypeError):
        return {}


def _is_property(one: type, name: str) -> bool:
    return isinstance(getattr(one, name, None), property)


def _member(hint: Hint, name: str) -> Hint:
    one = _origin(hint)
    if not isinstance(one, type):
        return None
    if name in _hints(one):
        return _hints(one)[name]
    found = getattr(one, name, None)
    if isinstance(found, property) and found.fget:
        return typing.get_type_hints(found.fget).get("return")
    return None


def _item(hint: Hint) -> Hint:
    if hint is str:
        return str
    given = typing.get_args(hint)
    if _base(hint) is tuple and len(given) == 2 and given[1] is Ellipsis:
        return given[0]
    return given[0] if _base(hint) in {list, frozenset, set} and given else None
