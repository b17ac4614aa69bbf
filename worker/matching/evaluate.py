"""What a query means: whether one analysed article makes it true, and where.

Decides the meaning of every operator, over the places that `occurrences` finds for words. The engine must never say
anything else; it only finds out faster which queries are worth asking. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from operator import itemgetter
from typing import Final, TypeAlias

from worker.matching.analyser import AnalysedArticle
from worker.matching.canonical import canonical
from worker.matching.evidence import Span
from worker.matching.occurrences import Occurrence, occurrences
from worker.matching.proximity import is_near, parts_of
from worker.matching.tree import And, AnyOf, AtLeast, Leaf, Near, Node, Not, Or, Phrase, Prefix, Reference, Term, leaves
from worker.model import Field

MAX_PLACES: Final = 1_000
"""How many places of one word, phrase or prefix the evidence names; a megabyte of "the" is no better evidence."""

_Found: TypeAlias = tuple[Leaf, Occurrence]
_Witness: TypeAlias = Leaf | Near | AtLeast


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
        case Term() | Prefix() | Phrase():
            return next(occurrences(node, article), None) is not None
        case And():
            return all(holds(child, article) for child in node.children)
        case Or():
            return any(holds(child, article) for child in node.children)
        case Not():
            return not holds(node.child, article)
        case Near():
            return is_near(node, article)
        case AtLeast():
            return len(list(islice(_counted(node, article), node.count))) == node.count
        case AnyOf():
            held = (child for child in node.children if holds(child, article))
            return len(list(islice(held, node.count))) == node.count
        case Reference():
            raise ValueError(f"@{node.slug} was not resolved")


def evidence(node: Node, article: AnalysedArticle) -> tuple[Span, ...]:
    """Return the spans that make a query true, each once, by field and place; none if it does not hold.

    What is absent leaves no trace, and a branch of OR or ANY that does not hold adds nothing, even where some of its
    words stand. Of NEAR, the words that take part are named; of ATLEAST, those that count.

    >>> from worker.matching.analyser import ArticleText, analyse
    >>> from worker.matching.parser import parse
    >>> [span.alias for span in evidence(parse("korea (envoy | film)"), analyse(ArticleText(title="Korea’s Envoy")))]
    ['Korea', 'Envoy']
    """
    parts: dict[Leaf, str] = {}
    found: set[tuple[int, int, int, str]] = set()
    for witness in dict.fromkeys(_witnesses(node, article) or ()):
        for leaf, (name, first, last) in _named(witness, article):
            part = parts.get(leaf) or parts.setdefault(leaf, canonical(leaf))
            words = article.fields[name].words
            found.add((_FIELD_ORDER[name], words.starts[first], words.ends[last], part))
    return tuple(_span(article, _FIELDS[order], start, end, part) for order, start, end, part in sorted(found))


def _span(article: AnalysedArticle, name: Field, start: int, end: int, part: str) -> Span:
    return Span(field=name, start=start, end=end, part=part, alias=article.fields[name].text[start:end])


def _witnesses(node: Node, article: AnalysedArticle) -> list[_Witness] | None:
    """Return the parts that make a node true, or `None` if it is not; only of what must be absent there are none.

    A part that a query has many times is asked for its places once, by `evidence`.
    """
    match node:
        case Term() | Prefix() | Phrase() | Near() | AtLeast():
            return [node] if holds(node, article) else None
        case And() | Or() | AnyOf():
            return _combined(node, article)
        case Not():
            return None if holds(node.child, article) else []
        case Reference():
            raise ValueError(f"@{node.slug} was not resolved")


def _combined(node: And | Or | AnyOf, article: AnalysedArticle) -> list[_Witness] | None:
    wanted = len(node.children) if isinstance(node, And) else node.count if isinstance(node, AnyOf) else 1
    found: list[_Witness] = []
    holding = 0
    for tried, child in enumerate(node.children):
        if holding + len(node.children) - tried < wanted:
            return None
        if (more := _witnesses(child, article)) is not None:
            found += more
            holding += 1
    return found if holding >= wanted else None


def _named(witness: _Witness, article: AnalysedArticle) -> Iterator[_Found]:
    """Go through the places of a part that holds: some `MAX_PLACES` of a word, and of a NEAR what it finds enough."""
    match witness:
        case Near():
            return ((leaf, Occurrence(name, *place)) for leaf, name, place in parts_of(witness, article))
        case AtLeast():
            return islice(_counted(witness, article), MAX_PLACES)
        case _:
            return ((witness, place) for place in islice(occurrences(witness, article), MAX_PLACES))


def _counted(node: AtLeast, article: AnalysedArticle) -> Iterator[_Found]:
    """Go through occurrences that do not overlap: of those that do, the one that ends first, which leaves most room."""
    found = (
        (_FIELD_ORDER[place.field], place.last, place.first, leaf)
        for leaf in dict.fromkeys(leaves(node.child))
        for place in occurrences(leaf, article)
    )
    taken = (-1, -1)
    for order, last, first, leaf in sorted(found, key=itemgetter(0, 1, 2)):
        if (order, first) > taken:
            taken = (order, last)
            yield leaf, Occurrence(_FIELDS[order], first, last)


_FIELDS: Final = tuple(Field)
_FIELD_ORDER: Final = {field: place for place, field in enumerate(_FIELDS)}
