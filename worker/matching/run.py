"""Matches stored articles with all topics and stores what was found: matches, evidence, and the numbers of new stories.

Asks the engine that `run_following` keeps up to date, and `run_stories` for the story. Called by `tasks` and the CLI.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from worker.matching.analyser import analyse
from worker.matching.evidence import Match
from worker.matching.run_following import Follower
from worker.matching.run_kept import kept
from worker.matching.run_snapshots import Snapshots
from worker.matching.run_stories import Places
from worker.matching.run_terms import TermIndex
from worker.matching.run_text import text_of
from worker.matching.stories_reading import Reading
from worker.matching.warming import warm_up
from worker.model import ArticleId, Severity
from worker.store import articles, editing, topics
from worker.store.articles import StoredArticle
from worker.store.database import Database, now


@dataclass(frozen=True, kw_only=True, slots=True)
class Matched:
    """What the matching of one article came to: the shared topics' slugs, sorted, and how many pairs are news.

    `is_due`: there may be something to alert of at once.
    """

    article_id: ArticleId
    topics: tuple[str, ...]
    new_pairs: int
    is_due: bool


class Matcher:
    """Matches articles one by one, with the topics as they are at that moment. One a process; threads take turns."""

    def __init__(self, database: Database, *, gather: timedelta, cache: Path | None = None) -> None:
        """`cache` is a folder for snapshots of the compiled topics, which may be emptied at any time."""
        self._database, self._gather = database, gather
        self._topics = Follower(database, Snapshots(database, cache) if cache else None)
        self._terms = TermIndex(database)
        self._places = Places(database)
        self._turn = threading.Lock()

    def get_ready(self) -> None:
        """Compile the topics and read the latest stories now, so that the next article need not wait for it."""
        warm_up()
        with self._turn:
            self._topics.engine()
            self._places.get_ready()

    def match(self, article_id: ArticleId) -> Matched | None:
        """Match an article's latest revision, unless that has been done; None when there is nothing to do."""
        with self._turn:
            engine = self._topics.engine()
            with self._database.read() as conn:
                article = articles.by_id(conn, article_id)
            if article is None or article.matched_at is not None:
                return None
            text = text_of(article)
            analysed = analyse(text)
            matched = self._store(article, engine.match(analysed), self._places.prepare(text))
            if matched is not None:  # readers come first: no alert waits for what backtests will look through
                self._terms.keep(article, analysed)
            return matched

    def _store(self, article: StoredArticle, found: Sequence[Match], reading: Reading) -> Matched | None:
        with self._database.write() as conn:
            turn = self._places.take_turn(conn)
            if not articles.mark_matched(conn, article.id, revision=article.revision):
                return None  # updated meanwhile, or matched by somebody else
            is_breaking = article.severity == Severity.BREAKING
            gather = timedelta(0) if is_breaking else self._gather
            story_id = self._places.place(conn, article, reading, turn=turn)
            new_pairs = topics.store_matches(
                conn,
                article_id=article.id,
                story_id=story_id,
                revision=article.revision,
                found=[kept(match) for match in found],
                alert_due_at=now(conn) + gather if article.may_alert else None,
            )
            if is_breaking and article.may_alert:
                editing.make_pending_due(conn, story_id)
            slugs = topics.slugs_of(conn, article.id)
        is_due = bool(found) and article.may_alert and not gather
        return Matched(article_id=article.id, topics=tuple(slugs), new_pairs=new_pairs, is_due=is_due)
