"""Room for the kernels to work in, reused from article to article, and enlarged when an article wants more.

Decides sizes only. Belongs to one engine, which lets one thread at a time in.
"""

from __future__ import annotations

from functools import cached_property
from typing import Final

import numpy as np

from worker.matching.compiled.collect import MATCHED, WANTS_ENTRIES
from worker.matching.compiled.layout import Article, Expressions, Marks, Occurrences, Postings, Reading, Vocabulary
from worker.matching.compiled.recognise import MOST_FOLDS
from worker.matching.compiled.runtime import Kernels
from worker.matching.compiled.tables import Array, tables
from worker.matching.features import grown

_STAMPS: Final = 256  # one byte a mark stays in the processor's cache
_STACK: Final = 512  # values and lists at once: more than brackets may be deep


class Scratch:
    """Arrays for one article at a time, and how often each feature has been seen."""

    def __init__(self) -> None:
        self._stamp = 0
        self._words(4096)
        self._entries(4096)
        self._places(4096)
        self._features(64)
        self._expressions(64)
        self._owners = np.zeros(64, np.int64)
        self.document_frequency = np.zeros(64, np.int32)

    def match(  # noqa: PLR0917  as the kernel wants them, once an article
        self,
        kernels: Kernels,
        article: Article,
        vocabulary: Vocabulary,
        postings: Postings,
        expressions: Expressions,
        owners: int,
    ) -> tuple[Array, Array]:
        """Return the expressions that an article makes true, each once, and who of the `owners` ask them, in no order.

        Both are good until the next article. Some expressions may have no owner.
        """
        count = len(expressions.program)
        if len(article.codes) + 1 > len(self._starts):
            self._words(len(article.codes) + 1)
        if len(vocabulary.flags) > len(self._present):
            self._features(len(vocabulary.flags))
        if count > len(self._decided):
            self._expressions(count)
        if owners > len(self._owners):
            self._forget("_marks")
            self._owners = np.zeros(owners * 5 // 4, np.int64)
        while True:
            self._next_stamp()
            status, number, named = kernels.match(
                article,
                tables(),
                vocabulary,
                postings,
                expressions,
                self.reading,
                self._marks,
                self._occurrences,
                self._stamp,
            )
            if status == MATCHED:
                return self._found[:number], self._owners[:named]
            if status == WANTS_ENTRIES:
                self._entries(number * 2)
            else:
                self._places(len(self._firsts) * 4)

    def _next_stamp(self) -> None:
        self._stamp += 1
        if self._stamp == _STAMPS:
            self._stamp = 1
            for marks in (self._present, self._seen, self._decided):
                marks[:] = 0

    def _forget(self, *views: str) -> None:
        for view in views:
            self.__dict__.pop(view, None)

    def _words(self, room: int) -> None:
        self._forget("reading")
        room = room * 5 // 4
        self._starts, self._ends, self._paragraphs, self._places_in_field = (np.zeros(room, np.int32) for _ in range(4))
        self._kinds, self._breaks, self._fields, self._forms = (np.zeros(room, np.uint8) for _ in range(4))
        self._entry, self._probe, self._candidate = (np.zeros(room + 1, np.int32) for _ in range(3))
        self._states, self._candidate_hash = (np.zeros(room * MOST_FOLDS, np.uint64) for _ in range(2))
        self._probe_hash = np.zeros(room * 2, np.uint64)

    def _entries(self, room: int) -> None:
        self._forget("reading")
        self._entry_feature, self._entry_word, self._entry_next = (np.zeros(room, np.int32) for _ in range(3))

    def _places(self, room: int) -> None:
        self._forget("_occurrences")
        self._firsts, self._lasts, self._spare_firsts, self._spare_lasts = (np.zeros(room, np.int32) for _ in range(4))
        self._lists, self._values = np.zeros(_STACK, np.int32), np.zeros(_STACK, np.int32)

    def _features(self, room: int) -> None:
        self._forget("_marks")
        self._present, self._seen = np.zeros(room, np.uint8), np.zeros(room, np.uint8)
        self._head, self._count, self._features_found = (np.zeros(room, np.int32) for _ in range(3))
        self.document_frequency = grown(getattr(self, "document_frequency", np.zeros(0, np.int32)), room)

    def _expressions(self, room: int) -> None:
        self._forget("_marks")
        self._decided = np.zeros(room, np.uint8)
        self._late, self._found = np.zeros(room, np.int32), np.zeros(room, np.int32)

    @cached_property
    def reading(self) -> Reading:
        """Return the arrays for an article's words; good until a longer article comes."""
        return Reading(
            starts=self._starts,
            ends=self._ends,
            kinds=self._kinds,
            breaks=self._breaks,
            fields=self._fields,
            paragraphs=self._paragraphs,
            places=self._places_in_field,
            forms=self._forms,
            states=self._states,
            probe=self._probe,
            probe_hash=self._probe_hash,
            candidate=self._candidate,
            candidate_hash=self._candidate_hash,
            entry=self._entry,
            entry_feature=self._entry_feature,
            entry_word=self._entry_word,
            entry_next=self._entry_next,
        )

    @cached_property
    def _marks(self) -> Marks:
        return Marks(
            present=self._present,
            seen=self._seen,
            head=self._head,
            counts=self._count,
            document_frequency=self.document_frequency,
            decided=self._decided,
            features=self._features_found,
            late=self._late,
            found=self._found,
            owners=self._owners,
        )

    @cached_property
    def _occurrences(self) -> Occurrences:
        return Occurrences(
            firsts=self._firsts,
            lasts=self._lasts,
            spare_firsts=self._spare_firsts,
            spare_lasts=self._spare_lasts,
            lists=self._lists,
            values=self._values,
        )
