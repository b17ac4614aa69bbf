"""The figures of `/metrics` about WebSub hubs: how subscriptions are, what was pushed, forged and missed."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection

from worker.hubs import HubState
from worker.store import pushes, websub

_TOLD = {
    "pushes": "Pushes of hubs that were signed as they should be.",
    "forged": "Pushes that were not signed as their hub would, and are ignored.",
    "misses": "Items that polling has found and no push has told in time.",
}


def hub_metrics(conn: Connection) -> Iterator[str]:
    """Yield lines in Prometheus' text format. Subscriptions are remembered for 90 days after their end."""
    counts = websub.counts(conn)
    yield "# HELP tocsin_websub_subscriptions Subscriptions at WebSub hubs by state."
    yield "# TYPE tocsin_websub_subscriptions gauge"
    for state in HubState:
        yield f'tocsin_websub_subscriptions{{state="{state}"}} {counts.get(state, 0)}'
    for name, says in _TOLD.items():
        yield f"# HELP tocsin_websub_{name} {says}"
        yield f"# TYPE tocsin_websub_{name} gauge"
        yield f"tocsin_websub_{name} {counts[name]}"
    yield "# HELP tocsin_websub_unread Pushes that wait for a worker to read them."
    yield "# TYPE tocsin_websub_unread gauge"
    yield f"tocsin_websub_unread {pushes.waiting(conn)}"
