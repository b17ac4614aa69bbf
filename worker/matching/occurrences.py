"""Where the words, phrases and prefixes of a query stand in an analysed article.

Decides the meaning of a leaf: which forms it is found in, and in which fields. Pure; `evaluate` and `proximity` put
these places together.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, takewhile
from typing import NamedTuple, TypeAlias

from worker.matching.analyser import AnalysedArticle, AnalysedField
from worker.matching.inflection import stem
from worker.matching.leaves import is_capitals, letters
from worker.matching.tree import TEXT_FIELDS, Case, Leaf, Phrase, Prefix, Term, Word
from worker.model import Field

Place: TypeAlias = tuple[int, int]
"""Positions of the first and the last word of what was found in one field."""


class Occurrence(NamedTuple):
    """Where a leaf was found: positions of its first and last word in one field."""

    field: Field
    first: int
    last: int


def occurrences(leaf: Leaf, article: AnalysedArticle) -> Iterator[Occurrence]:
    """Find a word, prefix or phrase wherever it looks, by field and place. Occurrences of a phrase may overlap."""
    if _is_absent(leaf, article):
        return
    for name in searched_fields(leaf):
        for first, last in places(leaf, article, name):
            yield Occurrence(name, first, last)


def _is_absent(leaf: Leaf, article: AnalysedArticle) -> bool:
    """Tell, of most leaves that stand nowhere, that they do not: a topic has hundreds of names, an article a few."""
    match leaf:
        case Term() if leaf.word.case is not Case.INFLECTED:
            key = leaf.word.key
        case Phrase():
            key = leaf.words[0].key
        case _:
            return False
    for field in article.fields.values():  # noqa: SIM110 - called for every name of every topic: any() takes twice as long
        if key in field.positions:
            return False
    return True


def searched_fields(leaf: Leaf) -> Sequence[Field]:
    """Return the fields that a leaf looks in, in their order; with FIRST, a summary is not looked at."""
    if leaf.scope:
        return (leaf.scope,)
    return (Field.TITLE, Field.BODY) if leaf.within else TEXT_FIELDS


def places(leaf: Leaf, article: AnalysedArticle, name: Field) -> Iterable[Place]:
    """Find a leaf in one of the fields that it looks in, ascending."""
    field = article.fields.get(name)
    if field is None:
        return ()
    match leaf:
        case Phrase():
            found = _in_a_row(leaf, field, article)
            return (place for place in found if place[1] < leaf.within) if _is_cut(leaf, name) else found
        case Prefix():
            positions = _beginning(leaf.stem, field)
        case _:
            positions = _where(leaf.word, field, article)
    if _is_cut(leaf, name):
        positions = positions[: bisect_left(positions, leaf.within)]
    return zip(positions, positions, strict=True)


def _is_cut(leaf: Leaf, name: Field) -> bool:
    return leaf.within > 0 and name is Field.BODY


def _where(word: Word, field: AnalysedField, article: AnalysedArticle) -> Sequence[int]:
    positions = field.positions.get(word.key, ())
    if word.case is Case.ANY:
        return positions
    if word.case is Case.INFLECTED:
        return sorted({*positions, *_inflections(word, field, language_of(article))})
    surfaces = field.words.surfaces
    return [position for position in positions if _suits(word, surfaces[position])]


def _suits(word: Word, surface: str) -> bool:
    if word.case is Case.EXACT:
        return surface == word.surface
    return is_capitals(surface, word.key) or (letters(word.key) >= 4 and _begins_with_capital(surface))


def _begins_with_capital(surface: str) -> bool:
    return next((character.isupper() for character in surface if character.isalpha()), False)


def _inflections(word: Word, field: AnalysedField, language: str) -> Iterator[int]:
    wanted = stem(word.surface, language)
    surfaces = field.words.surfaces
    forms = {surface for surface in set(surfaces) if stem(surface.lower(), language) == wanted} if wanted else set()
    return (position for position, surface in enumerate(surfaces) if surface in forms)


def language_of(article: AnalysedArticle) -> str:
    """Return the language that an article says it is in, such as "en" for en-US, or ""."""
    lang = article.fields.get(Field.LANG)
    return lang.words.keys[0] if lang else ""


def _beginning(beginning: str, field: AnalysedField) -> Sequence[int]:
    keys = field.keys
    from_there = (keys[place] for place in range(bisect_left(keys, beginning), len(keys)))
    found = [field.positions[key] for key in takewhile(lambda key: key.startswith(beginning), from_there)]
    return found[0] if len(found) == 1 else sorted(set(chain.from_iterable(found)))


def _in_a_row(phrase: Phrase, field: AnalysedField, article: AnalysedArticle) -> Iterator[Place]:
    for word in phrase.words:
        if word.key not in field.positions:
            return
    found = [set(_where(word, field, article)) for word in phrase.words]
    if phrase.stem and all(found):
        found.append(set(_beginning(phrase.stem, field)))
    rarest = min(range(len(found)), key=lambda index: len(found[index]))
    for first in sorted(position - rarest for position in found[rarest]):
        last = first + len(found) - 1
        in_a_row = all(first + index in positions for index, positions in enumerate(found))
        if in_a_row and field.paragraph(first) == field.paragraph(last):
            yield first, last
