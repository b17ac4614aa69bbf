"""Reads an article once, so that any number of queries can be asked about it.

Decides which fields there are, which words stand in them and which query words each of them answers to. Knows no query.
Pure; `run`, the CLI and the tests call `analyse`, the engine and `evaluate` read what it returns.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from worker.matching.hangul import is_hangul, stems
from worker.matching.words import Words, words
from worker.model import Field

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


@dataclass(frozen=True, kw_only=True, slots=True)
class AnalysedField:
    """One field's words, and where each key is answered.

    `positions` are ascending; a Hangul word answers to its stems too. `text` is the original that offsets count in; of
    tags, all of them, joined by `TAG_SEPARATOR`.
    """

    text: str
    words: Words
    positions: Mapping[str, Sequence[int]]

    def paragraph(self, position: int) -> int:
        """Return which paragraph a word stands in, counted from 0."""
        return bisect_right(self.words.paragraphs, position) - 1

    def tokens(self) -> Iterator[Token]:
        """Go through the words one by one; for people and tests, since matching reads the columns."""
        columns = zip(self.words.keys, self.words.surfaces, self.words.starts, self.words.ends, strict=True)
        for position, (key, surface, start, end) in enumerate(columns):
            paragraph = self.paragraph(position)
            yield Token(key=key, surface=surface, start=start, end=end, position=position, paragraph=paragraph)


@dataclass(frozen=True, kw_only=True, slots=True)
class AnalysedArticle:
    """An article that queries can be asked about. Only fields that have words are in `fields`, in `Field`'s order."""

    fields: Mapping[Field, AnalysedField]


def analyse(article: ArticleText) -> AnalysedArticle:
    """Read all fields of an article; linear in its length, and nothing in a text makes it fail.

    >>> analysed = analyse(ArticleText(title="U.S. and Korea’s envoys", body="북한이 밝혔다"))
    >>> [token.key for token in analysed.fields[Field.TITLE].tokens()]
    ['us', 'and', 'korea', 'envoys']
    >>> sorted(analysed.fields[Field.BODY].positions)
    ['밝혔다', '북한', '북한이']
    """
    texts = {
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
    fields = {field: _analyse_field(text) for field, text in texts.items() if text}
    return AnalysedArticle(
        fields=MappingProxyType({field: known for field, known in fields.items() if known.positions})
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
