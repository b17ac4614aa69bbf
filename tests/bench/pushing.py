"""Articles pushed into a running house as its CMS would push them, and how long each took to be matched.

Measures from two sides: the client's, until its answer is there, and the database's, until the match is stored. Client,
web, worker and database share a machine here, and so a clock. Decides nothing about what is pushed or how fast.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import httpx
import sqlalchemy as sa

from worker.store.database import Database
from worker.store.schema import Article, Match

_CLIENTS: Final = 8
_MATCHED_WITHIN_S: Final = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Pushed:
    """One request: when it was sent, in seconds since the epoch, and how long its answer took."""

    article_id: int
    sent_s: float
    answered_ms: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What a run came to: milliseconds from each request to the stored match, to its answer, and what was found."""

    until_matched_ms: Sequence[float]
    until_answered_ms: Sequence[float]
    matches: int
    matches_with_evidence: int


class Press:
    """A newsroom's CMS: sends articles over connections that stay open."""

    def __init__(self, url: str, api_key: str) -> None:
        self._url, self._headers = f"{url}/api/v1/articles", {"Authorization": f"Bearer {api_key}"}
        self._clients = threading.local()

    def push(self, article: dict[str, Any]) -> Pushed:
        """Send one article and wait for its answer."""
        if not hasattr(self._clients, "own"):
            self._clients.own = httpx.Client(headers=self._headers, timeout=_MATCHED_WITHIN_S)
        sent_s, started_s = time.time(), time.perf_counter()
        answer = self._clients.own.post(self._url, json=article)
        answered_ms = 1000 * (time.perf_counter() - started_s)
        answer.raise_for_status()
        return Pushed(article_id=answer.json()["id"], sent_s=sent_s, answered_ms=answered_ms)

    def one_by_one(self, articles: Iterable[dict[str, Any]], *, pause_s: float) -> list[Pushed]:
        """Send each when the one before has been answered, after a pause."""
        pushed = []
        for article in articles:
            pushed.append(self.push(article))
            time.sleep(pause_s)
        return pushed

    def at_rate(self, articles: Iterable[dict[str, Any]], *, per_s: float, random: Random) -> list[Pushed]:
        """Send at a rate, at moments of chance, whether earlier ones have been answered or not."""
        underway: list[Future[Pushed]] = []
        next_s = time.perf_counter()
        with ThreadPoolExecutor(_CLIENTS) as pool:
            for article in articles:
                next_s += random.expovariate(per_s)
                time.sleep(max(0.0, next_s - time.perf_counter()))
                underway.append(pool.submit(self.push, article))
        return [one.result() for one in underway]


def tell(database: Database, pushed: Sequence[Pushed]) -> Told:
    """Wait until all of them are matched, and say how long that took."""
    ids = [one.article_id for one in pushed]
    give_up_s = time.monotonic() + _MATCHED_WITHIN_S
    while (matched := _matched_at(database, ids)) is None:
        if time.monotonic() > give_up_s:
            raise TimeoutError("some articles are still not matched; is a control worker alive?")
        time.sleep(0.1)
    with database.read() as conn:
        found = conn.execute(sa.select(Match.evidence).where(Match.article_id.in_(ids))).scalars().all()
    return Told(
        until_matched_ms=[1000 * (matched[one.article_id] - one.sent_s) for one in pushed],
        until_answered_ms=[one.answered_ms for one in pushed],
        matches=len(found),
        matches_with_evidence=sum(bool(evidence) for evidence in found),
    )


def _matched_at(database: Database, ids: Sequence[int]) -> dict[int, float] | None:
    with database.read() as conn:
        rows = conn.execute(sa.select(Article.id, Article.matched_at).where(Article.id.in_(ids))).all()
    found = {row.id: row.matched_at.timestamp() for row in rows if row.matched_at is not None}
    return found if len(found) == len(set(ids)) else None
