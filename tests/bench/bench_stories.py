"""How well copies and stories are found in the labelled news, beside plain methods, and what an article costs.

    python tests/bench/bench_stories.py [--write]

Peers, in the same run: SimHash (64 bits, at most 3 of them different: Manku et al. 2007), Jaccard of the titles' words,
and scikit-learn's TF-IDF with a cosine from 0.35, where it is installed (it is no dependency).
`--write` puts the tables into docs/benchmarks.md.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import itertools
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.page import conditions, table, write_section
from tests.labelled.news import Labelled, Score, b_cubed, copies, labelled_news, pairwise
from worker.matching.analyser import ArticleText
from worker.matching.run_stories import Places
from worker.matching.stories import Told, Window
from worker.matching.stories_reading import Reading, read
from worker.matching.stories_stream import Stream
from worker.model import ArticleId, Novelty
from worker.sameness import MIN_CLOSENESS, STORY_WINDOW
from worker.store import articles as stored_articles
from worker.store import sources, stories
from worker.store.database import Database, now
from worker.store.migrate import upgrade
from worker.store.stories import StoredReading
from worker.wording import bands, is_copy, overlap, shingles, wording, words

_WINDOW_S: Final = STORY_WINDOW.total_seconds()
_FULL: Final = 30_000
_MEASURED: Final = 500
_SWEPT: Final = (0.18, 0.22, 0.24, 0.26, 0.28, 0.30, 0.34, 0.40)

_PARTS: Final = {"tuned": "tuned on", "held-out": "held out"}
_ABOUT: Final = """\
`tests/labelled/` holds {count} invented articles, in two parts: the figures in force were chosen by the first, the
second was looked at once, afterwards. The peers join whatever is the same, and what is the same as that, within 72
hours."""


def ours(news: Sequence[Labelled], closeness: float = MIN_CLOSENESS) -> dict[str, str]:
    stream = Stream[str](closeness=closeness)
    return {one.id: stream.place(one.id, one.text, one.at_s) for one in news}


def linked(news: Sequence[Labelled], same: Callable[[Labelled, Labelled], bool]) -> dict[str, str]:
    """Join whatever is the same, and what is the same as that, within the window: how the peers are used everywhere."""
    given: dict[str, str] = {}
    for place, one in enumerate(news):
        near = [other for other in news[:place] if abs(one.at_s - other.at_s) <= _WINDOW_S and same(one, other)]
        given[one.id] = given[near[0].id] if near else one.id
        joined = {given[other.id] for other in near}
        given.update({name: given[one.id] for name, story in given.items() if story in joined})
    return given


def title_jaccard(one: Labelled, other: Labelled) -> bool:
    first, second = set(_title(one)), set(_title(other))
    return len(first & second) >= 0.5 * len(first | second)


@cache
def simhash(found: tuple[str, ...]) -> int:
    totals = [0] * 64
    for word in found:
        digest = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "big")
        for bit in range(64):
            totals[bit] += 1 if digest >> bit & 1 else -1
    return sum(1 << bit for bit, total in enumerate(totals) if total > 0)


def simhash_story(one: Labelled, other: Labelled) -> bool:
    return (simhash(_told(one)) ^ simhash(_told(other))).bit_count() <= 3


def simhash_copy(one: Labelled, other: Labelled) -> bool:
    return (simhash(worded(one)) ^ simhash(worded(other))).bit_count() <= 3


def our_copy(one: Labelled, other: Labelled) -> bool:
    alike = set(keys(worded(one))) & set(keys(worded(other)))
    return bool(alike) and is_copy(overlap(shingles(worded(one)), shingles(worded(other))))


@cache
def keys(found: tuple[str, ...]) -> tuple[int, ...]:
    return bands(found)


@cache
def _title(one: Labelled) -> tuple[str, ...]:
    return words(one.text.title)


@cache
def _told(one: Labelled) -> tuple[str, ...]:
    return words(f"{one.text.title} {one.text.summary}")


@cache
def worded(one: Labelled) -> tuple[str, ...]:
    return wording(title=one.text.title, summary=one.text.summary, body=one.text.body)


def scikit_learn(news: Sequence[Labelled]) -> dict[str, str]:
    text = importlib.import_module("sklearn.feature_extraction.text")
    vectors = text.TfidfVectorizer(sublinear_tf=True).fit_transform(
        [f"{one.text.title} {one.text.summary}" for one in news]
    )
    near = (vectors @ vectors.T).toarray()
    places = {one.id: place for place, one in enumerate(news)}
    return linked(news, lambda one, other: near[places[one.id], places[other.id]] >= 0.35)


def figures(score: Score) -> list[str]:
    return [f"{score.precision:.3f}", f"{score.recall:.3f}", f"{score.f1:.3f}"]


def story_table(news: Sequence[Labelled]) -> str:
    ways = {
        "Tocsin": ours(news),
        "Jaccard of titles, 0.5": linked(news, title_jaccard),
        "SimHash of title and summary, 3 bits": linked(news, simhash_story),
    }
    if importlib.util.find_spec("sklearn"):
        ways["scikit-learn TF-IDF, cosine 0.35"] = scikit_learn(news)
    rows = [[way, *figures(pairwise(news, given)), *figures(b_cubed(news, given))] for way, given in ways.items()]
    heads = ["stories", "pairs: precision", "recall", "F1", "B-cubed: precision", "recall", "F1"]
    return table(heads, rows)


def copy_table(news: Sequence[Labelled]) -> str:
    rows = [
        ["Tocsin", *figures(copies(news, linked(news, our_copy)))],
        ["SimHash of the wording, 3 bits", *figures(copies(news, linked(news, simhash_copy)))],
    ]
    return table(["copies", "pairs: precision", "recall", "F1"], rows)


def sweep_table(parts: dict[str, Sequence[Labelled]]) -> str:
    rows = [
        [
            f"{closeness:.2f}",
            *itertools.chain(*(figures(pairwise(news, ours(news, closeness)))[:2] for news in parts.values())),
        ]
        for closeness in _SWEPT
    ]
    heads = [f"{part}: {what}" for part in parts for what in ("precision", "recall")]
    return table(["closeness from", *heads], rows)


def invented(count: int, seed: int) -> list[ArticleText]:
    """Make articles of 12 and 40 words, frequent and rare as words are, to fill a window; they tell nothing."""
    chance = random.Random(seed)
    vocabulary = [f"w{number}x" for number in range(60_000)]
    weights = list(itertools.accumulate(1 / (rank + 20) for rank in range(len(vocabulary))))
    drawn = iter(chance.choices(vocabulary, cum_weights=weights, k=52 * count))

    def text(size: int) -> str:
        return " ".join(itertools.islice(drawn, size))

    return [ArticleText(title=text(12), summary=text(40)) for _ in range(count)]


def cost_table(news: Sequence[Labelled]) -> str:
    texts = list(itertools.islice(itertools.cycle(one.text for one in news), _MEASURED))
    filling = [read(text) for text in invented(_FULL, seed=1)]
    rows = [
        ["read and placed in memory", *_in_memory(texts, filling)],
        ["read, placed and stored, SQLite", *_stored(texts, filling)],
    ]
    return table(["an article, 30,000 in the window", "ms of CPU", "start-up, s (CPU)"], rows)


def _in_memory(texts: Sequence[ArticleText], filling: Sequence[Reading]) -> list[str]:
    began_s = time.process_time()
    window = Window[int, int]()
    for number, reading in enumerate(filling):
        window.add(Told(article=number, story=number, at_s=0.0, begins_at_s=0.0, reading=reading))
    full_s = time.process_time()
    for number, text in enumerate(texts, start=len(filling)):
        reading = read(text)
        found = window.closest(reading, at_s=0.0)
        story = found.story if found else number
        window.add(Told(article=number, story=story, at_s=0.0, begins_at_s=0.0, reading=reading))
    each_s = (time.process_time() - full_s) / len(texts)
    return [f"{1000 * each_s:.1f}", f"{full_s - began_s:.1f}"]


def _stored(texts: Sequence[ArticleText], filling: Sequence[Reading]) -> list[str]:
    with tempfile.TemporaryDirectory() as home:
        database = Database(f"sqlite:///{home}/tocsin.db")
        upgrade(database)
        ids = _store(database, texts, filling)
        began_s = time.process_time()
        places = Places(database)
        places.get_ready()
        ready_s = time.process_time()
        for article_id, text in zip(ids, texts, strict=True):
            reading = places.prepare(text)
            with database.write() as conn:
                turn = places.take_turn(conn)
                article = stored_articles.by_id(conn, article_id)
                assert article is not None
                places.place(conn, article, reading, turn=turn)
        each_s = (time.process_time() - ready_s) / len(texts)
        database.close()
    return [f"{1000 * each_s:.1f}", f"{ready_s - began_s:.1f}"]


def _store(database: Database, texts: Sequence[ArticleText], filling: Sequence[Reading]) -> list[ArticleId]:
    """Fill the window with readings of as many articles, and store the texts, which nobody has placed yet."""
    with database.write() as conn:
        at = now(conn) - timedelta(minutes=5)
        source = sources.put(conn, kind="file", name="bench")

        def add(key: str, text: ArticleText) -> ArticleId:
            return stored_articles.add_article(
                conn,
                story_id=None,
                bands=(),
                source_id=source,
                item_key=key,
                title=text.title,
                summary=text.summary,
                body=text.body,
                reason="new",
                novelty=Novelty.NEW,
                text_hash="",
                published_at=at,
            )

        for number, reading in enumerate(filling):
            article_id = add(f"filling {number}", ArticleText())
            stories.keep_reading(
                conn,
                StoredReading(
                    article_id=article_id,
                    seq=stories.take_turn(conn),
                    story_id=stories.story_of(conn, article_id),
                    published_at=at,
                    begins_at=at,
                    language=reading.language,
                    terms=" ".join(reading.terms),
                    marks="2" * len(reading.terms),
                ),
            )
        return [add(f"text {number}", text) for number, text in enumerate(texts)]


def main() -> None:
    parts: dict[str, Sequence[Labelled]] = {part: labelled_news(part) for part in _PARTS}
    everything = labelled_news()
    sections = [_ABOUT.format(count=len(everything))]
    for part, news in parts.items():
        sections += [f"Stories, {len(news)} articles, the part that was {_PARTS[part]}:", story_table(news)]
    sections += ["Copies, all articles:", copy_table(everything)]
    sections += [f"How close an article must be (in force: {MIN_CLOSENESS}):", sweep_table(parts)]
    sections += ["What it costs:", cost_table(everything), conditions()]
    text = "\n\n".join(sections)
    sys.stdout.write(f"{text}\n")
    if "--write" in sys.argv:
        write_section("stories", text)


if __name__ == "__main__":
    main()
