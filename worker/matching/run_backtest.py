"""Holds a query against the articles of the last days: what it would have found, and how often it would have mailed.

Reads only. `run_survey` goes through the stored terms of every article; the text is read here, of those articles alone
that terms cannot judge: all of them or, where they are too many, as many as an `Effort` allows, evenly over the period.
Called by the command line and the API.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np
from sqlalchemy import Connection

from worker.errors import TooLongError
from worker.matching.analyser import analyse
from worker.matching.backtest import Backtest, Count, Part, Sample, answer, evenly, excerpts, parts_of
from worker.matching.canonical import canonical
from worker.matching.evaluate import evidence, holds
from worker.matching.mails import Found, Period
from worker.matching.query import Node, parse
from worker.matching.references import resolve, slugs
from worker.matching.run_survey import Integers, Survey, survey
from worker.matching.run_text import text_of
from worker.model import ArticleId
from worker.store import articles, topics
from worker.store.articles import StoredArticle
from worker.store.database import Database, now

_SAMPLES: Final = 5
_STORIES_AT_ONCE: Final = 50
NEVER: Final = int(np.iinfo(np.int64).max)


@dataclass(frozen=True, kw_only=True, slots=True)
class Effort:
    """How much may be spent: stories whose text is read, seconds of reading them, and seconds before giving up."""

    stories: int = 5_000
    reading_s: float = 3.5
    total_s: float = float("inf")


_FOR_A_PART: Final = Effort(stories=200, reading_s=0.5)


def backtest(database: Database, query: str, *, days: int, timezone: str, effort: Effort | None = None) -> Backtest:
    """Answer what a query would have found in the last `days`. Raises `QueryError`, and `TooLongError`."""
    spend = effort or Effort()
    give_up = give_up_after(spend.total_s)
    with database.read() as conn:
        node = understood(conn, query)
        until = now(conn)
        period = Period(since=until - timedelta(days=days), until=until, timezone=timezone)
        seen = survey(conn, [node], since=period.since, give_up=give_up)
        reader = TextReader(conn, seen)
        count, first_at_s = reader.count(0, node, spend)
        samples = tuple(reader.samples(0, node, first_at_s))
        parts = () if count.stories else tuple(_parts(conn, node, period, give_up))
    return answer(
        query=query,
        node=node,
        days=days,
        period=period,
        count=count,
        all_stories=len(seen.stories),
        all_articles=len(seen.article),
        articles_read=reader.articles_read,
        samples=samples,
        parts=parts,
    )


class TextReader:
    """Reads the texts that a survey leaves open."""

    def __init__(self, conn: Connection, seen: Survey) -> None:
        self._conn, self._seen = conn, seen
        self.articles_read = 0

    def count(self, query: int, node: Node, effort: Effort) -> tuple[Count, Integers]:
        """Count the stories of the survey's query of that number; return when each first matches, or `NEVER`."""
        seen, (sure, possible) = self._seen, self._seen.bounds[query]
        first_at_s = np.full(len(seen.stories), NEVER)
        np.minimum.at(first_at_s, seen.story[sure], seen.at_s[sure])
        is_certain = first_at_s < NEVER
        # A story is told when its first article matches: what comes after a certain one makes no difference.
        is_open = possible & ~sure & (seen.at_s < first_at_s[seen.story])
        waiting = _by_story(seen.story, np.flatnonzero(is_open))
        order = [waiting[place] for place in evenly(len(waiting))]
        read = self._read(order, node, first_at_s, effort)
        unread = [places[0] for places in order[read:] if not is_certain[seen.story[places[0]]]]
        asked = [story for places in order[:read] if not is_certain[story := seen.story[places[0]]]]
        hits = int(np.count_nonzero(first_at_s[asked] < NEVER)) if asked else 0
        matched_at_s = first_at_s[first_at_s < NEVER]
        chance = hits / len(asked) if asked else 0.5
        found = Found(
            at_s=np.concatenate([matched_at_s, seen.at_s[unread]]) if unread else matched_at_s,
            chance=np.concatenate([np.ones(len(matched_at_s)), np.full(len(unread), chance)]),
        )
        return Count(found=found, read=len(asked), unread=len(unread), hits=hits), first_at_s

    def samples(self, query: int, node: Node, first_at_s: Integers, *, most: int = _SAMPLES) -> Iterator[Sample]:
        """Tell the stories that matched last, each by its newest article that matches."""
        matched = np.flatnonzero(first_at_s < NEVER)
        newest = matched[np.argsort(-first_at_s[matched], kind="stable")][:most]
        possible = self._seen.bounds[query].possible
        for story in newest:
            places = np.flatnonzero(possible & (self._seen.story == story))[::-1]
            told = (
                self._sample(int(self._seen.stories[story]), int(self._seen.article[place]), node) for place in places
            )
            if sample := next(filter(None, told), None):
                yield sample

    def _read(self, order: Sequence[Integers], node: Node, first_at_s: Integers, effort: Effort) -> int:
        """Read stories in the order given until the effort is spent; note when they match, return how many it were."""
        give_up_s = time.monotonic() + effort.reading_s
        read = 0
        while read < min(len(order), effort.stories) and time.monotonic() < give_up_s:
            some = order[read : min(read + _STORIES_AT_ONCE, effort.stories)]
            texts = self._texts(np.concatenate(some))
            for places in some:
                matching = (place for place in places if self._holds(node, texts.get(int(self._seen.article[place]))))
                if (place := next(matching, None)) is not None:
                    first_at_s[self._seen.story[place]] = self._seen.at_s[place]
            read += len(some)
        return read

    def _texts(self, places: Integers) -> dict[int, StoredArticle]:
        ids = [ArticleId(number) for number in self._seen.article[places].tolist()]
        return {article.id: article for article in articles.by_ids(self._conn, ids)}

    def _holds(self, node: Node, article: StoredArticle | None) -> bool:
        """Ask one article; by its places, for one query is not worth the compiled engine's loading."""
        self.articles_read += 1
        return article is not None and holds(node, analyse(text_of(article)))

    def _sample(self, story: int, article_id: int, node: Node) -> Sample | None:
        article = articles.by_id(self._conn, ArticleId(article_id))
        if article is None:
            return None
        analysed = analyse(text_of(article))
        spans = evidence(node, analysed)
        if not spans:
            return None
        return Sample(
            story=story,
            article=article.id,
            title=article.title,
            outlet=article.outlet,
            url=article.url,
            lang=article.lang,
            published_at=article.published_at,
            words=tuple({span.alias.casefold(): span.alias for span in spans}.values()),
            excerpts=tuple(excerpts(analysed, spans)),
        )


