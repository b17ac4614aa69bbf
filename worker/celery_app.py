"""The Celery application: three queues, beat's sweeps, and the settings that make Celery safe to rely on.

A message is a doorbell: it may be lost, doubled or late without harm, since sweeps find in SQL whatever is due. Each
setting names the pitfall that it prevents (celery/celery issue numbers; DELIVERABILITY.md has the list).
"""

from __future__ import annotations

import logging
from types import FrameType
from typing import Final, Never

from celery import Celery, beat, platforms
from celery.apps.beat import Beat
from kombu import Exchange, Queue
from kombu.exceptions import OperationalError

from worker.model import Lane

# While a task runs it must not be handed to somebody else: well above BATCH_BUDGET_S, below any human's patience.
_VISIBILITY_TIMEOUT_S = 120


log = logging.getLogger(__name__)

_SWEEPS: Final = (
    # task, pace in units of TOCSIN_SWEEP_S, queue; nothing is swept more often than each second or TOCSIN_SWEEP_S
    ("sweep_sources", 2.0, Lane.CONTROL),
    ("sweep_hubs", 2.0, Lane.CONTROL),
    ("sweep_alert_mails", 6.0, Lane.CONTROL),
    ("sweep_health", 12.0, Lane.CONTROL),
    ("sweep_articles", 1.0, Lane.CONTROL),
    ("sweep_terms", 1.0, Lane.CONTROL),
    ("plan_alerts", 0.2, Lane.CONTROL),
    ("sweep_planning", 1.0, Lane.CONTROL),
    ("sweep_preflights", 1.0, Lane.CONTROL),
    ("sweep_deliveries", 1.0, Lane.CONTROL),
    ("sweep_doubts", 1.0, Lane.ALERTS),
    ("settle_feedback", 1.0, Lane.CONTROL),
    ("sweep_events", 60.0, Lane.CONTROL),
    ("sweep_upkeep", 720.0, Lane.CONTROL),
    ("sweep_returned_mail", 6.0, Lane.CONTROL),
    ("sweep_webhooks", 0.4, Lane.CONTROL),
)


def configure(*, broker_url: str, sweep_s: float) -> None:
    """Point the application at its broker and set beat's pace; called before a worker or beat starts."""
    sweeps = {name: _every(max(sweep_s * pace, min(sweep_s, 1.0)), name, queue) for name, pace, queue in _SWEEPS}
    heartbeats = {f"heartbeat of {lane}": _every(sweep_s, "heartbeat", lane, str(lane)) for lane in Lane}
    app.conf.update(broker_url=broker_url, beat_schedule=sweeps | heartbeats)


def ring(task: str, *arguments: int) -> bool:
    """Wake a worker for a task. Never fails: while the broker is away (False), a sweep finds it a little later."""
    try:
        app.send_task(f"worker.tasks.{task}", arguments, queue=Lane.CONTROL)
    except (OperationalError, OSError) as error:
        log.warning("the broker is away, %s waits for its sweep: %s", task, error)
        return False
    return True


def unreachable(*, timeout_s: int) -> str | None:
    """Return why the broker cannot be reached, None when it answers."""
    try:
        with app.connection_for_read(connect_timeout=timeout_s) as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=timeout_s)
    except (OperationalError, OSError) as error:
        return f"no answer: {error}"
    return None


def _every(seconds: float, task: str, queue: Lane, *arguments: str) -> dict[str, object]:
    return {
        "task": f"worker.tasks.{task}",
        "args": arguments,
        "schedule": seconds,
        # A bell that nobody has heard for a while has been rung again since: let it go.
        "options": {"queue": queue, "expires": 10 * seconds},
    }


app = Celery("tocsin", include=["worker.tasks"])
app.conf.update(
    # Separate queues with workers of their own: priorities in Redis are only hints. Each has an exchange and key of its
    # own too: with Celery's defaults all queues are bound alike, and every message would reach every one of them.
    task_queues=[Queue(lane, Exchange(lane, type="direct"), routing_key=lane) for lane in Lane],
    task_default_queue=Lane.CONTROL,
    task_create_missing_queues=False,  # a misspelt queue is an error, not a queue without workers
    # A killed worker's message comes back, and so does one whose child was killed (#1628); the lease in SQL decides.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    # One message in hand: no hoarding by prefetch while another worker is idle.
    worker_prefetch_multiplier=1,
    # No result backend to fill up; completion is a count in SQL, never a chord (#9674).
    task_ignore_result=True,
    # Plain data only, and never more than ids.
    task_serializer="json",
    accept_content=["json"],
    # Unacked messages of dead workers: looked for every 2 x 5 s rather than kombu's 10 x 10 s (kombu#305, #1836).
    # No ETA or countdown anywhere (#2481, #7009, #9882): what is due later stands in SQL.
    broker_transport_options={
        "visibility_timeout": _VISIBILITY_TIMEOUT_S,
        "unacked_restore_interval": 2,
        "unacked_restore_throttle": 5,
        "global_keyprefix": "tocsin:",  # shares a database with others without harm
        "socket_connect_timeout": 5,
        "socket_keepalive": True,  # a broker that went away silently is noticed (#8030, #9054, #10205)
        "health_check_interval": 25,
    },
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    worker_cancel_long_running_tasks_on_connection_loss=False,  # the lease is in SQL: let the batch finish
    # Publishing rings a bell and must never hang or fail a request for long: sweeps ring again.
    task_publish_retry=True,
    task_publish_retry_policy={"max_retries": 2, "interval_start": 0.1, "interval_step": 0.2, "interval_max": 0.5},
    # Leaks end with their process; 400 MB in KiB.
    worker_max_tasks_per_child=2000,
    worker_max_memory_per_child=400_000,
    # Beat keeps no state of its own: a lost or doubled beat is harmless, so there is no file to corrupt.
    beat_scheduler="celery.beat:Scheduler",
    beat_max_loop_interval=1,
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    enable_utc=True,
    timezone="UTC",
)


def run_beat() -> None:
    """Run beat in this process until SIGTERM or SIGINT ends it."""
    _EndingBeat(app=app, loglevel="WARNING").run()


class _EndingBeat(Beat):
    """Beat whose loop ends even where the exception that is to end it is lost.

    Celery's own handler does nothing but raise SystemExit. In a finaliser Python prints an exception and goes on, and
    beat closes thousands of generators while it reads entry points between setting the handler and its first turn.
    """

    _told = False

    def install_sync_handler(self, service: beat.Service) -> None:
        """Set the handler. The service saves its schedule by itself as its loop ends."""

        def end(_number: int, _frame: FrameType | None) -> Never:
            if not self._told:  # a second signal must not wait for what the first was holding
                self._told = True
                service.stop()
            raise SystemExit

        platforms.signals.update(SIGTERM=end, SIGINT=end)
