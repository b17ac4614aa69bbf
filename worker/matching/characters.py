"""Which characters make up words: the classes that the analyser's regular expressions are made of.

Decides which characters count as letters of which kind, as marks, or as nothing at all. Never looks at a text. Python's
`re` knows no Unicode properties, so the classes are worked out once, at import. `folding` and `analyser` use them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from itertools import chain
from typing import Final


def character_class(codes: Iterable[int]) -> str:
    r"""Write code points, in ascending order, as the inside of a regular expression's `[...]`.

    >>> character_class([0x61, 0x62, 0x63, 0x7A]) == r"\U00000061-\U00000063\U0000007a-\U0000007a"
    True
    """
    runs: list[list[int]] = []
    for code in codes:
        if runs and code == runs[-1][1] + 1:
            runs[-1][1] = code
        else:
            runs.append([code, code])
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in runs)


def _marks(*blocks: tuple[int, int]) -> Iterable[int]:
    codes = chain.from_iterable(range(first, last + 1) for first, last in blocks)
    return (code for code in codes if unicodedata.category(chr(code))[0] == "M")


ANY_MARK: Final = character_class(_marks((0, 0x1FFFF)))
"""Every combining mark that can stand inside a word: accents, Indic vowel signs, kana voicing marks."""

REMOVED_MARK: Final = character_class(
    _marks(
        (0x0300, 0x0344),  # Latin, Greek, Cyrillic; U+0345 is an iota, which folding turns into a letter
        (0x0346, 0x036F),
        (0x0483, 0x0489),  # Cyrillic
        (0x0590, 0x05FF),  # Hebrew points
        (0x0600, 0x06FF),  # Arabic vowel signs
        (0x0890, 0x08FF),
        (0x1AB0, 0x1AFF),
        (0x1DC0, 0x1DFF),
        (0x20D0, 0x20FF),  # also the keycap of 1️⃣
        (0x2DE0, 0x2DFF),  # Cyrillic
        (0xA66F, 0xA69F),
        (0xFB1E, 0xFB1E),  # Hebrew
        (0xFE20, 0xFE2F),
    )
)
"""The marks of Latin, Greek, Cyrillic, Arabic and Hebrew, which a key does without. All others stay."""

IGNORED: Final = (
    "\u00ad\u034f\u061c\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\U000e0000-\U000e0fff"
    "\u0640"  # the Arabic tatweel only stretches a word
)
"""Soft hyphens, zero-width characters, directions and variants: dropped wherever they stand."""

HAN_OR_KANA: Final = (
    "\u3005-\u3007\u3021-\u3029\u3038-\u303b\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd"
    "\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\U0001aff0-\U0001b16f"
)
"""Each of these is a word of its own."""

KANA_VOICING: Final = "\u3099\u309a"
"""Where no composed character exists, the mark stays behind its kana, in the same word."""

HANGUL: Final = "\uac00-\ud7a3\u1100-\u11ff\u3131-\u318e\ua960-\ua97f\ud7b0-\ud7ff"
"""Syllables and their parts. A change between these and anything else separates words."""

_HAN_OR_KANA_FIRST = re.compile(f"[{HAN_OR_KANA}]")


def is_han_or_kana(key: str) -> bool:
    """Tell whether a key is one Han or Kana character.

    >>> is_han_or_kana("北"), is_han_or_kana("북")
    (True, False)
    """
    return _HAN_OR_KANA_FIRST.match(key) is not None
