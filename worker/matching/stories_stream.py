"""Stories of articles that come one after another, from a file rather than from the database.

Decides what `run_stories` and intake decide together for stored articles: a copy belongs to its original's story,
whatever its title; everything else to the closest story, or to one of its own. Remembers the latest arrivals only.
Pure; the `stories` command calls it.
"""

from __future__ import annotations

import hashlib
import zlib
from array import array
from collections import Counter, deque
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from worker.matching.analyser import ArticleText
from worker.matching.stories import Told, Window
from worker.matching.stories_reading import read
from worker.sameness import COPIES_COMPARED, COPY_WINDOW, KEPT_ARTICLES, MIN_CLOSENESS, MIN_EXACT_WORDS, MIN_WORDS
from worker.wording import bands, is_copy, overlap, shingles, wording

Article = TypeVar("Article", bound=Hashable)

_COPY_WINDOW_S: Final = COPY_WINDOW.total_seconds()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Worded(Generic[Article]):
    told: Told[Article, Article]
    keys: tuple[int, ...]
    packed: bytes  # its words, which are only read again when a copy of it may have come


class Stream(Generic[Article]):
    """Gives each article its story: the first article of it.

    >>> stream = Stream[int]()
    >>> stream.place(1, ArticleText(title="Ferry sinks", summary="A ferry sank off Sulawesi, Indonesia."), None)
    1
    >>> stream.place(2, ArticleText(title="Disaster", summary="Off Sulawesi, Indonesia, a ferry sank."), None)
    1
    """

    def __init__(self, *, keep: int = KEPT_ARTICLES, closeness: float = MIN_CLOSENESS) -> None:
        self._keep = keep
        self._window = Window[Article, Article](keep=keep, closeness=closeness)
        self._first = 0
        self._worded: deque[_Worded[Article]] = deque()
        self._sharing: dict[int, array[int]] = {}  # key of a wording -> numbers of the arrivals that have it, ascending
        self._stories: dict[Article, Told[Article, Article]] = {}

    def place(self, article: Article, text: ArticleText, at_s: float | None) -> Article:
        """Return the story of an article that comes now. An id that comes again is a new version: its story stays."""
        reading = read(text)
        found = wording(title=text.title, summary=text.summary, body=text.body)
        keys = bands(found) or _exact(found)
        model = self._stories.get(article) or self._original(found, keys, at_s)
        model = model or self._window.closest(reading, at_s=at_s)
        told = Told(
            article=article,
            story=model.story if model else article,
            at_s=at_s,
            begins_at_s=model.begins_at_s if model else at_s,
            reading=reading,
        )
        self._window.add(told)
        self._remember(_Worded(told=told, keys=keys, packed=zlib.compress(" ".join(found).encode(), 1)))
        return told.story

    def _original(
        self, found: tuple[str, ...], keys: tuple[int, ...], at_s: float | None
    ) -> Told[Article, Article] | None:
        shared = Counter(number for key in keys for number in self._sharing.get(key, ()))
        likely = sorted(shared, key=lambda number: (-shared[number], number))[:COPIES_COMPARED]
        mine = shingles(found) if likely else frozenset()
        for number in sorted(likely):
            other = self._worded[number - self._first]
            near = at_s is None or other.told.at_s is None or abs(at_s - other.told.at_s) <= _COPY_WINDOW_S
            if near and _is_copy(found, mine, other):
                return other.told
        return None

    def _remember(self, worded: _Worded[Article]) -> None:
        number = self._first + len(self._worded)
        for key in worded.keys:
            self._sharing.setdefault(key, array("q")).append(number)
        self._worded.append(worded)
        self._stories[worded.told.article] = worded.told
        if len(self._worded) > self._keep:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        oldest = self._worded.popleft()
        for key in oldest.keys:
            self._sharing[key].pop(0)
            if not self._sharing[key]:
                del self._sharing[key]
        if self._stories[oldest.told.article] is oldest.told:
            del self._stories[oldest.told.article]
        self._first += 1


def _is_copy(found: tuple[str, ...], mine: frozenset[int], other: _Worded[Article]) -> bool:
    theirs = tuple(zlib.decompress(other.packed).decode().split(" "))
    if found == theirs:
        return True
    return min(len(found), len(theirs)) >= MIN_WORDS and is_copy(overlap(mine, shingles(theirs)))


def _exact(found: tuple[str, ...]) -> tuple[int, ...]:
    """Return the key of a text that is too short for anything but an equal one."""
    if len(found) < MIN_EXACT_WORDS:
        return ()
    digest = hashlib.blake2b(" ".join(found).encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big", signed=True),)
