"""The vocabulary of an index: every distinct thing that standing queries look for has a number, its feature.

Decides numbers, never which queries want them. `programs` asks for features while it reads a query; the kernels find
them in articles. Only the engine that owns a vocabulary changes it, and takes care that no kernel runs meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from worker.matching.compiled import runtime
from worker.matching.compiled.hashing import LONGEST
from worker.matching.compiled.layout import (
    BEGINS_PAIR,
    ENDS_PAIR,
    FIRST_FEATURE,
    HAS_POSITIONS,
    HAS_VARIANTS,
    HashTable,
    Vocabulary,
)
from worker.matching.compiled.tables import Array
from worker.matching.stopwords import STOP_WORDS

_MASK: Final = (1 << 64) - 1
_SEED: Final = 0x2545F4914F6CDD1D  # as in compiled.hashing
_MULTIPLIER: Final = 0x9E3779B97F4A7C15
_FULLEST: Final = 0.6  # share of a hash table's places that may be taken
_EMPTIEST: Final = 0.3  # share that is taken after it has grown

_BLOOM_BITS: Final = 8  # a prefix at least; twice as many after it has grown

_STOP_WORD_COST: Final = 50.0
_PREFIX_COST: Final = 2.0
_PAIR_SHARE: Final = 0.2
_VARIANT_SHARE: Final = 0.5


def text_hash(text: str) -> int:
    """Return the 64-bit hash of a key or surface that the kernels compute while they read; never 0 in practice."""
    hashed = _SEED
    for character in text:
        hashed = (hashed ^ ord(character)) * _MULTIPLIER & _MASK
        hashed ^= hashed >> 32
    return hashed


def grown(array: Array, wanted: int) -> Array:
    """Return an array with room for `wanted` elements, or the same one if it has; what is new is zero."""
    if wanted <= len(array):
        return array
    larger = np.zeros((max(wanted, len(array) * 3 // 2 + 64), *array.shape[1:]), array.dtype)
    larger[: len(array)] = array
    return larger


class Table:
    """A hash table that Python fills and kernels read: 64-bit keys, never 0, to numbers."""

    def __init__(self, *, is_mixed: bool, room: int = 64) -> None:
        self.is_mixed = is_mixed  # keys are hashes already
        self._allocate(room)

    def _allocate(self, room: int) -> None:
        bits = max(6, int(np.ceil(np.log2(max(1, room) / _EMPTIEST))))
        self.keys = np.zeros(1 << bits, np.uint64)
        self.values = np.zeros(1 << bits, np.int32)
        self.shift = 64 - bits
        self.count = 0

    @property
    def as_arrays(self) -> HashTable:
        """Return what a kernel reads."""
        return HashTable(self.keys, self.values, self.shift)

    def get(self, key: int) -> int:
        """Return a key's number, -1 if it has none."""
        place = self._place(key)
        return int(self.values[place]) if self.keys[place] else -1

    def put(self, key: int, value: int) -> None:
        """Store a number under a key, in place of any before."""
        if self.count >= len(self.keys) * _FULLEST:
            self._grow()
        place = self._place(key)
        if not self.keys[place]:
            self.keys[place] = key
            self.count += 1
        self.values[place] = value

    def _place(self, key: int) -> int:
        """Return where a key is, or the free place where it would be."""
        spread = key if self.is_mixed else key * _MULTIPLIER & _MASK
        place, mask = spread >> self.shift, len(self.keys) - 1
        keys = self.keys
        while (there := int(keys[place])) and there != key:
            place = (place + 1) & mask
        return place

    def _grow(self) -> None:
        taken = self.keys != 0
        keys, values = self.keys[taken], self.values[taken]
        self._allocate(len(keys) * 2)
        runtime.kernels().insert_all(self.as_arrays, keys, values, self.is_mixed)
        self.count = len(keys)


