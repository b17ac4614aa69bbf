"""What an article's wording looks like to an index: an exact hash, and keys that copies share.

Pure. The keys are the smallest of the article's shingle hashes: a MinHash with one hash function ("bottom-k", Broder
1997). They, unlike bands of many permutations, also find a short text inside a long one; and they are our own few lines
because stored keys must still mean the same after a library's next release. `decide` compares the candidates in full.
"""

from __future__ import annotations

import hashlib
import heapq
import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from worker.intake.thresholds import BANDS, MIN_WORDS, SHINGLE_WORDS
from worker.model import ParsedArticle

_HAN_OR_KANA: Final = "\u3041-\u3096\u30a1-\u30fa\u30fc\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_WORD: Final = re.compile(rf"[{_HAN_OR_KANA}]|[^\W_{_HAN_OR_KANA}]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Fingerprint:
    """`exact` is a hash of the wording, never empty. `bands` are signed 64-bit keys, unique, ascending.

    Texts of fewer than `MIN_WORDS` words have no bands: they are only compared exactly.
    """

    exact: str
    bands: tuple[int, ...]


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


def wording(article: ParsedArticle) -> tuple[str, ...]:
    """Return the words that copies have in common: the body's, or the summary's; of a short article, all there are.

    The title is left out where it can be: every desk writes its own.
    """
    for text in (article.body, article.summary):
        found = words(text)
        if len(found) >= MIN_WORDS:
            return found
    return words(f"{article.title}\n{article.summary}\n{article.body}")


def shingles(found: tuple[str, ...]) -> frozenset[int]:
    """Hash every three words in a row to a signed 64-bit integer; fewer than three words are one shingle.

    >>> len(shingles(("a", "b", "c", "d"))), shingles(()) == frozenset()
    (2, True)
    """
    count = max(len(found) - SHINGLE_WORDS + 1, 1 if found else 0)
    return frozenset(_hash64(" ".join(found[start : start + SHINGLE_WORDS])) for start in range(count))


def fingerprint(article: ParsedArticle) -> Fingerprint:
    """Return what the store indexes to find this article's copies.

    >>> fingerprint(ParsedArticle(title="Quake")).bands
    ()
    """
    found = wording(article)
    exact = hashlib.blake2b(" ".join(found).encode(), digest_size=16).hexdigest()
    if len(found) < MIN_WORDS:
        return Fingerprint(exact=exact, bands=())
    return Fingerprint(exact=exact, bands=tuple(heapq.nsmallest(BANDS, shingles(found))))


def overlap(first: frozenset[int], second: frozenset[int]) -> Overlap:
    """Measure how much wording two texts share.

    >>> overlap(frozenset({1, 2}), frozenset({1, 2, 3, 4}))
    Overlap(containment=1.0, jaccard=0.5)
    """
    shared = len(first & second)
    if not shared:
        return Overlap(containment=0.0, jaccard=0.0)
    return Overlap(containment=shared / len(first), jaccard=shared / len(first | second))


def _hash64(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)
