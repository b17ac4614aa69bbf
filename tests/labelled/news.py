"""Reads the labelled news, and counts how well a clustering agrees with it."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from worker.matching.analyser import ArticleText


@dataclass(frozen=True, kw_only=True)
class Labelled:
    id: str
    story: str
    copy_of: str | None
    part: str
    text: ArticleText
    at_s: float


@dataclass(frozen=True, kw_only=True)
class Score:
    precision: float
    recall: float

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def labelled_news(part: str | None = None) -> list[Labelled]:
    """Return the articles in order of arrival; of one part, or of both, one after the other."""
    lines = (Path(__file__).parent / "news.jsonl").read_text(encoding="utf-8").splitlines()
    return [article for article in map(_article, lines) if part in {None, article.part}]


def pairwise(articles: Sequence[Labelled], given: Mapping[str, Hashable]) -> Score:
    """Count pairs: of those given one story, how many tell one; of those that tell one, how many are given one."""
    return _score(articles, together=lambda a, b: given[a.id] == given[b.id], truly=lambda a, b: a.story == b.story)


def copies(articles: Sequence[Labelled], found: Mapping[str, Hashable]) -> Score:
    """The same of copies: an original and its copies are one group."""
    return _score(
        articles,
        together=lambda a, b: found[a.id] == found[b.id],
        truly=lambda a, b: (a.copy_of or a.id) == (b.copy_of or b.id),
    )


def b_cubed(articles: Sequence[Labelled], given: Mapping[str, Hashable]) -> Score:
    """Average over articles: the share of its given story that is right, and of its true story that is there."""
    both = Counter((given[article.id], article.story) for article in articles)
    clusters, stories = Counter(given[article.id] for article in articles), Counter(one.story for one in articles)
    right = [both[given[one.id], one.story] for one in articles]
    precision = sum(n / clusters[given[one.id]] for n, one in zip(right, articles, strict=True))
    recall = sum(n / stories[one.story] for n, one in zip(right, articles, strict=True))
    return Score(precision=precision / len(articles), recall=recall / len(articles))


def _score(
    articles: Sequence[Labelled],
    *,
    together: Callable[[Labelled, Labelled], bool],
    truly: Callable[[Labelled, Labelled], bool],
) -> Score:
    counts = Counter((together(a, b), truly(a, b)) for a, b in itertools.combinations(articles, 2))
    right = counts[True, True]
    return Score(
        precision=right / (right + counts[True, False]) if right else 0.0,
        recall=right / (right + counts[False, True]) if right else 0.0,
    )


def _article(line: str) -> Labelled:
    row = json.loads(line)
    text = ArticleText(title=row["title"], summary=row["summary"], body=row["body"], lang=row["lang"])
    at_s = datetime.fromisoformat(row["published_at"]).timestamp()
    labels = {name: row[name] for name in ("id", "story", "copy_of", "part")}
    return Labelled(text=text, at_s=at_s, **labels)
