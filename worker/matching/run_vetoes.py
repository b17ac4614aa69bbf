"""Counts what a veto would cost a reader's own query, and finds what it leaves of what already waits for its reader.

Reads only. Called by the page behind "not this" in mails.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection

from worker.matching.analyser import analyse
from worker.matching.evaluate import evidence
from worker.matching.evidence import Match
from worker.matching.run_backtest import Effort, TextReader, give_up_after, understood
from worker.matching.run_kept import kept
from worker.matching.run_survey import survey
from worker.matching.run_text import text_of
from worker.matching.vetoes import leaving_out, words_to_leave_out
from worker.model import ArticleId, TopicId
from worker.store import articles
from worker.store.backfilling import Met
from worker.store.database import Database, now

DAYS: Final = 14
_EFFORT: Final = Effort(stories=200, reading_s=0.3, total_s=3.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Veto:
    """A word that may be left out, the query then, and how many stories of the last days would fall away by it."""

    word: str
    query: str
    falls_away: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Vetoes:
    """What one query may leave out. `stories` it has found in the last days; where `is_estimated`, about so many."""

    stories: int
    is_estimated: bool
    words: tuple[Veto, ...]


def offered(database: Database, query: str, title: str) -> tuple[str, ...]:
    """Return the words of a story's title that a query may leave out. Raises `QueryError`."""
    with database.read() as conn:
        return words_to_leave_out(title, understood(conn, query))


def vetoes(database: Database, query: str, title: str, *, effort: Effort = _EFFORT) -> Vetoes:
    """Propose words of a story's title, with what each of them would cost. Raises `QueryError` and `TooLongError`."""
    with database.read() as conn:
        node = understood(conn, query)
        words = words_to_leave_out(title, node)
        queries = [leaving_out(query, word) for word in words]
        nodes = [node, *(understood(conn, one) for one in queries)]
        since = now(conn) - timedelta(days=DAYS)
        seen = survey(conn, nodes, since=since, give_up=give_up_after(effort.total_s))
        reader = TextReader(conn, seen)
        counts = [reader.count(number, one, effort)[0] for number, one in enumerate(nodes)]
    whole, *left = counts
    return Vetoes(
        stories=whole.stories,
        is_estimated=any(count.unread for count in counts),
        words=tuple(
            Veto(word=word, query=one, falls_away=max(0, whole.stories - count.stories))
            for word, one, count in zip(words, queries, left, strict=True)
        ),
    )


def met_by(conn: Connection, topic_id: TopicId, query: str, asked: Sequence[ArticleId]) -> list[Met]:
    """Return those of some articles that concern a query, as matches of its topic, the earliest first."""
    return list(_met_by(conn, topic_id, query, asked))


def _met_by(conn: Connection, topic_id: TopicId, query: str, asked: Sequence[ArticleId]) -> Iterator[Met]:
    node = understood(conn, query)
    for article in sorted(articles.by_ids(conn, asked), key=lambda one: one.id):
        if spans := evidence(node, analyse(text_of(article))):
            yield Met(article.id, article.revision, kept(Match(expression=topic_id, spans=spans)))
