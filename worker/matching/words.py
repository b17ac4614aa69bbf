"""Where words begin and end, in an article and in a query alike.

Decides what one word is: acronyms with dots, possessives, elisions, numbers, Han and Kana, Hangul beside Latin. Two
passes: a regular expression finds the words of alphabetic scripts; what is more than plain ASCII letters is looked at
once more. Both are linear. Pure; `analyser` and `leaves` call it, so that a query and a text can never disagree.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

from worker.matching.characters import ANY_MARK, HAN_OR_KANA, HANGUL, KANA_VOICING
from worker.matching.folding import Normalised, fold, normalise

_CJK = f"{HANGUL}{HAN_OR_KANA}"
_LETTER = rf"(?![{_CJK}])[^\W\d_]"
_WORD_GOES_ON = rf"(?![{_CJK}_])\w"
_SPACE = r"(?:\r\n|[^\S\u2029])"

_ACRONYM = rf"{_LETTER}(?:(?:\.{_LETTER}(?!{_WORD_GOES_ON}))+\.?|\.(?:{_SPACE}{_LETTER}\.(?!{_WORD_GOES_ON}))+)"
"""`U.S.`, `U.S`, `D.P.R.K.`, `a.m.`; or `U. S.`, spaced throughout: in "Plan B. U.S. troops" the B stays alone.

Not possessive, though nothing after them can fail: before 3.11.5, CPython lets what a possessive group's last, vain try
has read stand as matched (its issue 106052), and Debian 12 has 3.11.2.
"""

_POSSESSIVE = rf"'[sS](?![^\W_]|['{ANY_MARK}])"
"""The `'s` of "“Korea”'s", which hangs on no word; the one of "Korea's" is cut off in the second pass."""

_FRENCH: Final = "c d j l m n s t qu jusqu lorsqu puisqu quoiqu"
_ITALIAN: Final = "un all dall dell nell sull"
ELISIONS: Final = frozenset(f"{_FRENCH} {_ITALIAN}".split())
VOWELS: Final = "aeiouyhœæ"
_ELIDED = rf"(?i:{'|'.join(sorted(ELISIONS))})(?='[{VOWELS}{VOWELS.upper()}])"
"""Short forms before a vowel: l'Ukraine is found under Ukraine; O'Brien and don't stay one word."""

_PLAIN = rf"[^\W_]++(?:[^\W_]++|'(?=[^\W_])|(?<=\d)[.,](?=\d)|[{ANY_MARK}]++)*+"
"""Letters, digits and marks; an apostrophe between letters; a dot or comma between digits (3.5, 1,000)."""

_COMMON = r"[^\W_]++(?=[ \n])|[^\W_]{2,}+(?=[.,] )"
"""What most words look like: nothing after them that could belong to them. Three times as fast as without."""

_WORD = re.compile(rf"(?=[^\W_])(?:{_COMMON}|({_ACRONYM})|{_ELIDED}|{_PLAIN})|({_POSSESSIVE})")
_IS_ACRONYM, _IS_POSSESSIVE = 1, 2

_CJK_OR_NOT = re.compile(rf"[{HANGUL}]+|[{HAN_OR_KANA}][{KANA_VOICING}]?|[^\W_][^{_CJK}]*")
_BLANK_LINE = re.compile(r"(?>\r\n|[\n\r\x85\u2028])[^\S\n\r\x85\u2028\u2029]*+[\n\r\x85\u2028]|\u2029")
_NO_LETTER = re.compile(r"[.\s]+")
_MAX_CACHED = 64


_Part: TypeAlias = tuple[str, str, int]  # surface, key, offset


class Words(NamedTuple):
    """The words of a text in reading order, as columns: a word's index is its position.

    A surface is the word in NFKC, case and marks kept; a key is its folded form. `starts` and `ends` count code points
    of the original text. `paragraphs` holds the position of each paragraph's first word, ascending, from 0.
    """

    surfaces: Sequence[str]
    keys: Sequence[str]
    starts: Sequence[int]
    ends: Sequence[int]
    paragraphs: Sequence[int]


def words(text: str) -> Words:
    """Read a text of any length and content into words, in linear time.

    >>> words("N. Korea’s U.S. envoy").keys
    ['n', 'korea', 'us', 'envoy']
    >>> words("북한이 G7에 3.5배").keys
    ['북한이', 'g7', '에', '3.5', '배']
    """
    normalised = normalise(text)
    surfaces: list[str] = []
    keys: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for match in _WORD.finditer(normalised.text):
        surface, kind, start = match[0], match.lastindex, match.start()
        if kind is None and not (surface.isascii() and surface.isalnum()):
            for part, key, offset in _parts(surface):
                surfaces.append(part)
                keys.append(key)
                starts.append(start + offset)
                ends.append(start + offset + len(part))
        elif kind != _IS_POSSESSIVE:
            surfaces.append(surface)
            keys.append(fold(_NO_LETTER.sub("", surface)) if kind == _IS_ACRONYM else surface.lower())
            starts.append(start)
            ends.append(match.end())
    paragraphs = {bisect_left(starts, blank.start()) for blank in _BLANK_LINE.finditer(normalised.text)}
    return Words(surfaces, keys, *_original(normalised, starts, ends), sorted({0, *paragraphs}))


def _original(normalised: Normalised, starts: list[int], ends: list[int]) -> tuple[list[int], list[int]]:
    if normalised.starts is None or normalised.ends is None:
        return starts, ends
    first, last = normalised.starts, normalised.ends
    return [first[start] for start in starts], [last[end - 1] for end in ends]


def _parts(word: str) -> Sequence[_Part]:
    return _cached_parts(word) if len(word) <= _MAX_CACHED else tuple(_cut(word))


@lru_cache(maxsize=65536)
def _cached_parts(word: str) -> Sequence[_Part]:
    return tuple(_cut(word))


def _cut(word: str) -> Iterator[_Part]:
    """Cut where Han, Kana or Hangul meet anything else, and at apostrophes that do not belong to the word."""
    for match in _CJK_OR_NOT.finditer(word):
        for part, offset in _cut_apostrophes(match[0]):
            yield part, fold(part), match.start() + offset


def _cut_apostrophes(word: str) -> Iterator[tuple[str, int]]:
    """Take possessives off the end and an elision off the beginning, whatever accents they are written with."""
    parts = word.rstrip("'").split("'")
    while len(parts) > 1 and fold(parts[-1]) == "s":
        parts.pop()
    if len(parts) > 1 and fold(parts[0]) in ELISIONS and fold(parts[1])[0] in VOWELS:
        yield parts[0], 0
        yield "'".join(parts[1:]), len(parts[0]) + 1
    else:
        yield "'".join(parts), 0
