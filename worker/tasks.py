"""The order of rooms: what follows when something has been stored. Celery's tasks, and nothing but.

Each task takes ids, calls one room, and rings for the next one after that room has committed. All of them may run
twice, at once, late, or never: sweeps on beat find in SQL whatever is due in every stage. Delivery workers never load
the matching room.
"""

from __future__ import annotations

import ctypes
import functools
import gc
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from multiprocessing.sharedctypes import RawValue
from typing import TYPE_CHECKING, Any

from billiard.process import current_process
from celery.signals import celeryd_after_setup, worker_process_init, worker_process_shutdown, worker_shutting_down
from sqlalchemy.exc import OperationalError

from worker.celery_app import app, ring
from worker.delivery import run_canary, run_steering, run_withdrawal
from worker.delivery.run_doubts import take_back
from worker.errors import ConfigurationError, FetchError
from worker.model import ArticleId, EditionId, Lane
from worker.planning.run import Planned, plan, plan_urgent
from worker.planning.run_letting_go import let_go
from worker.planning.run_zones import review_zones
from worker.runtime.cores import keep_to_one_core
from worker.runtime.parent import watch_parent
from worker.store import articles, editions, leases
from worker.store import house as house_table
from worker.wiring import House, house

if TYPE_CHECKING:
    from worker.matching.run import Matcher

log = logging.getLogger(__name__)

_ARTICLES_A_SWEEP = 500
_ARTICLES_SWEEP_S = 2.0  # then others have their turn: an article that is rung for does not wait for the backlog
_SET_ASIDE_S = 300.0
_FEEDBACK_SWEEP_S = 2.0  # as for articles
_RENEWED_A_SWEEP = 100  # a fifth of a second; 100,000 articles take an hour and a half, and nobody waits for them
_BATCHES_A_SWEEP = 20  # 10,000 rows a lane and sweep; more would only pile up in a queue that nobody empties
_RING_EXPIRES_S = 60  # a bell that nobody has heard for so long has been rung again since
_AWAY_S = 300.0
_BROKER_AWAY_S = 5.0
_MAILS_A_SWEEP = 1_000  # a few seconds

# Set in the main process, seen by its forked child: lease no more, finish what is on the wire, release the rest.
# A bare byte, without a lock that a child killed with -9 could take along.
_stopping = RawValue(ctypes.c_bool, False)

_queues: set[str] = set()  # that this worker takes tasks from
_away: dict[str, float] = defaultdict(float)  # what could not be reached, and until when it is left alone
_set_aside: dict[ArticleId, float] = {}  # articles that could not be matched, and until when on the monotonic clock


@worker_shutting_down.connect
def _say_stop(**_: object) -> None:
    _stopping.value = True


@functools.cache
def this_house() -> House:
    """Return this process's installation. First asked for after the fork, so that no socket is inherited."""
    return house(stopping=lambda: bool(_stopping.value))


@celeryd_after_setup.connect
def _note_queues(instance: Any, **_: object) -> None:  # noqa: ANN401  Celery's WorkController, which has no types
    _queues.update(instance.app.amqp.queues.consume_from)


@worker_process_init.connect
def _begin_child(**_: object) -> None:
    watch_parent()
    this_house.cache_clear()
    _get_ready.cache_clear()
    if Lane.CONTROL in _queues:
        this_house()
        _get_ready()
    elif this_house().settings.delivery_one_core:
        keep_to_one_core(getattr(current_process(), "index", 0), from_first=Lane.BULK not in _queues)


@functools.cache
def _get_ready() -> threading.Thread:
    """Start to compile the topics beside what else this child is asked for: its first article waits less."""
    getting_ready = threading.Thread(target=_compile_topics, name="get-ready", daemon=True)
    getting_ready.start()
    return getting_ready


def _compile_topics() -> None:
    try:
        this_house().matcher.get_ready()
        gc.collect()
        gc.freeze()  # what is there now stays: to go through it again and again would make some article wait for it
    except Exception:
        log.exception("the topics cannot be compiled yet; the next article's matching tries again")


def matcher() -> Matcher:
    """Return this process's matcher, when it is ready."""
    _get_ready().join()
    return this_house().matcher


@worker_process_shutdown.connect
def _end_child(**_: object) -> None:
    this_house().close()


