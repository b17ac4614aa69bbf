"""Keeps one process's engine equal to the stored topics: reads what has changed since its generation, and only that.

Decides nothing about queries: `SharedTopics` puts them together, the engine compiles them. A query that this version
refuses is switched off visibly and the others go on; it is switched on again when it, or what it names, is mended. Rows
are read as a stream and own queries are not kept, so that a hundred thousand of them cost no memory beside the index.
Called by `run`; one thread at a time.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from typing import Final

from sqlalchemy import Connection

from worker.errors import QueryError
from worker.matching.engine import Engine
from worker.matching.run_snapshots import Snapshots
from worker.matching.shared import SharedTopics
from worker.store import standing
from worker.store.database import Database
from worker.store.standing import Standing

log = logging.getLogger(__name__)

_NOTHING: Final = -1  # before every generation
_FAULTS: Final = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


class Follower:
    """One process's engine, and how far it has followed the topics."""

    def __init__(self, database: Database, snapshots: Snapshots | None = None) -> None:
        self._database, self._snapshots = database, snapshots
        self._engine, self._generation = Engine.build({}), _NOTHING
        self._has_begun = False

    def engine(self) -> Engine:
        """Return the engine with all topics as they are now; asking again costs one small query."""
        with self._database.read() as conn:
            reached = standing.generation(conn)
        if reached < self._generation:
            log.warning("the topics are older than the engine: a backup has been restored; compiling all of them anew")
            self._has_begun = False
        if not self._has_begun:
            self._begin()
        if reached != self._generation:
            self._follow()
        return self._engine

    def _begin(self) -> None:
        found = self._snapshots.load() if self._snapshots else None
        self._engine, self._generation = found or (Engine.build({}), _NOTHING)
        self._shared = SharedTopics()
        self._rows: dict[str, Standing] = {}  # of the shared topics
        if found:  # a snapshot holds them compiled; what names one of them later needs them as they are written
            with self._database.read() as conn:
                for topic in standing.shared(conn):
                    self._note(topic)
        self._has_begun = True

    def _follow(self) -> None:
        """Take over what has changed. Safe to repeat: a failure in the middle is made good by the next call."""
        count = 0
        verdicts: list[tuple[Standing, str]] = []
        at_once = self._engine.loading() if self._generation == _NOTHING else nullcontext()
        with self._database.read() as conn, at_once:
            reached = standing.generation(conn)
            for topic in self._changed(conn):
                reached = max(reached, topic.generation)
                verdicts += self._judge(topic)
                count += 1
        self._switch(verdicts)
        self._generation = reached
        log.info("%d topics compiled or taken out, at generation %d", count, reached)
        if self._snapshots:
            self._snapshots.note_changes(count, self._engine, reached)

    def _changed(self, conn: Connection) -> Iterator[Standing]:
        """Yield what is to be compiled again; an own query that names a changed topic may come twice."""
        changed: set[str] = set()
        for topic in standing.changed_since(conn, self._generation):
            if topic.slug is None:  # the shared ones have come before: what it names is known
                if topic.dormant:
                    self._drop(topic)
                yield topic
            else:
                changed.add(self._note(topic))
        affected = self._shared.affected(changed)
        yield from (self._rows[slug] for slug in sorted(affected & self._rows.keys()))
        if self._generation > _NOTHING:  # otherwise all have been yielded
            yield from standing.naming(conn, affected)

    def _note(self, topic: Standing) -> str:
        slug = str(topic.slug)
        self._shared.put(slug, topic.query)
        self._rows[slug] = topic
        return slug

    def _drop(self, topic: Standing) -> None:
        """Forget the slug that a topic had, if it had one, and no other has it now."""
        for slug in [slug for slug, row in self._rows.items() if row.id == topic.id]:
            self._shared.drop(slug)
            del self._rows[slug]

    def _judge(self, topic: Standing) -> Iterator[tuple[Standing, str]]:
        """Have the engine ask a topic, or not. Yield it with the reason, if its switch is to be turned."""
        is_asked, reason = False, ""
        try:
            if not topic.dormant:
                self._engine.add(topic.id, self._shared.resolve(topic.query, slug=topic.slug))
                is_asked = True
        except QueryError as error:
            reason = str(error)
        except _FAULTS as error:  # of ours: one reader's odd query must not cost all the others their alerts
            log.exception("topic %d cannot be compiled", topic.id)
            reason = f"this version of Tocsin cannot compile it ({error!r}); please report it"
        if not is_asked:
            with suppress(KeyError):  # it was not asked before either
                self._engine.remove(topic.id)
        if reason != topic.disabled_reason:
            yield topic, reason

    def _switch(self, verdicts: list[tuple[Standing, str]]) -> None:
        if not verdicts:
            return
        with self._database.write() as conn:
            standing.switch(conn, verdicts)
        for topic, reason in verdicts:
            if reason:
                log.error("topic %d is switched off: %s", topic.id, reason)
            if topic.slug is not None:
                self._rows[topic.slug] = topic._replace(disabled_reason=reason)
