"""Reads an article once, so that any number of queries can be asked about it.

Decides which fields there are, which words stand in them and which query words each of them answers to. Knows no query.
Pure; `run`, the CLI and the tests call `analyse`, the engine and `evaluate` read what it returns.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from worker.matching.folding import normalise
from worker.matching.hangul import is_hangul, stems
from worker.matching.words import Words, words
from worker.model import Field

if TYPE_CHECKING:
    from worker.matching.compiled.tables import Array

ANALYSER_VERSION: Final = 1
"""Goes up whenever the same article could come out differently; an index built with another version is of no use."""

TAG_SEPARATOR: Final = "\u2029"  # a paragraph's end, so that no phrase spans two tags


@dataclass(frozen=True, kw_only=True, slots=True)
class ArticleText:
    """What a query can look at. Plain text, as it was published; "" or () where there is none."""

    title: str = ""
    summary: str = ""
    body: str = ""
    author: str = ""
    section: str = ""
    source: str = ""
    lang: str = ""
    url: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """One word of a field. `start` and `end` count code points of the field's original text."""

    key: str
    surface: str
    start: int
    end: int
    position: int
    paragraph: int


@dataclass(frozen=True, kw_only=True)
class AnalysedField:
    """One field's words, and where each key is answered.

    `positions` are ascending; a Hangul word answers to its stems too. `text` is the original that offsets count in; of
    tags, all of them, joined by `TAG_SEPARATOR`.
    """

    text: str
    words: Words
    positions: Mapping[str, Sequence[int]]

    @cached_property
    def keys(self) -> Sequence[str]:
        """Return what is answered, ascending, so that all words with one beginning stand together."""
        return sorted(self.positions)

    def paragraph(self, position: int) -> int:
        """Return which paragraph a word stands in, counted from 0."""
        return bisect_right(self.words.paragraphs, position) - 1

    def tokens(self) -> Iterator[Token]:
        """Go through the words one by one; for people and tests, since matching reads the columns."""
        columns = zip(self.words.keys, self.words.surfaces, self.words.starts, self.words.ends, strict=True)
        for position, (key, surface, start, end) in enumerate(columns):
            paragraph = self.paragraph(position)
            yield Token(key=key, surface=surface, start=start, end=end, position=position, paragraph=paragraph)


class AnalysedArticle:
    """An article that queries can be asked about, by its places or by the compiled engine.

    What either needs is worked out when it is first asked for: most articles are only ever seen by the kernels.
    """

    def __init__(self, texts: Mapping[Field, str]) -> None:
        self._texts = texts

    @cached_property
    def fields(self) -> Mapping[Field, AnalysedField]:
        """Return the fields that have words, in `Field`'s order."""
        fields = {field: _analyse_field(text) for field, text in self._texts.items() if text}
        return MappingProxyType({field: known for field, known in fields.items() if known.positions})

    @cached_property
    def codes(self) -> tuple[Array, Array]:
        """Return the normalised texts of all fields in a row, as code points, and where each begins; the last ends."""
        texts = [text if text.isascii() else normalise(text).text for text in self._texts.values()]
        bounds = np.array([0, *accumulate(map(len, texts))], np.int32)
        joined = "".join(texts)
        if joined.isascii():
            return np.frombuffer(joined.encode("ascii"), np.uint8).astype(np.uint32), bounds
        return np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32).copy(), bounds


def analyse(article: ArticleText) -> AnalysedArticle:
    """Read all fields of an article; linear in its length, and nothing in a text makes it fail.

    >>> analysed = analyse(ArticleText(title="U.S. and Korea’s envoys", body="북한이 밝혔다"))
    >>> [token.key for token in analysed.fields[Field.TITLE].tokens()]
    ['us', 'and', 'korea', 'envoys']
    >>> sorted(analysed.fields[Field.BODY].positions)
    ['밝혔다', '북한', '북한이']
    """
    return AnalysedArticle(
        {
            Field.TITLE: article.title,
            Field.SUMMARY: article.summary,
            Field.BODY: article.body,
            Field.AUTHOR: article.author,
            Field.SECTION: article.section,
            Field.TAG: TAG_SEPARATOR.join(article.tags),
            Field.SOURCE: article.source,
            Field.LANG: article.lang,
            Field.URL: article.url,
        }
    )


def _analyse_field(text: str) -> AnalysedField:
    found = words(text)
    return AnalysedField(text=text, words=found, positions=_positions(found.keys))


def _positions(keys: Sequence[str]) -> dict[str, list[int]]:
    positions: dict[str, list[int]] = {}
    for position, key in enumerate(keys):
        positions.setdefault(key, []).append(position)
    hangul = [(key, tuple(at)) for key, at in positions.items() if is_hangul(key)]
    for key, at in hangul:
        for stem in stems(key):
            positions[stem] = sorted((*positions.get(stem, ()), *at))
    return positions
