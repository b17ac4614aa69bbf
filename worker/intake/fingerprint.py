"""What an article's wording looks like to an index: an exact hash, and keys that copies share.

Pure. The hashing is our own few lines in `worker.wording` because stored keys must still mean the same after a
library's next release. `decide` compares the candidates in full, by `Wording`, which is stored nowhere.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from worker import wording
from worker.model import ParsedArticle
from worker.sameness import MIN_WORDS


@dataclass(frozen=True, kw_only=True, slots=True)
class Wording:
    """A wording as two are compared. `exact` is its hash, never empty; `words` is how many there are.

    `pieces` are every three words in a row, hashed as this process alone does: ten times as fast as what is stored.
    Texts of fewer than `sameness.MIN_WORDS` words have none: they are only compared exactly.
    """

    exact: str
    words: int
    pieces: frozenset[int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Fingerprint:
    """`exact` is a hash of the wording, never empty. `bands` are signed 64-bit keys, unique, ascending.

    Texts of fewer than `sameness.MIN_WORDS` words have no bands: they are only compared exactly.
    """

    exact: str
    bands: tuple[int, ...]


def wording_of(article: ParsedArticle) -> tuple[str, ...]:
    """Return the words that the article's copies have in common with it."""
    return wording.wording(title=article.title, summary=article.summary, body=article.body)


def fingerprint(article: ParsedArticle) -> Fingerprint:
    """Return what the store indexes to find this article's copies.

    >>> fingerprint(ParsedArticle(title="Quake")).bands
    ()
    """
    return fingerprint_of(wording_of(article))


def fingerprint_of(found: tuple[str, ...]) -> Fingerprint:
    """Return the fingerprint of a wording.

    >>> fingerprint_of(("quake",)) == fingerprint(ParsedArticle(title="Quake"))
    True
    """
    return Fingerprint(exact=exact_hash(found), bands=wording.bands(found))


def compared(found: tuple[str, ...]) -> Wording:
    """Return a wording as it is compared with others.

    >>> len(compared(tuple("abcdef" * 8)).pieces)
    6
    """
    pieces = map(hash, zip(found, found[1:], found[2:], strict=False)) if len(found) >= MIN_WORDS else ()
    return Wording(exact=exact_hash(found), words=len(found), pieces=frozenset(pieces))


def exact_hash(found: tuple[str, ...]) -> str:
    """Return the hash of a wording.

    >>> exact_hash(("quake",)) == fingerprint(ParsedArticle(title="Quake")).exact
    True
    """
    return hashlib.blake2b(" ".join(found).encode(), digest_size=16).hexdigest()