class Features:
    """All features of an index. Numbers are never given twice; they rise by one."""

    def __init__(self) -> None:
        self.count = FIRST_FEATURE
        self.words = Table(is_mixed=True)
        self.prefixes = Table(is_mixed=True)
        self.pairs = Table(is_mixed=False)
        self.prefix_lengths = np.zeros(1, np.uint64)
        self.bloom = np.zeros(1, np.uint64)
        self.flags = np.zeros(64, np.uint8)
        self.prior = np.zeros(64, np.float32)
        self.prior[:FIRST_FEATURE] = 1e12  # nothing should hang on what is always or never there
        self.variant_head = np.full(64, -1, np.int32)
        self.variants = 0
        self.variant_next = np.zeros(16, np.int32)
        self.variant_fields = np.zeros(16, np.int32)
        self.variant_within = np.zeros(16, np.int32)
        self.variant_form = np.zeros(16, np.uint8)
        self.variant_surface = np.zeros(16, np.uint64)
        self.variant_feature = np.zeros(16, np.int32)
        self.inflected: dict[str, int] = {}

    @property
    def as_arrays(self) -> Vocabulary:
        """Return what the kernels read; good until the next change."""
        return Vocabulary(
            words=self.words.as_arrays,
            prefixes=self.prefixes.as_arrays,
            prefix_lengths=self.prefix_lengths,
            bloom=self.bloom,
            pairs=self.pairs.as_arrays,
            flags=self.flags,
            variant_head=self.variant_head,
            variant_next=self.variant_next,
            variant_fields=self.variant_fields,
            variant_within=self.variant_within,
            variant_form=self.variant_form,
            variant_surface=self.variant_surface,
            variant_feature=self.variant_feature,
        )

    def word(self, key: str) -> int:
        """Return the feature of a word's key."""
        hashed = text_hash(key)
        feature = self.words.get(hashed)
        if feature < 0:
            cost = _STOP_WORD_COST if key in STOP_WORDS else 1 / len(key)
            feature = self._new(cost)
            self.words.put(hashed, feature)
        return feature

    def prefix(self, stem: str) -> int:
        """Return the feature of words that begin so."""
        hashed = text_hash(stem)
        feature = self.prefixes.get(hashed)
        if feature < 0:
            feature = self._new(_PREFIX_COST / len(stem))
            self.prefixes.put(hashed, feature)
            self.prefix_lengths[0] |= np.uint64(1 << min(len(stem), LONGEST))
            self._bloom(hashed)
        return feature

    def inflection(self, surface: str) -> int:
        """Return the feature of a word's inflections, whatever the language; found by Python, not by the kernels."""
        feature = self.inflected.get(surface, -1)
        if feature < 0:
            feature = self.inflected[surface] = self._new(_PREFIX_COST / len(surface))
        return feature

    def pair(self, first: int, second: int) -> int:
        """Return the feature of two words in a row; the second may be a prefix."""
        key = first << 32 | second
        feature = self.pairs.get(key)
        if feature < 0:
            cost = _PAIR_SHARE * min(float(self.prior[first]), float(self.prior[second]))
            feature = self._new(cost)
            self.pairs.put(key, feature)
            self.flags[first] |= BEGINS_PAIR
            self.flags[second] |= ENDS_PAIR
        return feature

    def variant(self, feature: int, *, fields: int, within: int, form: int, surface: int = 0) -> int:
        """Return the feature of a word where it stands in some fields only, or in some form only."""
        asked = (fields, within, form, surface)
        for variant in self._variants_of(feature):
            if asked == self._asked(variant):
                return int(self.variant_feature[variant])
        new = self._new(_VARIANT_SHARE * float(self.prior[feature]))
        variant = self.variants
        self.variants += 1
        for part in ("next", "fields", "within", "form", "surface", "feature"):
            setattr(self, f"variant_{part}", grown(getattr(self, f"variant_{part}"), self.variants))
        self.variant_next[variant] = self.variant_head[feature]
        self.variant_head[feature] = variant
        self.variant_fields[variant], self.variant_within[variant] = fields, within
        self.variant_form[variant], self.variant_surface[variant] = form, surface
        self.variant_feature[variant] = new
        self.flags[feature] |= HAS_VARIANTS
        return new

    def keep_positions(self, feature: int) -> None:
        """Have the kernels note where a feature stands, for conditions on places."""
        self.flags[feature] |= HAS_POSITIONS

    def _variants_of(self, feature: int) -> Iterator[int]:
        variant = int(self.variant_head[feature])
        while variant >= 0:
            yield variant
            variant = int(self.variant_next[variant])

    def _asked(self, variant: int) -> tuple[int, int, int, int]:
        return (
            int(self.variant_fields[variant]),
            int(self.variant_within[variant]),
            int(self.variant_form[variant]),
            int(self.variant_surface[variant]),
        )

    def _new(self, cost: float) -> int:
        feature = self.count
        self.count += 1
        if self.count > len(self.flags):
            before = len(self.variant_head)
            for name in ("flags", "prior", "variant_head"):
                setattr(self, name, grown(getattr(self, name), self.count))
            self.variant_head[before:] = -1
        self.prior[feature] = cost
        return feature

    def _bloom(self, hashed: int) -> None:
        wanted = max(16, self.prefixes.count * _BLOOM_BITS // 64)
        if wanted > len(self.bloom):
            self.bloom = np.zeros(2 << int(np.ceil(np.log2(wanted))), np.uint64)
            hashes = self.prefixes.keys[self.prefixes.keys != 0].tolist()
        else:
            hashes = [hashed]
        for one in hashes:
            self.bloom[one >> 32 & len(self.bloom) - 1] |= np.uint64(1 << (one & 63))
