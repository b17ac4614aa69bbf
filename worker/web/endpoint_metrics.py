"""The figures of `/metrics` about the newspaper's own endpoints: what waits for them, and which fail or are off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection

from worker.store import endpoints
from worker.store.endpoints import Endpoint
from worker.tidings import MessageState

_HELP: Final = {
    "tocsin_webhook_messages": "Messages that endpoints have not taken; failed ones wait for a person.",
    "tocsin_webhook_late_seconds": "For how long an endpoint's most overdue message has been due.",
    "tocsin_webhook_endpoint": "Endpoints: 1 where they are on, failing or off.",
}


def endpoint_metrics(conn: Connection) -> Iterator[str]:
    """Yield lines in Prometheus' text format; where there is no endpoint, but the names."""
    counts, late, known = endpoints.open_ones(conn), endpoints.waiting_s(conn), endpoints.all_of_them(conn)
    yield from _gauge("tocsin_webhook_messages")
    for one in known:
        for state in (MessageState.PENDING, MessageState.FAILED):
            count = counts.get(one.id, {}).get(state, 0)
            yield f'tocsin_webhook_messages{{endpoint="{one.id}",state="{state}"}} {count}'
    yield from _gauge("tocsin_webhook_late_seconds")
    for one in known:
        yield f'tocsin_webhook_late_seconds{{endpoint="{one.id}"}} {late.get(one.id, 0.0):.1f}'
    yield from _gauge("tocsin_webhook_endpoint")
    for one in known:
        yield f'tocsin_webhook_endpoint{{endpoint="{one.id}",condition="{_condition(one)}"}} 1'


def _condition(one: Endpoint) -> str:
    return "off" if one.disabled_at else "failing" if one.failing_since else "on"


def _gauge(name: str) -> Iterator[str]:
    yield f"# HELP {name} {_HELP[name]}"
    yield f"# TYPE {name} gauge"
