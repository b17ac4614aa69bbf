"""From POST /api/v1/articles to the stored match with its evidence, through a running house with many standing queries.

Starts `tocsin up` as an operator would (web, broker, workers, beat; on SQLite, and on a PostgreSQL of its own), puts in
the seeds' topics and readers' own queries, and measures: a fresh worker's first article, articles one by one, articles
at a rate, and the same while readers add queries. Ends by itself, and ends what it has started.
`python -m tests.bench.bench_matching_latency --help` says what can be chosen.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

import sqlalchemy as sa

from tests.acceptance.houses import API_KEY, CommandLine, Installation, Running, own_ports, until
from tests.bench.newsroom import News, Reader, insert_queries
from tests.bench.page import ROOT, conditions, table, write_section
from tests.bench.pushing import Press, Pushed, Told, tell
from tests.databases import Cluster
from worker.store.database import Database
from worker.store.schema import Article

_PAUSE_S: Final = 0.05
_WARM_UP: Final = 30  # articles that nobody counts: connections are opened, caches filled
_FIRST_WITHIN_S: Final = 300.0
_KEYS: Final = {
    "TOCSIN_API_KEY": API_KEY,
    "TOCSIN_SECRET_KEYS": "a-key-for-the-benchmark-0123456789",
    "TOCSIN_SUPPRESSION_KEY": "another-key-for-the-benchmark-0123",
}
_ON_DISK: Final = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "autovacuum": "on"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """How much is measured."""

    queries: int
    articles: int
    per_s: float
    added: int


@dataclass(kw_only=True, slots=True)
class Report:
    """The lines of the two tables."""

    latencies: list[Sequence[object]] = field(default_factory=list)
    moments: list[Sequence[object]] = field(default_factory=list)
    sizes: dict[str, str] = field(default_factory=dict)

    def note(self, label: str, told: Told) -> None:
        """Write one run down, in milliseconds."""
        if told.matches_with_evidence < told.matches:
            raise AssertionError(f"{label}: {told.matches - told.matches_with_evidence} matches have no evidence")
        matched, answered = _percentiles(told.until_matched_ms), _percentiles(told.until_answered_ms)
        count = len(told.until_matched_ms)
        self.latencies.append([label, count, f"{told.matches / count:.0f}", *matched, *answered])
        _say(" | ".join(map(str, self.latencies[-1])))

    def note_moment(self, label: str, spent_s: float) -> None:
        """Write one single duration down."""
        self.moments.append([label, f"{spent_s:,.3f}"])
        _say(" | ".join(map(str, self.moments[-1])))


def main() -> None:
    """Measure, print, and write the section of docs/benchmarks.md."""
    reader = argparse.ArgumentParser(description="From POST /api/v1/articles to the stored match.")
    reader.add_argument("--queries", type=int, default=100_000)
    reader.add_argument("--articles", type=int, default=300, help="in each run")
    reader.add_argument("--per-s", type=float, default=10.0, help="the rate, in articles a second")
    reader.add_argument("--added", type=int, default=20, help="own queries that readers add meanwhile")
    reader.add_argument("--databases", default="sqlite,postgresql")
    reader.add_argument("--dry", action="store_true", help="write nothing into docs/benchmarks.md")
    given = reader.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # whatever was started is ended then too
    wanted = Wanted(queries=given.queries, articles=given.articles, per_s=given.per_s, added=given.added)
    news, report = News(wanted.queries), Report()
    for kind in given.databases.split(","):
        with made(kind) as place:
            measure(place, wanted, news, report)
    told = "\n\n".join((_explained(wanted, report), *_tables(report), conditions()))
    _say(f"\n{told}")
    if not given.dry:
        write_section("latency", told)


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where is measured."""

    kind: str
    house: Installation
    database: Database


