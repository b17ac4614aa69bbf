"""Keeps one process's engine equal to the stored topics: reads what has changed since its generation, and only that.

Decides nothing about queries: `SharedTopics` puts them together, the engine compiles them. A query that this version
refuses is switched off visibly and the others go on; it is switched on again when it, or what it names, is mended. Rows
are read as a stream and own queries are not kept, so that a hundred thousand of them cost no memory beside the index.
Called by `run`; one thread at a time.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Final

from worker.errors import QueryError
from worker.matching.engine import Engine
from worker.matching.query import Node
from worker.matching.shared import SharedTopics
from worker.store import standing
from worker.store.database import Database
from worker.store.standing import Standing

log = logging.getLogger(__name__)

_NOTHING: Final = -1  # before every generation


class Follower:
    """One process's engine, and how far it has followed the topics."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._begin()

    def engine(self) -> Engine:
        """Return the engine with all topics as they are now; asking again costs one small query."""
        with self._database.read() as conn:
            reached = standing.generation(conn)
        if reached < self._generation:
            log.warning("the topics are older than the engine: a backup has been restored; compiling all of them anew")
            self._begin()
        if reached != self._generation:
            self._follow()
        return self._engine

    def _begin(self) -> None:
        self._engine, self._generation = Engine.build({}), _NOTHING
        self._shared = SharedTopics()
        self._rows: dict[str, Standing] = {}  # of the shared topics

    def _follow(self) -> None:
        """Take over what has changed. Safe to repeat: a failure in the middle is made good by the next call."""
        changes = _Changes(self._shared)
        with self._database.read() as conn:
            reached = standing.generation(conn)
            changed: set[str] = set()
            for topic in standing.changed_since(conn, self._generation):
                reached = max(reached, topic.generation)
                if topic.slug is None:
                    changes.judge(topic)
                else:
                    self._shared.put(topic.slug, topic.query)
                    self._rows[topic.slug] = topic
                    changed.add(topic.slug)
            affected = self._shared.affected(changed)
            for slug in sorted(affected & self._rows.keys()):
                changes.judge(self._rows[slug])
            for topic in standing.naming(conn, affected):
                changes.judge(topic)
        self._engine = changes.applied_to(self._engine)
        self._switch(changes.verdicts)
        self._generation = reached
        log.info("topics: %d compiled, %d taken out, at generation %d", len(changes.asked), len(changes.gone), reached)

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


class _Changes:
    """What an engine has to take in and to put out, and which topics' switches have to be turned."""

    def __init__(self, shared: SharedTopics) -> None:
        self._shared = shared
        self.asked: dict[int, Node] = {}
        self.gone: set[int] = set()
        self.verdicts: list[tuple[Standing, str]] = []

    def judge(self, topic: Standing) -> None:
        """Compile a topic, or find out why not. Of one that is judged twice, the later row counts."""
        reason = ""
        self.asked.pop(topic.id, None)
        try:
            if not topic.dormant:
                self.asked[topic.id] = self._shared.resolve(topic.query, slug=topic.slug)
        except QueryError as error:
            reason = str(error)
        if topic.id not in self.asked:
            self.gone.add(topic.id)
        if reason != topic.disabled_reason:
            self.verdicts.append((topic, reason))

    def applied_to(self, engine: Engine) -> Engine:
        """Return the engine with these changes."""
        if not len(engine):
            return Engine.build(self.asked)
        for topic_id in self.gone - self.asked.keys():
            with suppress(KeyError):  # it was not asked before either
                engine.remove(topic_id)
        for topic_id, node in self.asked.items():
            engine.add(topic_id, node)
        return engine
