"""What the kernels know of Unicode: the class and the fold of every code point, and short closed lists, as arrays.

Decides nothing: `characters`, `folding`, `words` and `hangul` say what the arrays repeat, and a test compares every
code point. Worked out once a process, in about 0.2 s.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from worker.matching.characters import ANY_MARK, HAN_OR_KANA, HANGUL, KANA_VOICING
from worker.matching.folding import fold_all
from worker.matching.hangul import PARTICLES
from worker.matching.words import ELISIONS, VOWELS

Array: TypeAlias = npt.NDArray[Any]

CODES: Final = 0x34000
"""Code points from here on are never part of a word; the table ends before them."""

ALNUM: Final = 1
DIGIT: Final = 2
IS_HANGUL: Final = 4
IS_HAN_OR_KANA: Final = 8
MARK: Final = 16
SPACE: Final = 32
VOICING: Final = 64
UPPER: Final = 128
CASED: Final = 256  # lower or title case
ALPHA: Final = 512
LINE: Final = 1024
SYLLABLE: Final = 2048  # a whole Hangul syllable: a particle can only follow one

MAX_PARTICLE: Final = 4
FIRST_SYLLABLE: Final = 0xAC00
BITS_A_SYLLABLE: Final = 14  # there are 11,172


class Tables(NamedTuple):
    """Arrays by code point, and packed lists.

    `fold` is the folded code point, 0 for nothing, or ~i where the fold is the run of `more` that begins at i with its
    length. `particles` and `elisions` are packed, as `pack_syllables` and ASCII at 8 bits a letter.
    """

    classes: Array
    fold: Array
    more: Array
    particles: Array
    elisions: Array
    vowels: Array


@cache
def tables() -> Tables:
    """Return this process's tables."""
    characters = [chr(code) for code in range(CODES)]
    fold, more = _folds(characters)
    return Tables(
        classes=_classes(characters),
        fold=fold,
        more=more,
        particles=np.array(sorted(map(pack_syllables, PARTICLES)), np.int64),
        elisions=np.array(sorted(int.from_bytes(word.encode(), "big") for word in ELISIONS), np.int64),
        vowels=np.array([ord(vowel) for vowel in VOWELS], np.uint32),
    )


def pack_syllables(particle: str) -> int:
    """Write up to four Hangul syllables as one number, the last one lowest."""
    return sum(
        (ord(syllable) - FIRST_SYLLABLE + 1) << BITS_A_SYLLABLE * place for place, syllable in enumerate(particle[::-1])
    )


def _classes(characters: list[str]) -> Array:
    text = "".join(characters)
    classes = np.zeros(CODES, np.uint16)
    for bit, pattern in (
        (ALNUM, r"[^\W_]+"),
        (DIGIT, r"\d+"),
        (IS_HANGUL, f"[{HANGUL}]+"),
        (IS_HAN_OR_KANA, f"[{HAN_OR_KANA}]+"),
        (MARK, f"[{ANY_MARK}]+"),
        (SPACE, r"\s+"),
        (VOICING, f"[{KANA_VOICING}]+"),
        (LINE, r"[\n\r\x85\u2028]+"),
        (SYLLABLE, "[\uac00-\ud7a3]+"),
    ):
        for run in re.finditer(pattern, text):
            classes[run.start() : run.end()] |= bit
    for bit, holds in ((UPPER, str.isupper), (CASED, _is_lower_or_title), (ALPHA, str.isalpha)):
        classes[np.fromiter(map(holds, characters), np.bool_, CODES)] |= bit
    return classes


def _is_lower_or_title(character: str) -> bool:
    return character.islower() or (character.istitle() and not character.isupper())


def _folds(characters: Iterable[str]) -> tuple[Array, Array]:
    fold = np.arange(CODES, dtype=np.int32)
    more: list[int] = [0]  # ~0 would be -1; a run never begins at 0
    folded = fold_all("\0".join(characters)[2:]).split("\0")  # without the NUL itself, which is its own fold
    for code, result in enumerate(folded, start=1):
        if len(result) == 1:
            fold[code] = ord(result)
        elif not result:
            fold[code] = 0
        else:
            fold[code] = ~len(more)
            more.extend([len(result), *map(ord, result)])
    return fold, np.array(more, np.int32)