@contextlib.contextmanager
def made(kind: str) -> Iterator[Place]:
    """Make an installation with a database of a kind, and end all of it."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tocsin-bench-")))
        settings = {**own_ports(), **_KEYS}
        if kind == "postgresql":
            cluster = Cluster(**_ON_DISK)
            stack.callback(cluster.stop)
            settings["TOCSIN_DATABASE_URL"] = stack.enter_context(cluster.bare())
        commands = CommandLine()
        stack.callback(commands.close)
        house = Installation(folder / "home", commands, settings)
        house.told("db", "upgrade")
        url = settings.get("TOCSIN_DATABASE_URL", f"sqlite:///{house.home / 'tocsin.db'}")
        database = Database(url)
        stack.callback(database.close)
        yield Place(kind=kind, house=house, database=database)


def measure(place: Place, wanted: Wanted, news: News, report: Report) -> None:
    """Measure on one kind of database."""
    kind, house, database = place.kind, place.house, place.database
    house.told("topics", "import", ROOT / "seeds" / "topics")
    insert_queries(database, news.standing)
    press = Press(house.url, API_KEY)
    with house.up() as running:
        report.note_moment(f"{kind}: a fresh worker, nothing cached", _until_first(running, database, press, news))
        until(lambda: list((house.home / "cache").glob("*.engine")), within_s=120, what="a snapshot", tell=house.logs)
    with house.up() as running:
        report.note_moment(f"{kind}: a fresh worker, with a snapshot", _until_first(running, database, press, news))
        press.one_by_one(news.articles(_WARM_UP), pause_s=_PAUSE_S)
        at_rest = press.one_by_one(news.articles(wanted.articles), pause_s=_PAUSE_S)
        report.note(f"{kind}, one after another", tell(database, at_rest))
        report.note(f"{kind}, {wanted.per_s:g} a second", tell(database, _at_rate(press, news, wanted)))
        with Reader(database, press, count=wanted.added) as reader:
            report.note(f"{kind}, the same while queries come", tell(database, _at_rate(press, news, wanted)))
        report.note_moment(f"{kind}: a query added meanwhile, median", statistics.median(reader.added_s))
        report.note_moment(f"{kind}: a query added meanwhile, slowest of {wanted.added}", max(reader.added_s))
        report.sizes[kind] = _matching_processes_mb(running)


def _until_first(running: Running, database: Database, press: Press, news: News) -> float:
    """Push an article into a house that has just started; return how long after the worker's start it is matched."""
    (control,) = (child for name, child in running.children().items() if "control" in name)
    pushed = press.push(next(news.articles(1)))
    query = sa.select(Article.matched_at).where(Article.id == pushed.article_id)

    def matched_at() -> float | None:
        with database.read() as conn:
            at = conn.execute(query).scalar_one()
        return at.timestamp() if at else None

    found = until(matched_at, within_s=_FIRST_WITHIN_S, what="the first article is matched")
    assert found is not None
    return found - control.create_time()


def _at_rate(press: Press, news: News, wanted: Wanted) -> list[Pushed]:
    return press.at_rate(news.articles(wanted.articles), per_s=wanted.per_s, random=Random(5))


def _percentiles(values_ms: Sequence[float]) -> list[str]:
    cuts = statistics.quantiles(values_ms, n=100, method="inclusive")
    return [f"{cuts[place - 1]:.1f}" for place in (50, 95, 99)]


def _tables(report: Report) -> tuple[str, str]:
    told = [f"{side} p{place}" for side in ("matched", "answered") for place in (50, 95, 99)]
    return (
        table(["milliseconds", "articles", "matches each", *told], report.latencies),
        table(["once", "seconds"], report.moments),
    )


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _matching_processes_mb(running: Running) -> str:
    (control,) = (child for name, child in running.children().items() if "control" in name)
    return " and ".join(f"{child.memory_info().rss / 1e6:,.0f}" for child in control.children())


def _explained(wanted: Wanted, report: Report) -> str:
    sizes = "; ".join(f"on {kind} {told} MB" for kind, told in report.sizes.items())
    return (
        f"A running `tocsin up` with {wanted.queries:,} distinct queries of readers and the seeds' topics; articles of"
        " 600 words. *Matched* is the time from the client's sending to the moment in which the match is stored with"
        " its evidence, *answered* to the client's having the answer that names the topics (the web process looks"
        " every few hundredths of a second). Client, web, broker, workers and database share the machine. The two"
        f" processes that match had at the end: {sizes}."
    )


if __name__ == "__main__":
    main()
