"""The benchmark's files: articles and standing queries, made once and kept.

Decides what lies in which file. The same seed gives the same bytes, and fewer queries are the beginning of more. Our
side and the command line read JSON lines, the peer reads the same in a form that needs no parser.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, Final

from tests.bench.matching.queries import hot, polish, queries, written
from tests.bench.matching.vocabulary import Vocabulary
from tests.bench.matching.world import Article, World, articles
from worker.matching.analyser import ArticleText
from worker.matching.stopwords import STOP_WORDS
from worker.matching.tree import Node

SEED: Final = 1
MEASURED: Final = 3_000
"""Articles from here on are held out: how frequent words are, an engine learns from these alone."""
HELD_OUT: Final = 1_000
PARAGRAPH: Final = " ¶ "
"""How the peer's file marks the end of a paragraph, on one line."""
_HALF: Final = (0.4, 0.6)


@dataclass(frozen=True, kw_only=True, slots=True)
class Workload:
    """Where the files are, and what is in them: `queries` of the mix, `hot_queries` on words that stand everywhere."""

    folder: Path
    queries: int
    hot_queries: int
    measured: int = MEASURED
    held_out: int = HELD_OUT

    @property
    def articles(self) -> Path:
        """{"id", "title", "body"} a line, the measured ones first."""
        return self.folder / "articles.jsonl"

    @property
    def topics(self) -> Path:
        """{"id", "query"} a line, in our query language."""
        return self.folder / "topics.jsonl"

    @property
    def hot_topics(self) -> Path:
        """The same of the hot queries; their ids follow those of `topics`."""
        return self.folder / "hot.jsonl"

    @property
    def peer(self) -> tuple[Path, Path, Path]:
        """Articles, queries and hot queries as the peer reads them: columns with a tab between them."""
        return self.folder / "articles.tsv", self.folder / "topics.tsv", self.folder / "hot.tsv"


def make(workload: Workload, vocabulary: Vocabulary, *, names: int = 150_000, topics: int = 400) -> None:
    """Write all files of a workload, unless they are there already."""
    done = workload.folder / "complete"
    if done.exists():
        return
    workload.folder.mkdir(parents=True, exist_ok=True)
    world = World(vocabulary, seed=SEED, names=names, topics=topics)
    written_articles = list(islice(articles(world, Random(SEED + 1)), workload.measured + workload.held_out))
    _write_articles(workload, written_articles)
    _write_queries(workload.topics, workload.peer[1], islice(queries(world, Random(SEED + 2)), workload.queries), 0)
    frequent = _in_half_of(written_articles[workload.measured :])
    _write_queries(
        workload.hot_topics, workload.peer[2], islice(hot(frequent), workload.hot_queries), first=workload.queries
    )
    done.touch()


def read_articles(workload: Workload, first: int, end: int) -> list[ArticleText]:
    """Return articles as the analyser takes them."""
    records = _records(workload.articles, first, end)
    return [ArticleText(title=record["title"], body=record["body"]) for record in records]


def read_queries(path: Path, first: int, end: int) -> Iterator[tuple[int, str]]:
    """Go through queries and their numbers."""
    return ((record["id"], record["query"]) for record in _records(path, first, end))


def _records(path: Path, first: int, end: int) -> Iterator[dict[str, Any]]:
    with path.open() as file:
        yield from map(json.loads, islice(file, first, end))


def _write_articles(workload: Workload, wanted: Iterable[Article]) -> None:
    with workload.articles.open("w") as ours, workload.peer[0].open("w") as theirs:
        for number, article in enumerate(wanted):
            ours.write(json.dumps({"id": number, "title": article.title, "body": article.body}) + "\n")
            body = article.body.replace("\n\n", PARAGRAPH)
            theirs.write(f"{article.title}\t{body}\n")


def _write_queries(path: Path, peer: Path, wanted: Iterable[Node], first: int) -> None:
    with path.open("w") as ours, peer.open("w") as theirs:
        for number, node in enumerate(wanted, start=first):
            ours.write(json.dumps({"id": number, "query": written(node)}) + "\n")
            theirs.write(f"{number}\t{polish(node)}\n")


def _in_half_of(held_out: list[Article]) -> list[str]:
    """Return the words that stand in about half of all articles, except those that no query may consist of."""
    counts: Counter[str] = Counter()
    for article in held_out:
        counts.update(set(re.findall("[a-z]+", f"{article.title} {article.body}".lower())))
    low, high = (share * len(held_out) for share in _HALF)
    return sorted(word for word, count in counts.items() if low <= count <= high and word not in STOP_WORDS)
