"""What an item is looked for by, and whether its source may have told it before under another key or place.

Pure. `run_together` asks the store once for the marks of many items; what may be known is looked at by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from worker.intake.canonical import canonical_url
from worker.intake.fingerprint import Fingerprint, fingerprint_of, wording_of
from worker.intake.told import Told
from worker.intake.wordings import Wordings


@dataclass(frozen=True, kw_only=True, slots=True)
class Marked:
    """An item with its marks, which are worked out before a transaction begins. `address` is canonical, may be ""."""

    told: Told
    address: str
    fingerprint: Fingerprint


def marked(told: Told, wordings: Wordings) -> Marked:
    """Work out an item's marks; its wording is remembered for the moment when it is compared with others."""
    found = wording_of(told.article)
    wordings.keep(found)
    return Marked(told=told, address=canonical_url(told.article.url), fingerprint=fingerprint_of(found))


class Marks:
    """The keys, places and, of articles without an address, titles of a source. Grows as items are stored."""

    def __init__(self, *, keys: Iterable[str], addresses: Iterable[str], titles: Iterable[str]) -> None:
        self._keys, self._titles = set(keys), set(titles)
        self._places = {_place(one) for one in addresses}

    def is_plainly_new(self, one: Marked) -> bool:
        """Tell whether nothing is stored of its source that the item may be another telling of."""
        if one.told.key in self._keys:
            return False
        if one.address:
            return _place(one.address) not in self._places
        return one.told.article.title not in self._titles

    def add(self, one: Marked) -> None:
        """Note that an item is stored now."""
        self._keys.add(one.told.key)
        if one.address:
            self._places.add(_place(one.address))
        else:
            self._titles.add(one.told.article.title)


def _place(address: str) -> str:
    return address.partition("://")[2]
