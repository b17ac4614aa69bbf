"""The words that invented articles and queries are made of, with how frequent they are.

Real English frequencies for the benchmark, from the package `wordfreq`, which `make bench-matching` alone installs; a
small invented language for the tests of the benchmark itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice, product
from typing import Final

_SIZE: Final = 120_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Vocabulary:
    """Words of small ASCII letters, most frequent first; `frequencies` need not sum to anything."""

    words: Sequence[str]
    frequencies: Sequence[float]


def english() -> Vocabulary:
    """Return the most frequent English words, as `wordfreq` counted them."""
    from wordfreq import iter_wordlist, word_frequency

    usable = (word for word in iter_wordlist("en", "large") if _is_usable(word))
    words = tuple(islice(usable, _SIZE))
    return Vocabulary(words=words, frequencies=[word_frequency(word, "en", "large") for word in words])


def invented(size: int) -> Vocabulary:
    """Return words of made-up syllables, for tests, two and four in turn; they get rarer as those of a language do.

    >>> invented(4).words
    ('baba', 'babababa', 'babe', 'babababe')
    """
    syllables = [consonant + vowel for consonant, vowel in product("bdfgklmnprst", "aeiou")]
    pairs = zip(product(syllables, repeat=2), product(syllables, repeat=4), strict=False)
    words = tuple("".join(word) for word in islice(chain.from_iterable(pairs), size))
    return Vocabulary(words=words, frequencies=[1 / (rank + 3) for rank in range(size)])


def _is_usable(word: str) -> bool:
    return word.isascii() and word.isalpha() and (len(word) > 1 or word in "ai")
