"""The order of rooms: what follows when something has been stored. Celery's tasks, and nothing but.

Each task takes ids, calls one room, and rings for the next one after that room has committed. All of them may run
twice, at once, late, or never: sweeps on beat find in SQL whatever is due in every stage. Delivery workers never load
the matching room.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Iterable
from multiprocessing.sharedctypes import RawValue

from celery.signals import worker_process_init, worker_process_shutdown, worker_shutting_down

from worker.celery_app import app
from worker.delivery.run_doubts import take_back
from worker.model import ArticleId, EditionId, Lane, SourceId
from worker.planning.run import plan
from worker.runtime.parent import watch_parent
from worker.store import articles, editions, leases
from worker.store import house as house_table
from worker.wiring import House, house

_ARTICLES_A_SWEEP = 500
_SOURCES_A_SWEEP = 100
_BATCHES_A_SWEEP = 20  # 10,000 rows a lane and sweep; more would only pile up in a queue that nobody empties
_RING_EXPIRES_S = 60  # a bell that nobody has heard for so long has been rung again since
_CLAIM_S = 120.0  # longer than any fetch may take

# Set in the main process, seen by its forked child: lease no more, finish what is on the wire, release the rest.
# A bare byte, without a lock that a child killed with -9 could take along.
_stopping = RawValue(ctypes.c_bool, False)


@worker_shutting_down.connect
def _say_stop(**_: object) -> None:
    _stopping.value = True


@functools.cache
def this_house() -> House:
    """Return this process's installation. First asked for after the fork, so that no socket is inherited."""
    return house(stopping=lambda: bool(_stopping.value))


@worker_process_init.connect
def _begin_child(**_: object) -> None:
    watch_parent()
    this_house.cache_clear()


@worker_process_shutdown.connect
def _end_child(**_: object) -> None:
    this_house().close()


@app.task(queue=Lane.CONTROL)
def heartbeat(name: str) -> None:
    """Note that a queue has a living worker."""
    with this_house().database.write() as conn:
        house_table.beat(conn, name)


# Intake ------------------------------------------------------------------------------------------------------------


@app.task(queue=Lane.CONTROL)
def poll_source(source_id: int) -> None:
    """Fetch one feed and store what is new in it."""
    for article_id in this_house().intake.poll(SourceId(source_id)):
        match_article.delay(article_id)


@app.task(queue=Lane.CONTROL)
def sweep_sources() -> None:
    """Claim feeds that are due, and have them fetched."""
    home = this_house()
    with home.database.write() as conn:
        due = articles.claim_due_sources(conn, limit=_SOURCES_A_SWEEP, claim_s=_CLAIM_S)
    for source_id in due:
        poll_source.delay(source_id)


# Matching ----------------------------------------------------------------------------------------------------------


@app.task(queue=Lane.CONTROL)
def match_article(article_id: int) -> None:
    """Match one article with all topics. Planning is due when the gathering time is over, so nobody is rung for."""
    this_house().matcher.match(ArticleId(article_id))


@app.task(queue=Lane.CONTROL)
def sweep_articles() -> None:
    """Match whatever no matching has seen."""
    with this_house().database.read() as conn:
        waiting = articles.unmatched(conn, limit=_ARTICLES_A_SWEEP)
    for article_id in waiting:
        match_article(article_id)


# Planning ----------------------------------------------------------------------------------------------------------


@app.task(queue=Lane.CONTROL)
def sweep_planning() -> None:
    """Plan whatever is due, and ring for its batches."""
    home = this_house()
    planned = plan(home.database, home.planning_policy)
    with home.database.read() as conn:
        batches = editions.batches_of(conn, planned.editions)
    ring_batches(batches)


# Delivery ----------------------------------------------------------------------------------------------------------


def ring_batches(batches: Iterable[tuple[EditionId, int, Lane]]) -> None:
    """Have batches delivered, each by its own lane's workers."""
    for edition_id, batch_no, lane in batches:
        deliver_batch.apply_async((edition_id, batch_no, str(lane)), queue=lane, expires=_RING_EXPIRES_S)


@app.task(queue=Lane.BULK)
def deliver_batch(edition_id: int, batch_no: int, lane: str) -> None:
    """Deliver what is due of one batch. A busy worker is a living one: its heartbeat need not wait in the queue."""
    heartbeat(lane)
    this_house().dispatch.deliver(EditionId(edition_id), batch_no)
    heartbeat(lane)


@app.task(queue=Lane.CONTROL)
def sweep_deliveries() -> None:
    """Take back what dead workers held, and ring for every batch that is due."""
    home = this_house()
    take_back(home.database)
    for lane in (Lane.ALERTS, Lane.BULK):
        with home.database.read() as conn:
            due = leases.due_batches(conn, lane, limit=_BATCHES_A_SWEEP)
        ring_batches((edition_id, batch_no, lane) for edition_id, batch_no in due)


@app.task(queue=Lane.ALERTS)
def sweep_doubts() -> None:
    """Find out what became of messages whose reply was lost."""
    this_house().dispatch.find_out()
