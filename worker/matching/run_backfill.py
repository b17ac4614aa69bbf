"""Applies a topic's query, as it is now, to articles of the last days that were matched before it asked for them.

An edited topic applies forward; this is how somebody asks for what lies behind. The stories found get new numbers, so
that they come in each follower's next digest, once; nobody is alerted. Looks where `run_backtest` looks, and stores
step by step: safe to interrupt and to repeat. Called by the command line.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from sqlalchemy import Connection

from worker.errors import OvertakenError
from worker.matching.analyser import analyse
from worker.matching.evaluate import evidence
from worker.matching.evidence import Match
from worker.matching.query import Node
from worker.matching.run_backtest import understood
from worker.matching.run_kept import kept
from worker.matching.run_survey import survey
from worker.matching.run_text import text_of
from worker.model import ArticleId
from worker.store import articles, backfilling
from worker.store.articles import StoredArticle
from worker.store.backfilling import Met
from worker.store.database import Database, now
from worker.store.topics import TopicRow

MAX_DAYS: Final = 28
"""What a reader was shown is remembered for 35 days, and a weekly digest comes up to seven days after the backfill."""

_AT_ONCE: Final = 500  # articles read, and stored in one transaction: at most a match and a pair each
_TITLES: Final = 5

_Meeting = tuple[StoredArticle, Met]


@dataclass(frozen=True, kw_only=True, slots=True)
class Backfilled:
    """What a backfill has stored or, of a dry run, would store.

    `articles` are new matches, `stories` those that got a number, `titles` the newest of these by their articles.
    `waiting` are articles that no matching has seen yet: they are left to the workers.
    """

    since: datetime
    articles: int
    stories: int
    waiting: int
    titles: tuple[str, ...]


def backfill(
    database: Database,
    topic: TopicRow,
    *,
    days: int,
    actor: str,
    dry_run: bool = False,
    on_step: Callable[[int, int], None] = lambda _done, _total: None,
) -> Backfilled:
    """Let a topic meet the articles of the last `days` that it has not met.

    `on_step` is told how many articles are done, of how many. Raises `QueryError`, and `OvertakenError` when the topic
    is changed meanwhile: what was stored until then stays, and a repetition goes on from there.
    """
    with database.read() as conn:
        node = understood(conn, topic.query)
        since = now(conn) - timedelta(days=days)
        possible = _possible(conn, topic, node, since=since)
        numbered = backfilling.numbered_stories(conn, topic.id) if dry_run else set()
    run = _DryRun(numbered) if dry_run else _Run(database, topic, days=days, actor=actor)
    waiting = done = 0
    on_step(0, len(possible))
    for start in range(0, len(possible), _AT_ONCE):
        some = possible[start : start + _AT_ONCE]
        with database.read() as conn:
            read = {article.id: article for article in articles.by_ids(conn, some)}
        present = [read[number] for number in some if number in read]  # the earliest first, as they are numbered
        waiting += sum(article.matched_at is None for article in present)
        run.take(list(_meetings((article for article in present if article.matched_at is not None), topic, node)))
        done += len(some)
        on_step(done, len(possible))
    run.finish()
    return Backfilled(
        since=since, articles=run.articles, stories=run.stories, waiting=waiting, titles=tuple(reversed(run.titles))
    )


def _possible(conn: Connection, topic: TopicRow, node: Node, *, since: datetime) -> list[ArticleId]:
    """Return the articles that may match and that the topic has not met, the earliest first."""
    seen = survey(conn, [node], since=since, give_up=lambda: None)
    met = backfilling.met_articles(conn, topic.id)
    numbers = seen.article[np.flatnonzero(seen.bounds[0].possible)].tolist()
    return [ArticleId(number) for number in numbers if number not in met]


def _meetings(present: Iterable[StoredArticle], topic: TopicRow, node: Node) -> Iterator[_Meeting]:
    for article in present:
        if spans := evidence(node, analyse(text_of(article))):
            match = kept(Match(expression=topic.id, spans=spans))
            yield article, Met(article.id, article.revision, match)


class _DryRun:
    """Counts what would be stored."""

    def __init__(self, numbered: set[int]) -> None:
        self._numbered = numbered
        self.articles = self.stories = 0
        self.titles: deque[str] = deque(maxlen=_TITLES)

    def take(self, found: Sequence[_Meeting]) -> None:
        for article, _ in found:
            self.articles += 1
            if article.story_id not in self._numbered:
                self._numbered.add(article.story_id)
                self.stories += 1
                self.titles.append(article.title)

    def finish(self) -> None:
        """Nothing is left to do."""


class _Run:
    """Stores what matches, each step in a transaction with the audit's row."""

    def __init__(self, database: Database, topic: TopicRow, *, days: int, actor: str) -> None:
        self._database, self._topic, self._days = database, topic, days
        self._held: list[_Meeting] = []
        self.articles = self.stories = 0
        self.titles: deque[str] = deque(maxlen=_TITLES)
        with database.write() as conn:
            self._note = backfilling.open_note(conn, actor=actor, slug=topic.slug or "", **self._detail(0, 0))

    def take(self, found: Sequence[_Meeting]) -> None:
        if found:
            self._keep(found, wait=False)

    def finish(self) -> None:
        """Store what others were changing, one by one."""
        held, self._held = self._held, []
        for one in held:
            self._keep([one], wait=True)

    def _keep(self, found: Sequence[_Meeting], *, wait: bool) -> None:
        with self._database.write() as conn:
            if not backfilling.hold_topic(conn, self._topic.id, query=self._topic.query):
                raise OvertakenError(
                    f"the topic {self._topic.slug} was changed meanwhile, after {self.articles:,} articles were added; "
                    "they stay: run this again for the rest"
                )
            stored = backfilling.keep(conn, self._topic.id, [met for _, met in found], wait=wait)
            articles, stories = self.articles + stored.articles, self.stories + len(stored.stories)
            backfilling.set_note(conn, self._note, **self._detail(articles, stories))
        self.articles, self.stories = articles, stories
        self._held += [one for one in found if one[0].id in stored.held]
        by_story = {
            article.story_id: article.title for article, _ in reversed(found)
        }  # by its first, as it is numbered
        self.titles.extend(by_story[story] for story in stored.stories if story in by_story)

    def _detail(self, articles: int, stories: int) -> dict[str, int]:
        return {"days": self._days, "version": self._topic.version, "articles": articles, "stories": stories}
