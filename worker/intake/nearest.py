"""Which articles share marks with one, those that share most first: the likely ones to be what it is a copy of.

Pure. `run_together` hands in what is stored, and each item as it is taken in.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from worker.intake.marks import Marked
from worker.model import ArticleId

Near = tuple[int, ArticleId]
"""How many bands an article shares, below zero, and its number: the least is the nearest, of equals the first."""


class Kin:
    """Articles by their marks: pairs of a band, a wording's hash or a canonical address, and the article."""

    def __init__(
        self,
        *,
        bands: Iterable[tuple[int, ArticleId]] = (),
        hashes: Iterable[tuple[str, ArticleId]] = (),
        addresses: Iterable[tuple[str, ArticleId]] = (),
    ) -> None:
        self._by_band: defaultdict[int, list[ArticleId]] = defaultdict(list)
        self._by_word: defaultdict[str, list[ArticleId]] = defaultdict(list)
        for band, number in bands:
            self._by_band[band].append(number)
        for some in (hashes, addresses):
            for word, number in some:
                self._by_word[word].append(number)

    def add(self, one: Marked, number: ArticleId) -> None:
        """Add an article."""
        for band in one.fingerprint.bands:
            self._by_band[band].append(number)
        for word in _words(one):
            self._by_word[word].append(number)

    def nearest(self, one: Marked, most: int) -> list[Near]:
        """Return those that share a mark with an item, the nearest first; `most` of them."""
        shared: Counter[ArticleId] = Counter()
        for band in one.fingerprint.bands:
            if band in self._by_band:
                shared.update(self._by_band[band])
        for word in _words(one):
            for number in self._by_word.get(word, ()):
                shared.setdefault(number, 0)
        alike: defaultdict[int, list[ArticleId]] = defaultdict(list)
        for number, count in shared.items():
            alike[count].append(number)
        found: list[Near] = []
        for count in sorted(alike, reverse=True):  # many share one, and few of these are ever asked for
            found += [(-count, number) for number in sorted(alike[count])[: most - len(found)]]
            if len(found) >= most:
                break
        return found


def _words(one: Marked) -> tuple[str, ...]:
    """Return an item's marks that are words: a hash is never an address."""
    return (one.fingerprint.exact, one.address) if one.address else (one.fingerprint.exact,)