@app.task
def heartbeat(name: str) -> None:
    """Note that a queue has a living worker."""
    with this_house().database.write() as conn:
        house_table.beat(conn, name)


# Intake ------------------------------------------------------------------------------------------------------------


@app.task
def sweep_sources() -> None:
    """See to it that what is due is polled: a thread of one process of this home does it, and nobody else waits."""
    this_house().poller.ring(told=_match_soon)


def _match_soon(found: Iterable[ArticleId]) -> None:
    for article_id in found:  # a broker that is away is no reason to blame who told them, or to wait for it at each
        if time.monotonic() >= _away["broker"] and not ring("match_article", article_id):
            _away["broker"] = time.monotonic() + _BROKER_AWAY_S


@app.task(queue=Lane.CONTROL)
def sweep_hubs() -> None:
    """Read what hubs have pushed, ring for each article that is new, and begin to ask the hubs that are due."""
    _match_soon(this_house().hubs.sweep())


@app.task(queue=Lane.CONTROL)
def sweep_alert_mails() -> None:
    """Take in the mails of Google Alerts. A mailbox that cannot be reached is left alone for a while, as below."""
    mails = this_house().alert_mails
    if mails is None or time.monotonic() < _away["alerts"]:
        return
    try:
        _match_soon(mails.visit())
    except FetchError as error:
        _away["alerts"] = time.monotonic() + _AWAY_S
        log.warning("the mailbox of alerts: %s; it is tried again in %g s", error, _AWAY_S)


@app.task
def sweep_health() -> None:
    """Look at how sources are, and have the newspaper's programs told of what has changed; count how late news is."""
    from worker.intake.run_tallying import tally  # noqa: PLC0415  delivery workers watch nothing
    from worker.intake.run_watching import review  # noqa: PLC0415  as above

    home = this_house()
    tally(home.database)
    if review(home.database):
        home.ring("sweep_webhooks")


# Matching ----------------------------------------------------------------------------------------------------------


@app.task
def match_article(article_id: int) -> None:
    """Match one article with all topics. Its alert is planned when the gathering time is over: perhaps at once."""
    matched = matcher().match(ArticleId(article_id))
    if matched and matched.is_due:
        plan_alerts.delay()


@app.task
def sweep_articles() -> None:
    """Match whatever no matching has seen, for a while. What cannot be matched is set aside, and the others go on."""
    matcher()  # a fresh child's waiting for its topics is not the backlog's time
    started_s = time.monotonic()
    aside = {article_id for article_id, until_s in _set_aside.items() if until_s > started_s}
    with this_house().database.read() as conn:
        waiting = articles.unmatched(conn, limit=_ARTICLES_A_SWEEP + len(aside))
    for article_id in waiting:
        if time.monotonic() > started_s + _ARTICLES_SWEEP_S:
            break
        if article_id not in aside:
            _match_or_set_aside(article_id)


def _match_or_set_aside(article_id: ArticleId) -> None:
    try:
        matched = matcher().match(article_id)
    except (ConfigurationError, OperationalError):  # the database is away: no fault of the article's
        raise
    except Exception:
        _set_aside[article_id] = time.monotonic() + _SET_ASIDE_S
        log.exception("article %d cannot be matched; it is tried again in %g s", article_id, _SET_ASIDE_S)
    else:
        if matched and matched.is_due:
            plan_alerts.delay()


@app.task(queue=Lane.CONTROL)
def sweep_terms() -> None:
    """Analyse some of the articles again that another version of the analyser has read: backtests then need not."""
    from worker.matching.run_terms import renew  # noqa: PLC0415  delivery workers never load the matching room

    renew(this_house().database, limit=_RENEWED_A_SWEEP)


# Planning ----------------------------------------------------------------------------------------------------------


@app.task
def plan_alerts() -> None:
    """Plan the alerts and the summaries of bursts that are due: digests, however many, keep them waiting no longer."""
    home = this_house()
    _ring_planned(plan_urgent(home.database, home.planning_policy))


@app.task
def sweep_planning() -> None:
    """Plan whatever is due, and ring for its batches."""
    home = this_house()
    _ring_planned(plan(home.database, home.planning_policy))


