"""`tocsin up` and the processes that it consists of; a compose file or systemd starts the same ones."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import Annotated

import typer

from worker.cli.house import messages, opened_house
from worker.errors import InputError
from worker.model import Lane
from worker.runtime.child import ChildState, ChildStatus
from worker.runtime.home import HomeLock
from worker.runtime.parent import watch_parent
from worker.runtime.supervisor import Supervisor

_TASKS_PER_MATCHING_CHILD = 50_000
_CONCURRENCY = {Lane.CONTROL: 2}  # a slow feed must not hold planning up; delivery has an event loop a process


def up() -> None:
    """Run everything: pages, three workers, beat, and the embedded broker and inbox where they are used.

    Stops with Ctrl-C, within ten seconds. A process that dies is started again.
    """
    from worker.cli.children import children_of, ensure_ports_free
    from worker.store import migrate
    from worker.wiring import house

    found = house()
    _ = found.letters  # a faulty template, or a key that cannot sign, ends it now
    with HomeLock(found.home) as lock:
        migrate.upgrade(found.database_of_any_version())
        ensure_ports_free(found, after_crash=lock.was_abandoned)
        with Supervisor(children_of(found), log_directory=found.home / "logs", on_change=say_change) as supervisor:
            messages.print(f"open [bold]{found.base_url}/subscribe[/]" + _inbox_line(found.inbox_is_used))
            supervisor.run_forever()


def web() -> None:
    """Serve the readers' pages, the API, and in the embedded mode the inbox."""
    watch_parent()
    from worker.runtime.ports import ensure_free
    from worker.web.serve import serve

    found = opened_house()
    ensure_free(found.settings.web_host, found.settings.web_port, "the pages", "TOCSIN_WEB_PORT")
    log_to_stderr()
    serve(found)


def worker(
    queues: Annotated[
        str, typer.Option(help="Which queues to work for, separated by commas.", metavar="alerts,bulk,control")
    ] = "alerts,bulk,control",
    concurrency: Annotated[
        int | None, typer.Option(help="Child processes; by default 1, and 2 for control.", min=1, max=64)
    ] = None,
) -> None:
    """Run a Celery worker. In production, one process or more for each queue."""
    watch_parent()
    from worker.wiring import MAIL_LANES

    lanes = _lanes(queues)
    found = opened_house()
    found.point_celery()
    _ = found.transport_specs  # a wrong DSN ends the worker now, not its first task
    if set(lanes) & set(MAIL_LANES):
        _ = found.letters  # and so do a faulty template and a key that cannot sign
    log_to_stderr()
    from worker import tasks  # noqa: F401  registers the tasks
    from worker.celery_app import app as celery

    found.close()  # nothing with a socket may be inherited by the fork
    celery.worker_main(celery_options(lanes, concurrency))


def beat() -> None:
    """Ring for the sweeps that find due work in SQL. Two of them do no harm."""
    watch_parent()
    found = opened_house()
    found.point_celery()
    log_to_stderr()
    from worker import tasks  # noqa: F401  registers the tasks
    from worker.celery_app import run_beat

    run_beat()


def inbox() -> None:
    """Run the local inbox: an SMTP server on loopback that stores what it receives."""
    watch_parent()
    from worker.runtime.inbox import serve
    from worker.wiring import house

    found = house()
    serve("127.0.0.1", found.settings.inbox_port, found.inbox)


def celery_options(lanes: Sequence[Lane], concurrency: int | None) -> list[str]:
    """Return what the worker of these queues is started with, wherever that is.

    A child that holds the compiled topics is not renewed for its size, as others are: an honest index may be larger
    than any limit, and its child would be renewed, and load it again, after every task. What leaks in it is freed by
    the count of tasks instead: about once a day where little happens.
    """
    wanted = concurrency or max(_CONCURRENCY.get(lane, 1) for lane in lanes)
    options = ["-Q", ",".join(lanes), "-c", str(wanted), "-P", "prefork", "-n", f"{'-'.join(lanes)}@%h"]
    if Lane.CONTROL in lanes:
        options += ["--max-memory-per-child", "0", "--max-tasks-per-child", str(_TASKS_PER_MATCHING_CHILD)]
    return ["worker", *options, "-l", "WARNING", "--without-gossip", "--without-mingle"]


def say_change(status: ChildStatus) -> None:
    """Tell the operator of a process that died or came back."""
    if status.state is ChildState.RESTARTING:
        messages.print(f"[yellow]{status.name}[/] {status.state}")


def _lanes(text: str) -> list[Lane]:
    try:
        return [Lane(word.strip()) for word in text.split(",") if word.strip()] or list(Lane)
    except ValueError as error:
        raise InputError(f"{error}", where="--queues", hint=f"choose among {', '.join(Lane)}") from error


def log_to_stderr() -> None:
    """Log our own lines from TOCSIN_LOG_LEVEL on, also under Celery, which has its own level at the root."""
    level = os.environ.get("TOCSIN_LOG_LEVEL", "INFO").upper()
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("worker").setLevel(level)
    for chatty in ("httpx", "httpcore", "alembic", "celery.redirected", "kombu"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _inbox_line(used: bool) -> str:
    return ", and [bold]/inbox[/] for the mail" if used else ""
