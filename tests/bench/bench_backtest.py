"""How long a backtest takes over 100,000 stored articles, on SQLite and on PostgreSQL, beside its peers in one run.

The peers answer how many stories have the words, over the same articles: SQLite's FTS5 and PostgreSQL's tsquery, each
with a full-text index of its own (and without case, particles, mails, samples); and brute force, our own meaning asked
of every article's text, measured on some and multiplied. All of it is made in temporary places and taken away again.
Called by `make bench`; alone: python -m tests.bench.bench_backtest [--articles 100000]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import sqlalchemy as sa

from tests.bench.made_up_news import News, begin, store
from tests.bench.page import conditions, table, write_section
from tests.databases import Cluster, SqliteTemplate, opened
from worker.matching.analyser import analyse
from worker.matching.evaluate import holds
from worker.matching.query import parse
from worker.matching.run_backtest import backtest
from worker.matching.run_terms import TermIndex
from worker.matching.run_text import text_of
from worker.store import articles, migrate
from worker.store.articles import StoredArticle
from worker.store.database import Database, now
from worker.store.schema.base import UtcDateTime

Found = TypeVar("Found")

ROUNDS: Final = 3
ASKED: Final = 400  # articles that brute force is measured on


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """One query, in our words and in those of the peers; one that cannot say it has none."""

    kind: str
    ours: str
    fts5: str = ""
    tsquery: str = ""


QUESTIONS: Final = (
    Question(kind="rare word", ours="zhupanovsky", fts5="zhupanovsky", tsquery="zhupanovsky"),
    Question(kind="medium word", ours="korea", fts5="korea", tsquery="korea"),
    Question(kind="hot word", ours="ministry", fts5="ministry", tsquery="ministry"),
    Question(
        kind="AND, NOT", ours="ministry korea -missile", fts5="ministry AND korea NOT missile",
        tsquery="ministry & korea & !missile",
    ),
    Question(kind="phrase", ours='"north korea"', fts5='"north korea"', tsquery="north <-> korea"),
    Question(kind="prefix", ours="missil*", fts5="missil*", tsquery="missil:*"),
    Question(kind="acronym", ours="US"),
    Question(kind="NEAR", ours="korea NEAR/10 ministry", fts5="NEAR(korea ministry, 9)"),
    Question(kind="inflections", ours="~missile"),
    Question(kind="exact, of a hot word", ours="=Ministry"),
)  # fmt: skip

_IN_PERIOD: Final = "SELECT count(DISTINCT story_id) FROM article WHERE published_at >= :since AND id IN "


_INTRODUCTION: Final = f"""\
`make bench` holds queries against {{count:,}} stored articles of thirty days, whose terms take {{size:,.0f}} bytes an
article, and asks for all that the command tells: count, mails, samples. FTS5 and tsquery have a full-text index of
their own and are asked for the count alone; a dash: they cannot say it. Brute force reads and asks {ASKED} articles,
times all there are. Medians of {ROUNDS} rounds, in turn; `≈` is an estimate, with its margin."""
_COST: Final = """\
Finding, numbering and storing its terms adds {sqlite:.1f} ms (SQLite) and {postgresql:.1f} ms (PostgreSQL) to the
matching of an article, by a process that has seen 400 articles before."""


def main() -> None:
    """Measure, print, and write the section of docs/benchmarks.md."""
    parser = argparse.ArgumentParser(description="Time backtests over stored articles.")
    parser.add_argument("--articles", type=int, default=100_000)
    count: int = parser.parse_args().articles
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        cluster = Cluster()
        stack.callback(cluster.stop)
        sqlite = stack.enter_context(opened(SqliteTemplate(folder).copy(folder / "bench.db")))
        postgresql = stack.enter_context(opened(stack.enter_context(cluster.bare())))
        migrate.upgrade(postgresql)
        say(f"making {count:,} articles and storing them twice ...")
        size = fill(News(count), sqlite, postgresql)
        sections = [
            _INTRODUCTION.format(count=count, size=size),
            measured("SQLite", sqlite, FTS5),
            measured("PostgreSQL", postgresql, TSQUERY),
            _COST.format(sqlite=_added_ms(sqlite), postgresql=_added_ms(postgresql)),
            conditions(),
        ]
    markdown = "\n\n".join(sections)
    say(markdown)
    write_section("backtest", markdown)


def fill(news: News, *databases: Database) -> float:
    """Store all articles in each database; return how many bytes of terms an article has."""
    size = 0
    for database in databases:
        begin(database)
    for block in news.blocks():
        size += sum(map(len, block.terms))
        for database in databases:
            store(database, block)
    return size / news.count


@dataclass(frozen=True, kw_only=True, slots=True)
class Peer:
    """A full-text index in the same database: how it is made, and how it counts stories."""

    name: str
    made_by: tuple[str, ...]
    counts: str


FTS5: Final = Peer(
    name="FTS5",
    made_by=(
        "CREATE VIRTUAL TABLE words USING fts5(title, body, content='')",
        "INSERT INTO words (rowid, title, body) SELECT id, title, body FROM article",
    ),
    counts=_IN_PERIOD + "(SELECT rowid FROM words WHERE words MATCH :query)",
)
TSQUERY: Final = Peer(
    name="tsquery",
    made_by=(
        "CREATE TABLE words AS SELECT id, to_tsvector('simple', title || ' ' || body) AS doc FROM article",
        "CREATE INDEX ON words USING gin (doc)",
        "ANALYZE",
    ),
    counts=_IN_PERIOD + "(SELECT id FROM words WHERE doc @@ to_tsquery('simple', :query))",
)


def measured(name: str, database: Database, peer: Peer) -> str:
    """Return the table of one database."""
    say(f"{name}: making {peer.name}'s index ...")
    with database.write() as conn:
        for statement in peer.made_by:
            conn.exec_driver_sql(statement)
    say(f"{name}: asking ...")
    with database.read() as conn:
        some = articles.latest(conn, limit=ASKED)
        total = conn.execute(sa.text("SELECT count(*) FROM article")).scalar_one()
    rows = []
    for question in QUESTIONS:
        asked, spent_s = timed(partial(_ask_some, question, some))
        rows.append([*_row(database, peer, question), f"{spent_s * total / asked:.0f}"])
    return f"On {name}:\n\n" + table(["query", "stories", "ours, s", f"{peer.name}, s", "brute force, s"], rows)


def _row(database: Database, peer: Peer, question: Question) -> list[str]:
    theirs = question.fts5 if peer is FTS5 else question.tsquery
    ask = partial(backtest, database, question.ours, days=30, timezone="UTC")
    ours_s, peer_s = [], []
    answer = ask()  # once for nothing: what comes first reads from the disk
    for _ in range(ROUNDS):
        ours_s.append(timed(ask)[1])
        if theirs:
            peer_s.append(timed(partial(_count, database, peer, theirs))[1])
    stories = f"≈{answer.stories:,} ± {answer.margin:,}" if answer.estimated else f"{answer.stories:,}"
    told = f"{statistics.median(peer_s):.2f}" if peer_s else "–"
    return [f"{question.kind}: `{question.ours}`", stories, f"{statistics.median(ours_s):.2f}", told]


def _ask_some(question: Question, some: Sequence[StoredArticle]) -> int:
    node = parse(question.ours)
    return len([holds(node, analyse(text_of(article))) for article in some])


def _count(database: Database, peer: Peer, query: str) -> int:
    statement = sa.text(peer.counts).bindparams(sa.bindparam("since", type_=UtcDateTime()), query=query)
    with database.read() as conn:
        return int(conn.execute(statement, {"since": now(conn) - timedelta(days=30)}).scalar_one())


def _added_ms(database: Database) -> float:
    """Return what storing the terms costs an article, with a process's memory warm: finding, numbering, writing."""
    with database.read() as conn:
        some = articles.latest(conn, limit=2 * ASKED)
    index = TermIndex(database)
    analysed = [(article, analyse(text_of(article))) for article in some]
    spent_s = [timed(partial(index.keep, article, one))[1] for article, one in analysed]
    return 1_000 * statistics.median(spent_s[ASKED:])


def timed(do: Callable[[], Found]) -> tuple[Found, float]:
    """Return what came of it, and how many seconds it took."""
    started_s = time.perf_counter()
    found = do()
    return found, time.perf_counter() - started_s


def say(text: str) -> None:
    """Tell whoever waits."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
