"""What a query means: whether one analysed article makes it true, and where.

Decides the meaning of every construct, over positions. The engine must never say anything else; it only finds out
faster which queries are worth asking. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from worker.matching.analyser import AnalysedArticle, AnalysedField
from worker.matching.canonical import canonical
from worker.matching.evidence import Span
from worker.matching.leaves import is_capitals, letters
from worker.matching.tree import TEXT_FIELDS, And, Case, Leaf, Node, Not, Or, Phrase, Prefix, Reference, Term, Word
from worker.model import Field


class Occurrence(NamedTuple):
    """Where a leaf was found: positions of its first and last word in one field."""

    field: Field
    first: int
    last: int


def holds(node: Node, article: AnalysedArticle) -> bool:
    """Tell whether an article makes a query true. Raises `ValueError` for a reference that nobody resolved.

    >>> from worker.matching.analyser import ArticleText, analyse
    >>> from worker.matching.parser import parse
    >>> holds(parse("US NOT film"), analyse(ArticleText(title="U.S. envoy"))), holds(
    ...     parse("US"), analyse(ArticleText(title="Tell us"))
    ... )
    (True, False)
    """
    match node:
        case And():
            return all(holds(child, article) for child in node.children)
        case Or():
            return any(holds(child, article) for child in node.children)
        case Not():
            return not holds(node.child, article)
        case Reference():
            raise ValueError(f"@{node.slug} was not resolved")
        case Term() | Prefix() | Phrase():
            return next(occurrences(node, article), None) is not None


def evidence(node: Node, article: AnalysedArticle) -> tuple[Span, ...]:
    """Return every span that makes a query true, each once, by field and place; none if it does not hold.

    What is absent leaves no trace. A branch of OR that does not hold adds nothing, even where some of its words stand.

    >>> from worker.matching.analyser import ArticleText, analyse
    >>> from worker.matching.parser import parse
    >>> [span.alias for span in evidence(parse("korea (envoy | film)"), analyse(ArticleText(title="Korea’s Envoy")))]
    ['Korea', 'Envoy']
    """
    return tuple(sorted(set(_spans(node, article)), key=_place)) if holds(node, article) else ()


def occurrences(leaf: Leaf, article: AnalysedArticle) -> Iterator[Occurrence]:
    """Find a word, prefix or phrase wherever it looks, by field and place. Occurrences of a phrase may overlap."""
    for name in TEXT_FIELDS if leaf.scope is None else (leaf.scope,):
        if field := article.fields.get(name):
            for first, last in _in_field(leaf, field):
                yield Occurrence(name, first, last)


def _in_field(leaf: Leaf, field: AnalysedField) -> Iterable[tuple[int, int]]:
    match leaf:
        case Term():
            where = _where(leaf.word, field)
            return zip(where, where, strict=True)
        case Prefix():
            return ((position, position) for position in _beginning(leaf.stem, field))
        case Phrase():
            return _in_a_row(leaf, field)


def _where(word: Word, field: AnalysedField) -> Sequence[int]:
    positions = field.positions.get(word.key, ())
    if word.case is Case.ANY:
        return positions
    surfaces = field.words.surfaces
    return [position for position in positions if _suits(word, surfaces[position])]


def _suits(word: Word, surface: str) -> bool:
    if word.case is Case.EXACT:
        return surface == word.surface
    return is_capitals(surface, word.key) or (letters(word.key) >= 4 and _begins_with_capital(surface))


def _begins_with_capital(surface: str) -> bool:
    return next((character.isupper() for character in surface if character.isalpha()), False)


def _beginning(stem: str, field: AnalysedField) -> Iterator[int]:
    return (position for position, key in enumerate(field.words.keys) if key.startswith(stem))


def _in_a_row(phrase: Phrase, field: AnalysedField) -> Iterator[tuple[int, int]]:
    found = [set(_where(word, field)) for word in phrase.words]
    if phrase.stem and all(found):
        found.append(set(_beginning(phrase.stem, field)))
    rarest = min(range(len(found)), key=lambda index: len(found[index]))
    for first in sorted(position - rarest for position in found[rarest]):
        last = first + len(found) - 1
        in_a_row = all(first + index in positions for index, positions in enumerate(found))
        if in_a_row and field.paragraph(first) == field.paragraph(last):
            yield first, last


def _spans(node: Node, article: AnalysedArticle) -> Iterator[Span]:
    match node:
        case And():
            for child in node.children:
                yield from _spans(child, article)
        case Or():
            for child in node.children:
                if holds(child, article):
                    yield from _spans(child, article)
        case Term() | Prefix() | Phrase():
            part = canonical(node)
            for name, first, last in occurrences(node, article):
                field = article.fields[name]
                start, end = field.words.starts[first], field.words.ends[last]
                yield Span(field=name, start=start, end=end, part=part, alias=field.text[start:end])
        case Not() | Reference():
            return


_FIELD_ORDER = {field: place for place, field in enumerate(Field)}


def _place(span: Span) -> tuple[int, int, int, str]:
    return _FIELD_ORDER[span.field], span.start, span.end, span.part
