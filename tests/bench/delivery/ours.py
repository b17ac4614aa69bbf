"""Our side of the benchmark: one process that delivers whole editions, as a delivery worker's child does.

It is an installation by its environment, and sends through the very task that Celery would call, batch after batch,
from the lease to the record. Answers a line of JSON to each line: see `_ANSWERS`. Started by `room.py`.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any, Final

import psutil
import sqlalchemy as sa

from tests import builders, crowd
from tests.bench.delivery import letter
from worker import tasks
from worker.lifecycle import OPEN
from worker.model import Cadence, EditionId, Lane, StoryId
from worker.runtime.cores import keep_to_one_core
from worker.store import leases
from worker.store.schema import Delivery, TopicStory

_STALLED_S: Final = 60.0


def readers(count: int) -> dict[str, Any]:
    """Add readers of one topic."""
    database = tasks.this_house().database
    with database.write() as conn:
        builders.news(conn, builders.topic(conn, "crowd"))
    crowd.add_readers(database, count, topic="crowd", cadence=Cadence.WEEKLY)
    return {}


def plan(count: int) -> dict[str, Any]:
    """Plan an edition of the ten-story digest."""
    database = tasks.this_house().database
    with database.read() as conn:
        story = conn.execute(sa.select(sa.func.min(TopicStory.story_id))).scalar_one()
    content = letter.content(StoryId(story))
    return {"edition": crowd.plan_edition(database, content, lane=Lane.BULK, count=count)}


def send(edition: int) -> dict[str, Any]:
    """Deliver an edition; the clock runs from the first lease to the last record."""
    used = psutil.Process().cpu_times()
    started_s = time.perf_counter()
    _deliver(EditionId(edition))
    seconds = time.perf_counter() - started_s
    now = psutil.Process().cpu_times()
    cpu_s = now.user + now.system - used.user - used.system
    return {"seconds": seconds, "cpu_s": cpu_s, "states": _states(edition)}


def _deliver(edition: EditionId) -> None:
    """Ring for the batch that is most overdue, again and again: a courier goes on by itself while there is more."""
    house, moved_s = tasks.this_house(), time.monotonic()
    while True:
        with house.database.read() as conn:
            due = leases.due_batches(conn, Lane.BULK, limit=1)
        if due:
            tasks.deliver_batch(*due[0], str(Lane.BULK))
            moved_s = time.monotonic()
        elif not any(state in OPEN for state in _states(edition)):
            return
        elif time.monotonic() > moved_s + _STALLED_S:
            raise TimeoutError(f"edition {edition} does not go on: {_states(edition)}")
        else:
            time.sleep(0.01)


def _states(edition: int) -> dict[str, int]:
    with tasks.this_house().database.read() as conn:
        query = sa.select(Delivery.state, sa.func.count()).where(Delivery.edition_id == edition)
        return dict(conn.execute(query.group_by(Delivery.state)).all())


_ANSWERS: Final[dict[str, Callable[[int], dict[str, Any]]]] = {"readers": readers, "plan": plan, "send": send}


def main() -> None:
    """Answer requests until there are no more."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # nothing else may get between the answers
    if tasks.this_house().settings.delivery_one_core:
        keep_to_one_core(0)
    for line in sys.stdin:
        word, number = line.split()
        out.write(json.dumps(_ANSWERS[word](int(number))) + "\n")
        out.flush()
    tasks.this_house().close()


if __name__ == "__main__":
    main()
