"""How well the topic library reads news that it was not written for: precision and recall over labelled sentences.

The entries are invented, their labels judged by hand. A failure prints what was missed and what was found wrongly; mend
a query in general, never for one entry's sake.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.unit.seed_files import topics
from worker.matching.analyser import ArticleText, analyse
from worker.matching.engine import Engine
from worker.matching.query import parse

NEWS = Path(__file__).resolve().parents[1] / "labelled" / "news.tsv"
PRECISION_FLOOR, RECALL_FLOOR = 0.97, 0.95
TOPIC_FLOOR = 0.6
"""For each topic by itself: it has a handful of entries, so that one surprise weighs much."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    title: str
    summary: str
    labels: frozenset[str]


@cache
def entries() -> tuple[Entry, ...]:
    lines = (line for line in NEWS.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    fields = (line.split("\t") for line in lines)
    return tuple(
        Entry(title=title, summary=summary, labels=frozenset(labels.split())) for labels, title, summary in fields
    )


@cache
def found() -> tuple[frozenset[str], ...]:
    slugs = list(topics())
    engine = Engine.build({number: parse(topics()[slug]["query"]) for number, slug in enumerate(slugs)})
    texts = (ArticleText(title=entry.title, summary=entry.summary) for entry in entries())
    return tuple(frozenset(slugs[number] for number in engine.matching(analyse(text))) for text in texts)


def mistakes() -> list[str]:
    return [
        f"{entry.title}: missed {sorted(entry.labels - slugs)}, wrongly {sorted(slugs - entry.labels)}"
        for entry, slugs in zip(entries(), found(), strict=True)
        if slugs != entry.labels
    ]


def test_the_entries_are_many_name_known_topics_and_cover_each_of_them():
    assert len(entries()) >= 450
    assert len({entry.title for entry in entries()}) == len(entries())
    assert {slug for entry in entries() for slug in entry.labels} == set(topics())
    assert sum(not entry.labels for entry in entries()) >= 50  # the traps


def test_of_all_topics_together_precision_and_recall_keep_their_floors():
    right = sum(len(entry.labels & slugs) for entry, slugs in zip(entries(), found(), strict=True))
    precision = right / sum(len(slugs) for slugs in found())
    recall = right / sum(len(entry.labels) for entry in entries())
    assert precision >= PRECISION_FLOOR, mistakes()
    assert recall >= RECALL_FLOOR, mistakes()


def test_no_topic_is_bad_while_the_others_are_good():
    wanted = Counter(slug for entry in entries() for slug in entry.labels)
    given = Counter(slug for slugs in found() for slug in slugs)
    right = Counter(slug for entry, slugs in zip(entries(), found(), strict=True) for slug in entry.labels & slugs)
    low = {slug: (right[slug] / given[slug], right[slug] / wanted[slug]) for slug in wanted if given[slug]}
    assert {slug for slug in wanted if not given[slug]} == set()
    assert {slug: rates for slug, rates in low.items() if min(rates) < TOPIC_FLOOR} == {}
