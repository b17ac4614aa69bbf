"""Where an index keeps the programs of its expressions, as the kernels read them.

Decides nothing: `programs` makes them, `index` has them stored, `compiled.occurrences` runs them. Only ever grows.
"""

from __future__ import annotations

import numpy as np

from worker.matching.features import grown
from worker.matching.programs import Compiled


class Arena:
    """Numbers of many expressions, one run behind the other."""

    def __init__(self) -> None:
        self.numbers = np.zeros(256, np.int32)
        self.used = 0

    def append(self, numbers: list[int]) -> int:
        """Write a run behind the others and return where it begins."""
        start = self.used
        self.used += len(numbers)
        self.numbers = grown(self.numbers, self.used)
        self.numbers[start : self.used] = numbers
        return start


class ProgramStore:
    """Programs one behind the other, and their leaves; `compiled.layout` says what the arrays mean."""

    def __init__(self) -> None:
        self.code = Arena()
        self.leaves = 0
        self.leaf_offsets = np.zeros(16, np.int32)
        self.leaf_fields = np.zeros(16, np.int32)
        self.leaf_within = np.zeros(16, np.int32)
        self.word_feature = np.zeros(16, np.int32)
        self.word_form = np.zeros(16, np.uint8)
        self.word_surface = np.zeros(16, np.uint64)

    def put(self, compiled: Compiled) -> int:
        """Store a program and its leaves, moved to where they are now, and return where the program begins."""
        start, first_leaf = self.code.used, self.leaves
        code = list(compiled.code)
        for place in compiled.targets:
            code[place] += start
        for place in compiled.leaf_places:
            code[place] += first_leaf
        for leaf in compiled.leaves:
            first = int(self.leaf_offsets[self.leaves])
            self.leaves += 1
            for name in ("leaf_fields", "leaf_within"):
                setattr(self, name, grown(getattr(self, name), self.leaves))
            self.leaf_offsets = grown(self.leaf_offsets, self.leaves + 1)
            self.leaf_fields[self.leaves - 1], self.leaf_within[self.leaves - 1] = leaf.fields, leaf.within
            self.leaf_offsets[self.leaves] = first + len(leaf.words)
            for name in ("word_feature", "word_form", "word_surface"):
                setattr(self, name, grown(getattr(self, name), first + len(leaf.words)))
            for place, (feature, form, surface) in enumerate(leaf.words, start=first):
                self.word_feature[place], self.word_form[place] = feature, form
                self.word_surface[place] = surface
        return self.code.append(code)
