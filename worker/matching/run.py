"""Matches stored articles with all topics and stores what was found: matches, evidence, and the numbers of new stories.

Holds the compiled engine of one process and renews it when the topics' generation has moved. A saved query that this
version refuses is switched off visibly; the others go on. Called by `tasks` and the CLI.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta

from sqlalchemy import Connection

from worker.errors import QueryError
from worker.matching.analyser import ArticleText, analyse
from worker.matching.engine import Engine
from worker.matching.evidence import Match
from worker.matching.query import Node, parse
from worker.matching.references import resolve
from worker.model import ArticleId, Severity, TopicId
from worker.store import articles, topics
from worker.store.articles import StoredArticle
from worker.store.database import Database, now
from worker.store.topics import TopicMatch, TopicRow

log = logging.getLogger(__name__)

_SPANS_KEPT = 40  # of one topic in one article: enough for every highlight, bounded for a 2 MB body


@dataclass(frozen=True, kw_only=True, slots=True)
class Matched:
    """What the matching of one article came to: the shared topics' slugs, sorted, and how many pairs are news."""

    article_id: ArticleId
    topics: tuple[str, ...]
    new_pairs: int


class Matcher:
    """Matches articles one by one, with the topics as they are at that moment. One a process; threads take turns."""

    def __init__(self, database: Database, *, gather: timedelta) -> None:
        self._database, self._gather = database, gather
        self._engine = Engine.build({})
        self._generation: int | None = None
        self._turn = threading.Lock()

    def match(self, article_id: ArticleId) -> Matched | None:
        """Match an article's latest revision, unless that has been done; None when there is nothing to do."""
        with self._turn:
            self._renew()
            with self._database.read() as conn:
                article = articles.by_id(conn, article_id)
            if article is None or article.matched_at is not None:
                return None
            found = self._engine.match(analyse(text_of(article)))
            return self._store(article, found)

    def _store(self, article: StoredArticle, found: Sequence[Match]) -> Matched | None:
        with self._database.write() as conn:
            if not articles.mark_matched(conn, article.id, revision=article.revision):
                return None  # updated meanwhile, or matched by somebody else
            gather = timedelta(0) if article.severity == Severity.BREAKING else self._gather
            new_pairs = topics.store_matches(
                conn,
                article_id=article.id,
                story_id=article.story_id,
                revision=article.revision,
                found=[_row(match) for match in found],
                alert_due_at=now(conn) + gather if article.may_alert else None,
            )
            slugs = topics.slugs_of(conn, article.id)
        return Matched(article_id=article.id, topics=tuple(slugs), new_pairs=new_pairs)

    def _renew(self) -> None:
        with self._database.read() as conn:
            generation = topics.generation(conn)
            if generation == self._generation:
                return
            rows = topics.topics(conn)
        expressions, refused = compile_topics(rows)
        self._engine = Engine.build(expressions)
        self._generation = generation
        if refused:
            with self._database.write() as conn:
                _switch_off(conn, refused)
        log.info("%d topics compiled, %d switched off", len(expressions), len(refused))


def compile_topics(rows: Sequence[TopicRow]) -> tuple[dict[int, Node], dict[TopicId, str]]:
    """Return the queries without references by topic id, and why each of the others is refused."""
    shared: dict[str, Node] = {}
    parsed: dict[TopicId, Node] = {}
    refused: dict[TopicId, str] = {}
    for row in rows:
        try:
            parsed[row.id] = parse(row.query)
        except QueryError as error:
            refused[row.id] = str(error)
            continue
        if row.slug is not None:
            shared[row.slug] = parsed[row.id]
    expressions: dict[int, Node] = {}
    for topic_id, node in parsed.items():
        try:
            expressions[topic_id] = resolve(node, shared)
        except QueryError as error:
            refused[topic_id] = str(error)
    return expressions, refused


def text_of(article: StoredArticle) -> ArticleText:
    """Return what queries can look at of a stored article."""
    return ArticleText(
        title=article.title,
        summary=article.summary,
        body=article.body,
        author=article.author,
        section=article.section,
        source=article.outlet,
        lang=article.lang,
        url=article.url,
        tags=tuple(article.tags),
    )


def _row(match: Match) -> TopicMatch:
    evidence = [{**asdict(span), "field": str(span.field)} for span in match.spans[:_SPANS_KEPT]]
    return TopicMatch(topic_id=TopicId(match.expression), strength=int(match.strength), evidence=evidence)


def _switch_off(conn: Connection, refused: Mapping[TopicId, str]) -> None:
    for topic_id, reason in refused.items():
        log.error("topic %d is switched off: %s", topic_id, reason)
        topics.disable(conn, topic_id, reason)
