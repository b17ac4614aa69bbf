"""Which story an article belongs to: the one that it is closest to, or a new one of its own.

Decides by what articles say (`stories_reading`), never by a title alone, and never across languages. Remembers the
latest arrivals and nothing else; what it answers follows from what it was told, in that order, so that the command
line and every worker of an installation come to the same. Pure; `run_stories` and the CLI call it.
"""

from __future__ import annotations

import math
import sys
from array import array
from collections import deque
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Generic, NamedTuple, TypeVar

import numpy as np

from worker.matching.background import share
from worker.matching.stories_reading import ALL_MARKS, Mark, Reading
from worker.sameness import (
    BACKGROUND_ARTICLES,
    CLOSEST_COMPARED,
    DEEDS_AGREE,
    DEEDS_APART,
    FADES_TO,
    KEPT_ARTICLES,
    MIN_CLOSENESS,
    MIN_CONTENT,
    MIN_SHARED,
    NAME_WEIGHT,
    NAMES_AGREE,
    NAMES_APART,
    NUMBER_WEIGHT,
    SMALL_NUMBER_WEIGHT,
    STORIES_COMPARED,
    STORY_WINDOW,
    TWICE_WEIGHT,
    YEAR_WEIGHT,
)

Article = TypeVar("Article", bound=Hashable)
Story = TypeVar("Story", bound=Hashable)

_WINDOW_S: Final = STORY_WINDOW.total_seconds()
_CONTENT: Final = int(Mark.CONTENT)  # an enum's operators would cost more than all else in the inner loop
_NAME: Final = int(Mark.NAME)


def _emphasis(mark: Mark) -> float:
    twice = TWICE_WEIGHT if mark & Mark.TITLE and mark & Mark.CONTENT else 1.0
    if mark & Mark.YEAR:
        return YEAR_WEIGHT * twice
    if mark & Mark.NUMBER:
        return (SMALL_NUMBER_WEIGHT if mark & Mark.SMALL else NUMBER_WEIGHT) * twice
    return NAME_WEIGHT * twice if mark & Mark.NAME else twice


_EMPHASIS: Final = tuple(_emphasis(Mark(bits)) for bits in range(ALL_MARKS + 1))
"""What a term's marks make of its weight."""

_TOO_COMMON: Final = 0.05  # a term of more than this share of the window brings nobody into the comparison
_FEW: Final = 200  # below so many articles nothing is too common


@dataclass(frozen=True, kw_only=True, slots=True)
class Told(Generic[Article, Story]):
    """An article that has its story.

    `at_s` is its time, `begins_at_s` that of the story's first article, in seconds since the epoch; None where no time
    is told, which counts as near to every time.
    """

    article: Article
    story: Story
    at_s: float | None
    begins_at_s: float | None
    reading: Reading


class _Sums(NamedTuple):
    """Sums of products of two articles' weights, of one with itself for its length: of all terms and of some."""

    whole: float
    content: float  # of the other one's content with all of mine
    my_content: float
    names: float
    deeds: float  # of all that is no name
    told: int  # terms that stand in the content of one of the two


class _Mine:
    """The article that comes, with its terms' weights as of now, ready to be held against many others."""

    def __init__(self, reading: Reading, rarity: Mapping[str, float]) -> None:
        self._rarity = rarity
        self.weights: dict[str, float] = {}
        self._marks: dict[str, int] = {}
        for term, mark in zip(reading.terms, reading.marks, strict=True):
            self.weights[term] = rarity[term] * _EMPHASIS[mark]
            self._marks[term] = mark
        self._lengths, _ = self._sums(reading)

    def closeness(self, other: Reading, *, apart_s: float) -> float:
        """Return how close another article is, from 0 to 1."""
        theirs, both = self._sums(other)
        mine = self._lengths
        contents = (
            _cosine(both.content, mine.whole, theirs.content) + _cosine(both.my_content, mine.content, theirs.whole)
        ) / 2
        if both.told < MIN_SHARED or contents < MIN_CONTENT:
            return 0.0
        agreement = 1.0
        if mine.names and theirs.names:
            names = _cosine(both.names, mine.names, theirs.names)
            deeds = _cosine(both.deeds, mine.deeds, theirs.deeds)
            agreement = _left(names, NAMES_AGREE, NAMES_APART) * _left(deeds, DEEDS_AGREE, DEEDS_APART)
        fading = 1.0 - (1.0 - FADES_TO) * apart_s / _WINDOW_S
        return (_cosine(both.whole, mine.whole, theirs.whole) + contents) / 2 * agreement * fading

    def _sums(self, other: Reading) -> tuple[_Sums, _Sums]:
        """Return another article's squared lengths, and its products with mine: one pass, for it is the inner loop."""
        rarity, weights, marks = self._rarity, self.weights, self._marks
        whole = content = names = deeds = 0.0
        both = both_content = both_my_content = both_names = both_deeds = 0.0
        told = 0
        for term, mark in zip(other.terms, other.marks, strict=True):
            weight = rarity[term] * _EMPHASIS[mark]
            square = weight * weight
            whole += square
            if mark & _CONTENT:
                content += square
            if mark & _NAME:
                names += square
            else:
                deeds += square
            mine = weights.get(term)
            if mine is None:
                continue
            product, my_mark = weight * mine, marks[term]
            both += product
            if mark & _CONTENT:
                both_content += product
            if my_mark & _CONTENT:
                both_my_content += product
            told += (mark | my_mark) & _CONTENT != 0
            if mark & my_mark & _NAME:
                both_names += product
            elif not (mark | my_mark) & _NAME:
                both_deeds += product
        return (
            _Sums(whole, content, content, names, deeds, 0),
            _Sums(both, both_content, both_my_content, both_names, both_deeds, told),
        )


