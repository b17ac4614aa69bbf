"""Finds the words of an article that are inflections of what queries ask for, for the kernels, which know no grammar.

Decides nothing: `inflection` knows the stemmers. Costs nothing as long as no query has a `~`.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from worker.matching.analyser import AnalysedArticle
from worker.matching.compiled.tables import Array
from worker.matching.features import Features
from worker.matching.inflection import stem
from worker.matching.occurrences import language_of
from worker.model import Field

_NONE = np.zeros(0, np.int32)


class Inflections:
    """The inflected words of one engine's queries, by language and stem."""

    def __init__(self, features: Features) -> None:
        self._features = features
        self._stems: dict[str, dict[str, list[int]]] = {}
        self._known = 0

    def of(self, article: AnalysedArticle) -> tuple[Array, Array]:
        """Return the places, ascending, and features of an article's inflected words, counted over all its fields."""
        if not self._features.inflected:
            return _NONE, _NONE
        language = language_of(article)
        wanted = self._wanted(language)
        words: list[int] = []
        features: list[int] = []
        first = 0
        for field in Field:
            if known := article.fields.get(field):
                for place, surface in enumerate(known.words.surfaces, start=first):
                    found = wanted.get(stem(surface.lower(), language) or "", ())
                    words.extend([place] * len(found))
                    features.extend(found)
                first += len(known.words.surfaces)
        return np.array(words, np.int32), np.array(features, np.int32)

    def _wanted(self, language: str) -> dict[str, list[int]]:
        if self._known != len(self._features.inflected):
            self._known = len(self._features.inflected)
            self._stems.clear()
        if language not in self._stems:
            stems = defaultdict(list)
            for surface, feature in self._features.inflected.items():
                if (found := stem(surface, language)) is not None:
                    stems[found].append(feature)
            self._stems[language] = dict(stems)
        return self._stems[language]
