"""What goes into a measured house: invented articles of one length, readers' queries, and a reader who adds some.

Decides nothing about what is measured. The world that articles and queries come from is that of `make bench-matching`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from random import Random
from types import TracebackType
from typing import Any, Final, Self

import sqlalchemy as sa

from tests import builders
from tests.bench.matching.queries import queries, written
from tests.bench.matching.vocabulary import english
from tests.bench.matching.world import World, articles
from tests.bench.pushing import Press
from worker.errors import QueryError
from worker.matching.query import canonical, parse
from worker.store import standing
from worker.store.database import Database, now
from worker.store.house import TOPICS_GENERATION, draw
from worker.store.schema import Match, Topic

_WORDS: Final = 600
_ROWS_AT_ONCE: Final = 5_000
_FOUND_WITHIN_S: Final = 30.0


class News:
    """Articles about an invented world, each of them once, and `standing`, distinct queries of those who live in it."""

    def __init__(self, queries: int) -> None:
        world = World(english(), seed=1)
        self._articles, self._number = articles(world, Random(2)), 0
        self.standing = _distinct(world, queries)

    def articles(self, count: int) -> Iterator[dict[str, Any]]:
        """Yield articles of 600 words as the API takes them."""
        for _ in range(count):
            self._number += 1
            first = next(self._articles)
            words = first.body.split()
            while len(words) < _WORDS:
                words += next(self._articles).body.split()
            url = f"https://courier.example/{self._number}"
            yield {"url": url, "title": first.title, "body": " ".join(words[:_WORDS])}


def _distinct(world: World, count: int) -> list[str]:
    """Return distinct queries in their canonical form."""
    found: dict[str, None] = {}
    endless = queries(world, Random(3))
    while len(found) < count:
        with suppress(QueryError):  # such as one of stop words only: a reader would have been told
            found[canonical(parse(written(next(endless))))] = None
    return list(found)


def insert_queries(database: Database, texts: Sequence[str]) -> None:
    """Store own queries in bulk, as many readers' sign-ups would have left them."""
    for start in range(0, len(texts), _ROWS_AT_ONCE):
        with database.write() as conn:
            at, numbers = now(conn), draw(conn, TOPICS_GENERATION, _ROWS_AT_ONCE)
            rows = [
                {"query": text, "canonical": text, "generation": number, "created_at": at, "updated_at": at}
                for text, number in zip(texts[start : start + _ROWS_AT_ONCE], numbers, strict=False)
            ]
            conn.execute(sa.insert(Topic), rows)


class Reader:
    """Follows one query of their own after another, each for a word of its own, while the block lasts.

    Each time an article with that word is pushed right after the commit, and must be found to match. `added_s` is how
    long each took from the begin of the reader's transaction to its end.
    """

    def __init__(self, database: Database, press: Press, *, count: int) -> None:
        self.added_s: list[float] = []
        self._database, self._press, self._count = database, press, count
        self._thread = threading.Thread(target=self._add_all, name="reader")
        self._error: BaseException | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        self._thread.join()
        if self._error and kind is None:
            raise self._error

    def _add_all(self) -> None:
        try:
            with self._database.write() as conn:
                subscriber = builders.reader(conn, "bench")
            for number in range(self._count):
                self._add(subscriber, f"zzyzx{number}")
        except BaseException as error:  # noqa: BLE001  told in the thread that measures
            self._error = error

    def _add(self, subscriber: Any, word: str) -> None:
        started_s = time.perf_counter()
        with self._database.write() as conn:
            topic_id = standing.intern_query(conn, query=word, canonical=word)
            builders.follow(conn, subscriber, topic_id, query=word)
        self.added_s.append(time.perf_counter() - started_s)
        self._press.push({"url": f"https://courier.example/{word}", "title": f"About {word}", "body": ""})
        give_up_s = time.monotonic() + _FOUND_WITHIN_S
        while not self._is_found(topic_id):
            if time.monotonic() > give_up_s:
                raise AssertionError(f"the query {word} was followed, and an article that came after it did not match")
            time.sleep(0.1)

    def _is_found(self, topic_id: int) -> bool:
        with self._database.read() as conn:
            return conn.execute(sa.select(Match.topic_id).where(Match.topic_id == topic_id)).first() is not None
