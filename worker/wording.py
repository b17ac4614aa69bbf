"""How much wording two texts share, and whether that makes one a copy of the other.

Decides what counts as a word and a piece of wording, and from which share on two texts are one copy. Never looks
anything up. Pure: strings in, numbers out. Intake judges incoming articles by it, matching the files of
`tocsin stories`; so a copy is the same thing in both.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from worker.sameness import BANDS, MIN_CONTAINMENT, MIN_JACCARD, MIN_WORDS, SHINGLE_WORDS

_HAN_OR_KANA: Final = "\u3041-\u3096\u30a1-\u30fa\u30fc\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_WORD: Final = re.compile(rf"[{_HAN_OR_KANA}]|[^\W_{_HAN_OR_KANA}]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Overlap:
    """How much wording two texts share: of the first one's, and of both together."""

    containment: float
    jaccard: float


def words(text: str) -> tuple[str, ...]:
    """Split text into words as copying is judged by: case, marks of punctuation and widths aside.

    Where words are not spaced (Han, Kana) every character is one.

    >>> words("Seoul’s U.N. vote: 北京 said")
    ('seoul', 's', 'u', 'n', 'vote', '北', '京', 'said')
    """
    return tuple(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


def wording(*, title: str, summary: str, body: str) -> tuple[str, ...]:
    """Return the words that copies have in common: the body's, or the summary's; of a short article, all there are.

    The title is left out where it can be: every desk writes its own.
    """
    for text in (body, summary):
        found = words(text)
        if len(found) >= MIN_WORDS:
            return found
    return words(f"{title}\n{summary}\n{body}")


def shingles(found: tuple[str, ...]) -> frozenset[int]:
    """Hash every three words in a row to a signed 64-bit integer; fewer than three words are one shingle.

    >>> len(shingles(("a", "b", "c", "d"))), shingles(()) == frozenset()
    (2, True)
    """
    in_a_row = (found[start:] for start in range(SHINGLE_WORDS))
    pieces = zip(*in_a_row, strict=False) if len(found) >= SHINGLE_WORDS else [found] if found else []
    return frozenset(map(_hash64, map(" ".join, pieces)))


def bands(found: tuple[str, ...]) -> tuple[int, ...]:
    """Return the keys that a text's copies share, unique and ascending; none for fewer than `MIN_WORDS` words.

    The smallest of its shingles: a MinHash with one hash function ("bottom-k", Broder 1997). They, unlike bands of many
    permutations, also find a short text inside a long one.
    """
    return tuple(sorted(shingles(found))[:BANDS]) if len(found) >= MIN_WORDS else ()


def overlap(first: frozenset[int], second: frozenset[int]) -> Overlap:
    """Measure how much wording two texts share.

    >>> overlap(frozenset({1, 2}), frozenset({1, 2, 3, 4}))
    Overlap(containment=1.0, jaccard=0.5)
    """
    shared = len(first & second)
    if not shared:
        return Overlap(containment=0.0, jaccard=0.0)
    return Overlap(containment=shared / len(first), jaccard=shared / len(first | second))


def is_copy(shared: Overlap) -> bool:
    """Tell whether the first text is a copy of the second, or both are of a third; for texts of `MIN_WORDS` words."""
    return shared.containment >= MIN_CONTAINMENT or shared.jaccard >= MIN_JACCARD


def _hash64(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)
