"""Makes words, phrases and prefixes of a query out of their text.

Decides the case rule: what in capitals means an acronym, and what only means that somebody likes capitals. Reads the
text with the very `words` that articles are read with. Pure; `parser` and `foreign.building` call it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final, NamedTuple

from worker.errors import QueryError
from worker.matching.characters import is_han_or_kana
from worker.matching.hangul import is_hangul
from worker.matching.tree import Case, Leaf, Phrase, Prefix, Term, Word
from worker.matching.words import Words, words
from worker.model import Field

_MIN_PREFIX: Final = 3
_PLAIN: Final = re.compile("[A-Za-z0-9]+")  # one word to `words`, whatever it says


class LeafText(NamedTuple):
    """A word's or phrase's text, without quotes and `=` or `~`; the whole begins at `at`, `text` at `text_at`.

    `case` is what stood before it: `EXACT` for `=`, `INFLECTED` for `~`, `ANY` for nothing.
    """

    text: str
    at: int
    text_at: int
    case: Case = Case.ANY
    scope: Field | None = None
    within: int = 0


def leaf(source: LeafText) -> Leaf:
    """Read a word, a phrase or a prefix. Several words written as one (Kim-Jong, AT&T, 北朝鮮) are a phrase.

    Raises `QueryError` for what has no word in it, for a `*` anywhere but at the end of a word, for short prefixes, and
    for `=` or `~` where they cannot stand.

    >>> leaf(LeafText("U.S.", 0, 0)) == Term(word=Word(key="us", case=Case.CAPITALS))
    True
    """
    if source.case is Case.ANY and _PLAIN.fullmatch(source.text):
        word = _any_or_capitals(source.text, source.text.lower())
        return Term(word=word, scope=source.scope, within=source.within, at=source.at)
    star = source.text.find("*")
    if star >= 0:
        return _prefix(source, words(source.text[:star]), star)
    found = words(source.text)
    if not found.keys:
        raise QueryError(
            f"there is no word in {source.text!r}", offset=source.at, hint="leave it out, or write a word in its place"
        )
    asked = _asked(source, found)
    if len(asked) == 1:
        return Term(word=asked[0], scope=source.scope, within=source.within, at=source.at)
    return Phrase(words=asked, scope=source.scope, within=source.within, at=source.at)


def is_capitals(surface: str, key: str) -> bool:
    """Tell whether a word stands in capitals: every letter that has case, at least two letters.

    >>> is_capitals("U.S.", "us"), is_capitals("G7", "g7"), is_capitals("NGOs", "ngos"), is_capitals("США", "сша")
    (True, False, False, True)
    """
    return surface.isupper() and letters(key) >= 2


def letters(key: str) -> int:
    """Count a key's letters, digits aside."""
    return sum(character.isalpha() for character in key)


def _prefix(source: LeafText, found: Words, star: int) -> Leaf:
    at = source.text_at + star
    if not found.keys or found.ends[-1] != star:
        raise QueryError("there is nothing before this *", offset=at, hint="write the beginning of a word before it")
    if source.text[star + 1 :].strip():
        raise QueryError(
            "a * may only end a word, or a phrase", offset=at, hint='write missil*, or "kim jong*" with the * last'
        )
    if source.case is not Case.ANY:
        sign = "=" if source.case is Case.EXACT else "~"
        raise QueryError(f"{sign} and * do not go together", offset=source.at, hint="leave one of them out")
    stem = found.keys[-1]
    if len(stem) < _min_prefix(stem):
        raise QueryError(
            f"the prefix {stem}* is too short",
            offset=source.text_at + found.starts[-1],
            hint=f"write at least {_MIN_PREFIX} letters before the *, 2 in Hangul",
        )
    if len(found.keys) == 1:
        return Prefix(stem=stem, scope=source.scope, within=source.within, at=source.at)
    asked = _row(found)[:-1]
    return Phrase(words=asked, stem=stem, scope=source.scope, within=source.within, at=source.at)


def _min_prefix(stem: str) -> int:
    if is_han_or_kana(stem):
        return 1
    return 2 if is_hangul(stem) else _MIN_PREFIX


def _asked(source: LeafText, found: Words) -> tuple[Word, ...]:
    match source.case:
        case Case.EXACT:
            pairs = zip(found.keys, found.surfaces, strict=True)
            return tuple(Word(key=key, case=Case.EXACT, surface=surface) for key, surface in pairs)
        case Case.INFLECTED:
            return (_inflected(source, found),)
        case _:
            return _row(found)


def _inflected(source: LeafText, found: Words) -> Word:
    if len(found.keys) > 1:
        raise QueryError(
            "~ goes with one word, and here are several", offset=source.at, hint="write ~missile ~test, or leave ~ out"
        )
    lowered = unicodedata.normalize("NFKC", found.surfaces[0].lower())
    return Word(key=found.keys[0], case=Case.INFLECTED, surface=lowered)


def _row(found: Words) -> tuple[Word, ...]:
    if _is_shouted(found.surfaces):
        return tuple(Word(key=key) for key in found.keys)
    return tuple(map(_any_or_capitals, found.surfaces, found.keys))


def _any_or_capitals(surface: str, key: str) -> Word:
    return Word(key=key, case=Case.CAPITALS) if is_capitals(surface, key) else Word(key=key)


def _is_shouted(surfaces: Sequence[str]) -> bool:
    """Tell whether a phrase is in capitals throughout, and so says nothing about case: "KIM JONG-UN".

    It takes two words with letters: in "US 2024" and COVID-19 the capitals still mean something.
    """
    lettered = [surface for surface in surfaces if any(character.isalpha() for character in surface)]
    return len(lettered) > 1 and all(surface.isupper() for surface in lettered)
