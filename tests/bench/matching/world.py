"""An invented world to report on: names, topics, and articles about them.

Articles are 600 words on average: words of the language by their frequency, words of the article's topic, and names,
most of them of the topic. Decides everything from its seed. `queries` asks about the same names and topics.
"""

from __future__ import annotations

import math
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import Final, TypeAlias

from tests.bench.matching.vocabulary import Vocabulary
from worker.matching.stopwords import STOP_WORDS

Name: TypeAlias = tuple[str, ...]

_WORDS_OF_TOPIC: Final = 150
_NAMES_OF_TOPIC: Final = 60


class Zipf:
    """Numbers from 0 to `size` - 1, the small ones oftener: P(k) ~ 1 / (k + shift) ** exponent."""

    def __init__(self, size: int, exponent: float, shift: float) -> None:
        self._sums = list(accumulate((rank + shift) ** -exponent for rank in range(size)))

    def draw(self, random: Random) -> int:
        """Draw a number."""
        return bisect(self._sums, random.random() * self._sums[-1])


@dataclass(frozen=True, kw_only=True, slots=True)
class Topic:
    """What the articles of one beat are about: words by how typical they are, and places in the list of names."""

    words: tuple[str, ...]
    names: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Article:
    """A title, and a body whose paragraphs are separated by blank lines."""

    title: str
    body: str


class World:
    """Names and topics, made once from a seed."""

    def __init__(self, vocabulary: Vocabulary, *, seed: int, names: int = 150_000, topics: int = 400) -> None:
        random = Random(seed)
        self.vocabulary = vocabulary
        self.word_sums = list(accumulate(vocabulary.frequencies))
        self.names = self._names(random, names)
        self.name_ranks = Zipf(names, 0.75, 30.0)
        self.topics = [self._topic(random) for _ in range(topics)]
        self.topic_ranks = Zipf(topics, 0.7, 3.0)
        self.word_ranks = Zipf(_WORDS_OF_TOPIC, 0.8, 2.0)

    def word(self, random: Random, low: int, high: int) -> str:
        """Draw a word between two ranks of frequency, evenly over their logarithm; none that says nothing."""
        words = self.vocabulary.words
        high = min(high, len(words))
        low = min(low, max(1, high // 4))
        while True:
            word = words[int(math.exp(random.uniform(math.log(low), math.log(high)))) - 1]
            if word not in STOP_WORDS:
                return word

    def name(self, random: Random) -> Name:
        """Draw a name, the well known ones oftener."""
        return self.names[self.name_ranks.draw(random)]

    def topic(self, random: Random) -> Topic:
        """Draw a topic, the popular ones oftener."""
        return self.topics[self.topic_ranks.draw(random)]

    def _names(self, random: Random, wanted: int) -> list[Name]:
        found: dict[Name, None] = {}
        while len(found) < wanted:
            (length,) = random.choices((1, 2, 3), (15, 70, 15))
            name = tuple(self.word(random, 3_000, 120_000) for _ in range(length))
            if all(len(word) > 2 for word in name):
                found[name] = None
        return list(found)

    def _topic(self, random: Random) -> Topic:
        words = tuple(self.word(random, 1_000, 80_000) for _ in range(_WORDS_OF_TOPIC))
        return Topic(words=words, names=tuple(self.name_ranks.draw(random) for _ in range(_NAMES_OF_TOPIC)))


def articles(world: World, random: Random) -> Iterator[Article]:
    """Write one article after another, without end."""
    while True:
        yield _Reporter(world, random).article()


class _Reporter:
    """Writes one article."""

    def __init__(self, world: World, random: Random) -> None:
        self._world, self._random = world, random
        self._topic = world.topic(random)
        of_topic = [world.names[random.choice(self._topic.names)] for _ in range(4)]
        self._names = [*of_topic, *(world.name(random) for _ in range(3))]
        self._length = max(150, int(random.gauss(600, 140)))
        words = random.choices(world.vocabulary.words, cum_weights=world.word_sums, k=2 * self._length + 100)
        self._words = iter(words)

    def article(self) -> Article:
        title, length = self._sentence(9)
        sentences = []
        while length < self._length:
            sentence, words = self._sentence(max(5, int(self._random.gauss(20, 6))))
            sentences.append(f"{sentence}.")
            length += words
        paragraphs = [" ".join(sentences[first : first + 3]) for first in range(0, len(sentences), 3)]
        return Article(title=title, body="\n\n".join(paragraphs))

    def _sentence(self, wanted: int) -> tuple[str, int]:
        pieces: list[str] = []
        length = 0
        while length < wanted:
            piece, words = self._piece()
            pieces.append(piece)
            length += words
        sentence = " ".join(pieces)
        return sentence[0].upper() + sentence[1:], length

    def _piece(self) -> tuple[str, int]:
        drawn = self._random.random()
        if drawn < 0.035:
            name = self._name()
            return " ".join(word.capitalize() for word in name), len(name)
        if drawn < 0.17:
            return self._topic.words[self._world.word_ranks.draw(self._random)], 1
        if drawn < 0.18:
            return str(self._random.randrange(1, 2030)), 1
        if drawn < 0.185:
            return f"{next(self._words)}-{next(self._words)}", 2
        return next(self._words) + ("," if self._random.random() < 0.05 else ""), 1

    def _name(self) -> Name:
        is_main = self._random.random() < 0.75
        return self._random.choice(self._names) if is_main else self._world.name(self._random)
