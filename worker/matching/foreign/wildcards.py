"""What a word with wildcards inside it can be written as, in a language that knows only prefixes.

Decides the spellings that stand for `organi?ation` or `wom?n`, and when the word's beginning must do. Pure; `building`
calls it.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from worker.matching.foreign.draft import Effect

_WILD: Final = re.compile(r"[*?]+")
_VOWELS: Final = "aeiouy"


class Spelled(NamedTuple):
    """The spellings, any of which will do; what the query finds by them, and why that is not quite the same."""

    spellings: tuple[str, ...]
    effect: Effect = Effect.SAME
    says: str = ""


def spell(word: str) -> Spelled:
    """Write a word without wildcards inside. None are left when it does not even begin with a letter or digit.

    >>> spell("organi?ation").spellings, spell("colo*r").spellings, spell("*ism").spellings
    (('organisation', 'organization'), ('colo*',), ())
    """
    wild = _WILD.search(word)
    if wild is None or (wild.end() == len(word) and wild[0] == "*" and wild.start()):
        return Spelled((word,))
    before, after = word[: wild.start()], word[wild.end() :]
    if not before:
        return Spelled((), Effect.LESS, "no word can begin with a wildcard here")
    if wild[0] == "?" and after.isalpha() and before.isalpha():
        letters = _letters(before[-1].lower(), after[0].lower())
        if letters:
            says = f"a ? stands for {', '.join(letters)} here"
            return Spelled(tuple(f"{before}{letter}{after}" for letter in letters), Effect.LESS, says)
    return Spelled((f"{before}*",), Effect.MORE, f"every word that begins with {before}")


def _letters(before: str, after: str) -> str:
    """Return the letters that a `?` means between two others: those that spellings and plurals differ in."""
    if before in "iy" and after in _VOWELS:
        return "sz"
    if before not in _VOWELS and after not in _VOWELS:
        return _VOWELS
    return ""
