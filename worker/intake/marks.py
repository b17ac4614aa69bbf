"""What an item is looked for by, and whether anything stored bears such a mark: if not, there is nothing to look for.

Pure. `run_taking` asks the store once for the marks of many items, and then for the few items only that share one.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from worker.intake.canonical import canonical_url
from worker.intake.fingerprint import Fingerprint, fingerprint
from worker.intake.told import Told


@dataclass(frozen=True, kw_only=True, slots=True)
class Marked:
    """An item with its marks, which are worked out before a transaction begins. `address` is canonical, may be ""."""

    told: Told
    address: str
    fingerprint: Fingerprint


def marked(told: Told) -> Marked:
    """Work out an item's marks."""
    return Marked(told=told, address=canonical_url(told.article.url), fingerprint=fingerprint(told.article))


class Marks:
    """The marks that are stored, of those that some items have. Grows as these items are stored themselves."""

    def __init__(
        self, *, keys: Collection[str], addresses: Collection[str], hashes: Collection[str], bands: Collection[int]
    ) -> None:
        self._keys, self._hashes, self._bands = set(keys), set(hashes), set(bands)
        self._places = {_place(one) for one in addresses}

    def has_key(self, one: Marked) -> bool:
        """Tell whether an item of its source may be stored under its key."""
        return one.told.key in self._keys

    def has_place(self, one: Marked) -> bool:
        """Tell whether anything may be stored at its address; of an item without one nobody knows."""
        return not one.address or _place(one.address) in self._places

    def has_kin(self, one: Marked) -> bool:
        """Tell whether anything stored may be its copy."""
        is_placed = bool(one.address) and self.has_place(one)
        return is_placed or one.fingerprint.exact in self._hashes or not self._bands.isdisjoint(one.fingerprint.bands)

    def add(self, one: Marked) -> None:
        """Note that an item is stored now."""
        self._keys.add(one.told.key)
        self._hashes.add(one.fingerprint.exact)
        self._bands.update(one.fingerprint.bands)
        self._places.add(_place(one.address))


def _place(address: str) -> str:
    return address.partition("://")[2]
