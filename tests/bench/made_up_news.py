"""Made-up articles by the hundred thousand, for benchmarks of what is stored: Zipf's words, lengths of real news.

Stores them with their terms, straight into the tables; measures nothing. `bench_backtest` calls it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import sqlalchemy as sa

from worker.matching.analyser import ANALYSER_VERSION, ArticleText, analyse
from worker.matching.terms import pack, terms_of
from worker.model import Novelty
from worker.store.database import Database
from worker.store.schema import Article, ArticleTerms, Source, Story, Term, TermStem

WORDS: Final = 150_000
BLOCK: Final = 2_000
PERIOD: Final = timedelta(days=30)

PLANTED: Final = {  # words that stand in a share of all articles, whatever else does
    "Zhupanovsky": 0.0001,
    "Korea": 0.02,
    "North Korea": 0.01,
    "missile test": 0.005,
    "missiles": 0.004,
    "US": 0.10,
    "Ministry": 0.60,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """Some articles as rows, with the terms of each, and those terms that nobody had before."""

    articles: list[dict[str, Any]]
    terms: list[bytes]
    new: dict[str, int]


class News:
    """An archive of `count` articles of the last thirty days, the same each time; one in five tells another's story."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._random = np.random.default_rng(2026)
        self._words = np.array([_spelled(rank) for rank in range(WORDS)], dtype=object)
        weights = 1 / (np.arange(WORDS) + 2.7) ** 1.05
        self._shares = np.cumsum(weights / weights.sum())
        self._started_at = datetime.now(UTC) - PERIOD + timedelta(minutes=30)
        self._numbers: dict[str, int] = {}

    def blocks(self) -> Iterator[Block]:
        """Go through all articles, the earliest first."""
        for start in range(0, self.count, BLOCK):
            rows = [self._article(number) for number in range(start, min(start + BLOCK, self.count))]
            terms = [_terms(row) for row in rows]
            new = sorted(frozenset().union(*terms) - self._numbers.keys())
            fresh = {key: len(self._numbers) + place for place, key in enumerate(new, 1)}
            self._numbers |= fresh
            packed = [pack(self._numbers[key] for key in keys) for keys in terms]
            yield Block(articles=rows, terms=packed, new=fresh)

    def _article(self, number: int) -> dict[str, Any]:
        length = int(np.clip(self._random.lognormal(5.7, 0.6), 40, 4_000))
        words = self._words[np.searchsorted(self._shares, self._random.random(length + 10))].tolist()
        for text, chance in zip(PLANTED, self._random.random(len(PLANTED)), strict=True):
            if chance < PLANTED[text]:
                words[int(self._random.integers(len(words)))] = text
        at = self._started_at + (PERIOD - timedelta(hours=1)) * (number / self.count)
        is_first = number % 5 or number < 5
        return {
            "id": number + 1,
            "source_id": 1,
            "item_key": f"item {number}",
            "story_id": number + 1 if is_first else number - 3,
            "novelty": Novelty.NEW if is_first else Novelty.DUPLICATE,
            "reason": "made up",
            "url": f"https://gazette.example/{number}",
            "title": " ".join(words[:10]),
            "body": ". ".join(" ".join(words[start : start + 17]) for start in range(10, len(words), 17)),
            "outlet": "Sable Coast Gazette",
            "lang": "en",
            "published_at": at,
            "seen_at": at,
            "matched_at": at,
            "text_hash": f"text {number}",
        }


def begin(database: Database) -> None:
    """Store the source that all articles come from."""
    with database.write() as conn:
        conn.execute(sa.insert(Source).values(id=1, kind="file", name="made up", created_at=datetime.now(UTC)))


def store(database: Database, block: Block) -> None:
    """Store a block with its stories, its terms, and as many stems as there would be."""
    stories = [
        {"id": row["id"], "created_at": row["seen_at"]} for row in block.articles if row["story_id"] == row["id"]
    ]
    terms = [
        {"article_id": row["id"], "revision": 1, "analyser_version": ANALYSER_VERSION, "terms": packed}
        for row, packed in zip(block.articles, block.terms, strict=True)
    ]
    stems = [{"language": "en", "stem": key, "term_id": number} for key, number in block.new.items() if key.isalpha()]
    keys = [{"id": number, "key": key} for key, number in block.new.items()]
    rows = {Story: stories, Article: block.articles, Term: keys, ArticleTerms: terms, TermStem: stems}
    with database.write() as conn:
        for table, values in rows.items():
            if values:  # the vocabulary has an end
                conn.execute(sa.insert(table), values)


def _terms(row: dict[str, Any]) -> frozenset[str]:
    """Find an article's terms without the analyser's care, which plain words of this kind do not need.

    Every thousandth is analysed all the same, and must come out alike.
    """
    title, body = row["title"].split(), row["body"].replace(".", "").split()
    outlet = row["outlet"].lower().split()
    quick = {"lang:en", *(f"source:{word}" for word in outlet)}
    quick.update(word.lower() for word in (*title, *body))
    quick.update(f"title:{word.lower()}" for word in title)
    quick.update("^us" for word in (*title, *body) if word == "US")
    quick.update("title:^us" for word in title if word == "US")
    if row["id"] % 1_000 == 1:
        text = ArticleText(title=row["title"], body=row["body"], source=row["outlet"], lang=row["lang"])
        if terms_of(analyse(text)) != frozenset(quick):
            raise AssertionError(f"article {row['id']} has other terms than the benchmark gives it")
    return frozenset(quick)


def _spelled(rank: int) -> str:
    """Return a word that can be spoken: frequent ones are short."""
    consonants, vowels = "bdfgklmnprstvz", "aeiou"
    word, rest = "", rank + 1
    while rest:
        rest, syllable = divmod(rest, len(consonants) * len(vowels))
        word += consonants[syllable // len(vowels)] + vowels[syllable % len(vowels)]
    return word
