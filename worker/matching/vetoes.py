"""Proposes words that keep stories like one out of a query, and writes the query that leaves them out.

Decides which words of a story's title tell it from what the query asks for. Pure; `run_vetoes` counts what each costs.
"""

from __future__ import annotations

from typing import Final

from worker.errors import QueryError
from worker.matching.analyser import ArticleText, Token, analyse
from worker.matching.canonical import canonical
from worker.matching.characters import is_han_or_kana
from worker.matching.evaluate import holds
from worker.matching.hangul import is_hangul, stems
from worker.matching.lexer import is_reserved
from worker.matching.query import Node, Phrase, Prefix, Term, parse
from worker.matching.stopwords import STOP_WORDS
from worker.matching.tree import leaves
from worker.model import Field

MOST_WORDS: Final = 8
_LEAST_LETTERS: Final = 3
_MOST_CAPITALS: Final = 3  # an acronym: US, NATO is found by its capitals already


def words_to_leave_out(title: str, query: Node) -> tuple[str, ...]:
    """Return the words of a title that a veto may name, as a query would write them, in the title's order.

    Words that the query names are not among them, nor are those that say nothing. The query's
    topics are resolved.

    >>> words_to_leave_out("The new Akita quake film opens in U.K. cinemas", parse("quake akita"))
    ('new', 'film', 'opens', 'UK', 'cinemas')
    >>> words_to_leave_out("북한 미사일을 다룬 영화 개봉", parse("북한"))
    ('미사일', '다룬', '영화', '개봉')
    """
    analysed = analyse(ArticleText(title=title))
    field = analysed.fields.get(Field.TITLE)
    if field is None:
        return ()
    named = _Named(query)
    found: dict[str, None] = {}
    for token in field.tokens():
        word = _written(token)
        if word and not named.has(token.key) and holds(parse(word), analysed):
            found[word] = None
    return tuple(found)[:MOST_WORDS]


def leaving_out(query: str, word: str) -> str:
    """Return the query that leaves a word out, with brackets where it needs them. Raises `QueryError`.

    >>> leaving_out("quake akita", "film"), leaving_out("quake | akita", "film")
    ('quake akita NOT film', '(quake | akita) NOT film')
    """
    sure = f"({query}) NOT {word}"
    meaning = canonical(parse(sure))
    short = f"{query} NOT {word}"
    try:
        return short if canonical(parse(short)) == meaning else sure
    except QueryError:
        return sure


class _Named:
    """The words that a query names, asked for or left out."""

    def __init__(self, query: Node) -> None:
        self._keys: set[str] = set()
        self._stems: list[str] = []
        for leaf in leaves(query):
            match leaf:
                case Term():
                    self._keys.add(leaf.word.key)
                case Prefix():
                    self._stems.append(leaf.stem)
                case Phrase():
                    self._keys.update(word.key for word in leaf.words)
                    self._stems += [leaf.stem] if leaf.stem else []

    def has(self, key: str) -> bool:
        """Tell whether a title's word is one of them."""
        keys = {key, *stems(key)} if is_hangul(key) else {key}
        return not self._keys.isdisjoint(keys) or any(one.startswith(stem) for one in keys for stem in self._stems)


def _written(token: Token) -> str:
    """Return a title's word as a query has it, "" for one that is not worth a veto."""
    key = token.key
    if key in STOP_WORDS or not any(map(str.isalpha, key)):
        return ""
    if is_hangul(key):
        shorter = next(iter(stems(key)), key)
        return "" if shorter in STOP_WORDS or len(shorter) < 2 else shorter  # one syllable is no word
    if is_han_or_kana(key[0]):
        return ""  # written without spaces: a sign alone is no word
    letters = "".join(filter(str.isalpha, token.surface))
    if letters.isupper() and 1 < len(letters) <= _MOST_CAPITALS:
        return f'"{key.upper()}"' if is_reserved(key.upper()) else key.upper()
    if len(key) < _LEAST_LETTERS:
        return ""
    return f'"{key}"' if is_reserved(key) or not key.isalnum() else key
