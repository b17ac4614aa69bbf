"""Which processes an installation on one machine consists of. `up` and `demo` hand them to the supervisor."""

from __future__ import annotations

import sys
from functools import partial

from worker.model import Lane
from worker.runtime.broker_child import broker_child
from worker.runtime.child import Child
from worker.runtime.ports import ensure_free, is_listening
from worker.runtime.supervisor import STOP_WITHIN_S
from worker.wiring import House

_RELEASE_S = 10.0  # after a kill -9, the children of the last run need that long to let go of their ports


def children_of(house: House) -> list[Child]:
    """Return the processes in the order in which they start; the broker stops last."""
    settings = house.settings
    environment = {"TOCSIN_HOME": str(house.home), "PYTHONUNBUFFERED": "1"}
    host = "127.0.0.1" if settings.web_host == "0.0.0.0" else settings.web_host  # noqa: S104  compared, not bound
    children = [broker_child(home=house.home, port=settings.broker_port)] if house.broker_is_embedded else []
    if house.inbox_is_used:
        ready = partial(is_listening, "127.0.0.1", settings.inbox_port)
        # Last, like the broker: a worker that ends in order still waits for its replies.
        inbox = Child(name="inbox", argv=_tocsin("inbox"), env=environment, ready=ready, stops_last=True)
        children.append(inbox)
    children.append(
        Child(name="web", argv=_tocsin("web"), env=environment, ready=partial(is_listening, host, settings.web_port))
    )
    children += [
        Child(
            name=f"worker-{lane}",
            argv=_tocsin("worker", "--queues", lane),
            env=environment,
            stop_grace_s=STOP_WITHIN_S,  # Celery alone takes two seconds and more; messages on the wire need the rest
        )
        for lane in Lane
    ]
    children.append(Child(name="beat", argv=_tocsin("beat"), env=environment))
    return children


def ensure_ports_free(house: House, *, after_crash: bool) -> None:
    """Raise `ConfigurationError` with the port, its user and its variable, where somebody else has it."""
    settings = house.settings
    wait_s = _RELEASE_S if after_crash else 0.0
    if house.broker_is_embedded:
        ensure_free("127.0.0.1", settings.broker_port, "the embedded broker", "TOCSIN_BROKER_PORT", wait_s=wait_s)
    if house.inbox_is_used:
        ensure_free("127.0.0.1", settings.inbox_port, "the local inbox", "TOCSIN_INBOX_PORT", wait_s=wait_s)
    ensure_free(settings.web_host, settings.web_port, "the pages", "TOCSIN_WEB_PORT", wait_s=wait_s)


def _tocsin(*words: str) -> list[str]:
    return [sys.executable, "-m", "worker", *words]