def _parts(conn: Connection, node: Node, period: Period, give_up: Callable[[], None]) -> Iterator[Part]:
    """Ask each part of a query alone."""
    parts = list(parts_of(node))
    if not parts:
        return
    seen = survey(conn, [part for part, _ in parts], since=period.since, give_up=give_up)
    for number, (part, is_excluded) in enumerate(parts):
        count, _ = TextReader(conn, seen).count(number, part, _FOR_A_PART)
        yield Part(part=canonical(part), stories=count.stories, estimated=count.unread > 0, excluded=is_excluded)


def understood(conn: Connection, query: str) -> Node:
    """Read a query and put in the stored topics that it names."""
    node = parse(query)
    if not slugs(node):
        return node
    stored = topics.topics(conn, shared_only=True)
    return resolve(node, {topic.slug: topic.query for topic in stored if topic.slug is not None})


def _by_story(story: Integers, places: Integers) -> list[Integers]:
    """Group places by their story; groups and what is in them come in order of time, as places do."""
    if not len(places):
        return []
    grouped = places[np.argsort(story[places], kind="stable")]
    groups = np.split(grouped, np.flatnonzero(np.diff(story[grouped])) + 1)
    return sorted(groups, key=lambda group: int(group[0]))


def give_up_after(seconds: float) -> Callable[[], None]:
    """Return what raises `TooLongError` once so much time has passed."""
    until_s = time.monotonic() + seconds

    def look() -> None:
        if time.monotonic() > until_s:
            raise TooLongError(f"no answer within {seconds:g} seconds: ask about fewer days")

    return look