@app.task(queue=Lane.CONTROL)
def sweep_preflights() -> None:
    """Begin to look over the newsletters that are coming; a thread does it, and nobody else waits for it."""
    this_house().rehearsal.begin_sweep(then=lambda: this_house().ring("sweep_planning"))


def _ring_planned(planned: Planned) -> None:
    if planned.editions:
        with this_house().database.read() as conn:
            batches = editions.batches_of(conn, planned.editions)
        ring_batches(batches)


# Delivery ----------------------------------------------------------------------------------------------------------


def ring_batches(batches: Iterable[tuple[EditionId, int, Lane]]) -> None:
    """Have batches delivered, each by its own lane's workers."""
    for edition_id, batch_no, lane in batches:
        deliver_batch.apply_async((edition_id, batch_no, str(lane)), queue=lane, expires=_RING_EXPIRES_S)


@app.task
def deliver_batch(edition_id: int, batch_no: int, lane: str) -> None:
    """Deliver what is due of one batch. A busy worker is a living one: its heartbeat need not wait in the queue."""
    heartbeat(lane)
    this_house().dispatch.deliver(Lane(lane), EditionId(edition_id), batch_no)
    heartbeat(lane)


@app.task
def sweep_deliveries() -> None:
    """Take back what dead workers held, and ring for every batch that is due, whatever else may fail."""
    from worker.signup import run_erasure  # noqa: PLC0415  mail workers need nothing of that room

    home = this_house()
    for sweep in (take_back, run_steering.sweep, run_withdrawal.sweep, run_erasure.sweep):
        _sweep_or_tell(sweep, home.database)
    _sweep_or_tell(run_canary.sweep, home.database, home.canary_limits)
    for lane in (Lane.ALERTS, Lane.BULK):
        with home.database.read() as conn:
            due = leases.due_batches(conn, lane, limit=_BATCHES_A_SWEEP)
        ring_batches((edition_id, batch_no, lane) for edition_id, batch_no in due)


def _sweep_or_tell(sweep: Callable[..., object], *arguments: object) -> None:
    try:
        sweep(*arguments)
    except (ConfigurationError, OperationalError):  # the database is away: the others need it too
        raise
    except Exception:
        log.exception("%s.%s has failed; the other sweeps go on", sweep.__module__, sweep.__name__)


@app.task
def sweep_doubts() -> None:
    """Find out what became of messages whose reply was lost."""
    this_house().dispatch.find_out()


# Feedback ----------------------------------------------------------------------------------------------------------


@app.task
def sweep_returned_mail() -> None:
    """Take in what has come back to the mailbox that the settings name, and have its consequences drawn.

    A mailbox that cannot be reached is left alone for a while: to wait for it would keep a worker from all else.
    """
    if time.monotonic() < _away["returned mail"]:
        return
    try:
        taken_in = this_house().take_in_mail(limit=_MAILS_A_SWEEP)
    except FetchError as error:
        _away["returned mail"] = time.monotonic() + _AWAY_S
        log.warning("%s; it is tried again in %g s", error, _AWAY_S)
        return
    if taken_in and taken_in.mails:
        log.info("returned mail: %s", taken_in)
    if taken_in and taken_in.events:
        settle_feedback.delay()


@app.task
def settle_feedback() -> None:
    """Draw the consequences of what providers have told us, for a while. The rest waits for the next sweep."""
    started_s = time.monotonic()
    while this_house().feedback.settle(limit=500) and time.monotonic() < started_s + _FEEDBACK_SWEEP_S:
        pass


@app.task(queue=Lane.CONTROL)
def sweep_webhooks() -> None:
    """Begin to tell the newspaper's endpoints what waits for them; threads do it, and nobody else waits for them."""
    this_house().notifier.sweep()


@app.task(queue=Lane.CONTROL)
def sweep_upkeep() -> None:
    """Move runs whose zone has other rules now, and let go of what is remembered of long ago."""
    from worker.signup.run_own_letters import forget_letters  # noqa: PLC0415  mail workers need nothing of that room

    home = this_house()
    review_zones(home.database)
    let_go(home.database)
    forget_letters(home.database)
    home.notifier.let_go()


@app.task(queue=Lane.CONTROL)
def sweep_events() -> None:
    """Let go of events that are older than anybody asks about."""
    this_house().feedback.let_go()