class _Rarity(dict[str, float]):
    """How much a term tells, by how few have it: of the window, and of news at large. Worked out once an article."""

    def __init__(self, window: Mapping[str, array[int]], size: int) -> None:
        super().__init__()
        self._window, self._size = window, size

    def __missing__(self, term: str) -> float:
        seen = len(self._window.get(term, ())) + share(term) * BACKGROUND_ARTICLES
        self[term] = value = math.log((self._size + BACKGROUND_ARTICLES) / seen) if seen else 0.0
        return value


class Window(Generic[Article, Story]):
    """The articles that a new one is compared with: the latest `keep` arrivals.

    >>> from worker.matching.analyser import ArticleText
    >>> from worker.matching.stories_reading import read
    >>> quake = ArticleText(title="Chile quake kills four", summary="A quake near Antofagasta, Chile, killed 4 miners.")
    >>> again = ArticleText(title="Four die in Chile", summary="Miners died when a quake shook Antofagasta in Chile.")
    >>> window = Window()
    >>> window.add(Told(article=1, story="quake", at_s=0, begins_at_s=0, reading=read(quake)))
    >>> window.closest(read(again), at_s=3600).story
    'quake'
    """

    def __init__(self, *, keep: int = KEPT_ARTICLES, closeness: float = MIN_CLOSENESS) -> None:
        self._keep, self._closeness = keep, closeness
        self._first = 0  # the number of the oldest arrival that is remembered
        self._kept: deque[Told[Article, Story] | None] = deque()
        self._numbers: dict[Article, int] = {}
        self._holding: dict[str, array[int]] = {}  # term -> numbers of the arrivals that have it, ascending

    def __len__(self) -> int:
        """Return how many articles are remembered."""
        return len(self._numbers)

    def add(self, told: Told[Article, Story]) -> None:
        """Remember an article, in place of its earlier version; forget the oldest where there are too many."""
        self._forget(told.article)
        number = self._first + len(self._kept)
        terms = tuple(map(sys.intern, told.reading.terms))  # thirty thousand articles share most of their words
        for term in terms:
            self._holding.setdefault(term, array("q")).append(number)
        self._kept.append(replace(told, reading=replace(told.reading, terms=terms)))
        self._numbers[told.article] = number
        while len(self._kept) > self._keep:
            oldest = self._kept[0]
            if oldest is not None:
                self._forget(oldest.article)
            self._kept.popleft()
            self._first += 1

    def closest(self, reading: Reading, *, at_s: float | None) -> Told[Article, Story] | None:
        """Return the closest article of the closest story, None when no story is close enough."""
        rarity = self._rarity()
        mine = _Mine(reading, rarity)
        stories: dict[Story, list[tuple[float, int]]] = {}
        for number in self._likely(mine):
            kept = self._kept[number - self._first]
            if kept is not None and _may_be_one(kept, reading, at_s):
                near = mine.closeness(kept.reading, apart_s=_apart_s(at_s, kept.at_s))
                stories.setdefault(kept.story, []).append((near, -number))
        found = max(((_of_story(members), max(members)) for members in stories.values()), default=None)
        if found is None or found[0] < self._closeness:
            return None
        return self._kept[-found[1][1] - self._first]

    def _rarity(self) -> _Rarity:
        return _Rarity(self._holding, len(self._numbers))

    def _likely(self, mine: _Mine) -> Iterable[int]:
        """Return the arrivals with most in common, by number; terms that half of them have are no help."""
        common = max(_FEW, len(self._numbers) * _TOO_COMMON)
        sums = np.zeros(len(self._kept))
        for term, weight in mine.weights.items():
            holding = self._holding.get(term)
            if holding and len(holding) <= common:
                sums[np.frombuffer(holding, dtype=np.int64) - self._first] += weight * weight
        likely = np.flatnonzero(sums)
        if len(likely) > STORIES_COMPARED:
            best = np.lexsort((-likely, -sums[likely]))[:STORIES_COMPARED]
            likely = np.sort(likely[best])
        return [self._first + place for place in likely.tolist()]

    def _forget(self, article: Article) -> None:
        number = self._numbers.pop(article, None)
        kept = None if number is None else self._kept[number - self._first]
        if number is None or kept is None:
            return
        for term in kept.reading.terms:
            holding = self._holding[term]
            holding.remove(number)
            if not holding:
                del self._holding[term]
        self._kept[number - self._first] = None


def _may_be_one(told: Told[Article, Story], reading: Reading, at_s: float | None) -> bool:
    apart_s = max(_apart_s(at_s, told.begins_at_s), _apart_s(at_s, told.at_s))
    return apart_s <= _WINDOW_S and told.reading.language == reading.language


def _apart_s(first_s: float | None, second_s: float | None) -> float:
    return 0.0 if first_s is None or second_s is None else abs(first_s - second_s)


def _left(cosine: float, enough: float, apart: float) -> float:
    """Return what is left of closeness: all where two agree `enough`, `apart` where they share nothing."""
    return apart + (1.0 - apart) * min(1.0, cosine / enough)


def _of_story(members: list[tuple[float, int]]) -> float:
    best = sorted(members, reverse=True)[:CLOSEST_COMPARED]
    return math.fsum(near for near, _ in best) / len(best)


def _cosine(product: float, first: float, second: float) -> float:
    return product / math.sqrt(first * second) if product else 0.0
