"""The statements by which compiled engines follow the standing queries, and by which own queries come and go.

A generation is a number of one counter, drawn by whoever changes what is asked. Its row stays locked until that
transaction ends, so generations become visible in their own order: whoever sees one sees all below it, and asking for
what is above the highest one seen misses nothing. Two rules keep it so, and keep writers out of each other's way:

- The counter comes first: it is drawn from, or held, before any topic's row is written.
- Whether an own query is followed is decided under that lock too, so that one reader's leaving and another's coming
  at the same moment cannot leave a followed query asleep.

Never compiles a query. Rows of topics are never deleted: what is not asked any more is dormant, and stays to be found.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from worker.model import TopicId
from worker.store.database import insert_for, now
from worker.store.house import TOPICS_GENERATION, draw, hold, reached
from worker.store.schema import Subscription, Topic

_ROWS_AT_ONCE: Final = 1_000
_MOST_SLUGS_ASKED: Final = 50  # of one statement; where more have changed, every own query with a reference is read


class Standing(NamedTuple):
    """What an engine must know of a topic. `slug` is None for readers' own queries."""

    id: TopicId
    slug: str | None
    query: str
    generation: int
    dormant: bool
    disabled_reason: str


_STANDING: Final = tuple(getattr(Topic, name) for name in Standing._fields)


def generation(conn: Connection) -> int:
    """Return the number that rises with every change of what is asked."""
    return reached(conn, TOPICS_GENERATION)


def changed_since(conn: Connection, generation: int) -> Iterator[Standing]:
    """Yield what has changed since a generation, each topic as it is now, shared topics first.

    Before all generations (a negative one), only what is asked. One statement, and so one moment; rows are fetched as
    they are used.
    """
    query = sa.select(*_STANDING).where(Topic.generation > generation)
    if generation < 0:
        query = query.where(~Topic.dormant)
    return _streamed(conn, query.order_by(Topic.slug.is_(None), Topic.id))


def shared(conn: Connection) -> Iterator[Standing]:
    """Yield the shared topics."""
    return _streamed(conn, sa.select(*_STANDING).where(Topic.slug.is_not(None)))


def naming(conn: Connection, slugs: Collection[str]) -> Iterator[Standing]:
    """Yield the own queries that are asked and may name one of these topics by `@`; some others may be among them."""
    if not slugs:
        return iter(())
    asked = [f"@{slug}" for slug in slugs] if len(slugs) <= _MOST_SLUGS_ASKED else ["@"]
    named = sa.or_(*(Topic.canonical.contains(text, autoescape=True) for text in asked))
    return _streamed(conn, sa.select(*_STANDING).where(Topic.slug.is_(None), ~Topic.dormant, named))


def count_changed_since(conn: Connection, generation: int) -> int:
    """Return how many topics have changed since a generation."""
    return conn.execute(sa.select(sa.func.count(Topic.id)).where(Topic.generation > generation)).scalar_one()


def switch(conn: Connection, verdicts: Iterable[tuple[Standing, str]]) -> None:
    """Switch topics visibly off with the reason, or on again where it is empty.

    Nothing happens to one that has changed since it was read: the reason is not about what it has become.
    """
    for topic, reason in sorted(verdicts):  # in order of id, so that two who write the same never wait in a circle
        unchanged = (Topic.id == topic.id, Topic.generation == topic.generation)
        conn.execute(sa.update(Topic).where(*unchanged).values(disabled_reason=reason))


def intern_query(conn: Connection, *, query: str, canonical: str) -> TopicId:
    """Return the topic that all readers share whose own query has this canonical form."""
    known = sa.select(Topic.id).where(Topic.canonical == canonical, Topic.slug.is_(None))
    found = conn.execute(known).scalar()
    if found is None:
        number, at = draw(conn, TOPICS_GENERATION)[0], now(conn)
        statement = insert_for(conn, Topic).values(
            query=query, canonical=canonical, generation=number, created_at=at, updated_at=at
        )
        unless_there = statement.on_conflict_do_nothing(
            index_elements=["canonical"], index_where=sa.text("slug IS NULL")
        )
        found = conn.execute(unless_there.returning(Topic.id)).scalar()
    return TopicId(conn.execute(known).scalar_one() if found is None else found)


def wake(conn: Connection, topic_id: TopicId) -> None:
    """Have a topic asked that is about to be followed, in the same transaction."""
    hold(conn, TOPICS_GENERATION)
    if conn.execute(sa.select(Topic.dormant).where(Topic.id == topic_id)).scalar_one():
        _put(conn, [topic_id], dormant=False)


def let_sleep(conn: Connection, ended: Iterable[TopicId]) -> None:
    """Ask no longer those own queries that nobody follows, of topics whose subscriptions have just been ended."""
    own = sa.select(Topic.id).where(Topic.id.in_(list(ended)), Topic.slug.is_(None), ~Topic.dormant)
    if conn.execute(own).first() is None:
        return
    hold(conn, TOPICS_GENERATION)
    followed = sa.exists().where(Subscription.topic_id == Topic.id, Subscription.ended_at.is_(None))
    _put(conn, conn.execute(own.where(~followed)).scalars().all(), dormant=True)


def _put(conn: Connection, topic_ids: Sequence[int], *, dormant: bool) -> None:
    if topic_ids:
        number = draw(conn, TOPICS_GENERATION)[0]
        conn.execute(sa.update(Topic).where(Topic.id.in_(topic_ids)).values(dormant=dormant, generation=number))


def _streamed(conn: Connection, query: sa.Select[Any]) -> Iterator[Standing]:
    return (Standing(*row) for row in conn.execute(query.execution_options(yield_per=_ROWS_AT_ONCE)))
