"""Which terms an article leaves behind, so that a query about the past need not read it again.

Decides what counts as a term: each word of the title, summary and body, by the key that queries look it up under; once
more where it stands in capitals; and both again, with their field in front, for the fields that are short. Pure;
`run_terms` stores what comes of it, `bounds` reasons about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.matching.analyser import AnalysedArticle, AnalysedField
from worker.matching.inflection import stem
from worker.matching.leaves import is_capitals
from worker.matching.tree import TEXT_FIELDS
from worker.model import Field

Numbers = NDArray[np.uint32]

QUALIFIED: Final = frozenset({Field.TITLE, Field.AUTHOR, Field.SECTION, Field.TAG, Field.SOURCE, Field.LANG})
"""Fields of which it is known which words they have; URLs are left out, whose words are mostly unique."""

MAX_KEY: Final = 64
"""Longer keys are cut: no language's word, and PostgreSQL cannot index what is longer than a third of a page."""

MAX_TERMS: Final = 20_000
"""An article with more is read anew whenever it is asked about; a body of random letters fills no vocabulary."""

_STORED: Final = np.dtype("<u4")


def stored_key(key: str, field: Field | None = None, *, in_capitals: bool = False) -> str:
    """Return what a word is stored as, in any of the text fields or in one field of `QUALIFIED`.

    >>> stored_key("korea"), stored_key("us", Field.TITLE, in_capitals=True)
    ('korea', 'title:^us')
    """
    marked = f"^{key[:MAX_KEY]}" if in_capitals else key[:MAX_KEY]
    return f"{field}:{marked}" if field else marked


def stored_stem(form: str, language: str) -> str:
    """Return what the inflections of a word are found under, in a language that has a stemmer."""
    return (stem(form, language) or form)[:MAX_KEY]


def terms_of(article: AnalysedArticle) -> frozenset[str] | None:
    """Return the terms of an article, None if they are too many.

    >>> from worker.matching.analyser import ArticleText, analyse
    >>> sorted(terms_of(analyse(ArticleText(title="UN in Korea", body="북한이", lang="en"))))
    ['^un', 'in', 'korea', 'lang:en', 'title:^un', 'title:in', 'title:korea', 'title:un', 'un', '북한', '북한이']
    """
    found: set[str] = set()
    for name, field in article.fields.items():
        keys = {key[:MAX_KEY] for key in field.positions}
        keys.update(f"^{key[:MAX_KEY]}" for surface, key in _shouted(field) if is_capitals(surface, key))
        if name in TEXT_FIELDS:
            found |= keys
        if name in QUALIFIED:
            found.update(f"{name}:{key}" for key in keys)
    return frozenset(found) if len(found) <= MAX_TERMS else None


def _shouted(field: AnalysedField) -> Iterator[tuple[str, str]]:
    words = zip(field.words.surfaces, field.words.keys, strict=True)
    return ((surface, key) for surface, key in words if surface.isupper())


def forms_of(article: AnalysedArticle) -> frozenset[tuple[str, str]]:
    """Return the forms that the words of an article's text have, in lower case, each with what it is stored as.

    Forms are what `inflection.stem` takes: marks matter to it, so that one key may have several.

    >>> from worker.matching.analyser import ArticleText, analyse
    >>> sorted(forms_of(analyse(ArticleText(title="Résumé, resume"))))
    [('resume', 'resume'), ('résumé', 'resume')]
    """
    pairs: set[tuple[str, str]] = set()
    for name in TEXT_FIELDS:
        if field := article.fields.get(name):
            pairs.update(zip(field.words.surfaces, field.words.keys, strict=True))
    return frozenset((surface.lower(), key[:MAX_KEY]) for surface, key in pairs)


def pack(numbers: Iterable[int]) -> bytes:
    """Write distinct term numbers as they are stored: ascending, four bytes each, the lowest first.

    >>> pack([258, 1]).hex()
    '0100000002010000'
    """
    return np.sort(np.fromiter(numbers, dtype=_STORED)).tobytes()


def unpack(stored: Iterable[bytes]) -> tuple[Numbers, NDArray[np.int64]]:
    """Read many articles' terms: all their numbers in a row, and how many each article has.

    >>> numbers, counts = unpack([pack([258, 1]), b""])
    >>> numbers.tolist(), counts.tolist()
    ([1, 258], [2, 0])
    """
    blobs = list(stored)
    counts = np.fromiter((len(blob) for blob in blobs), dtype=np.int64, count=len(blobs)) // _STORED.itemsize
    return np.frombuffer(b"".join(blobs), dtype=_STORED), counts
