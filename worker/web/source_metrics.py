"""The figures of `/metrics` about the sources: how many are how. Which ones, the API and `tocsin sources list` tell."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection

from worker.feeds import SourceCondition
from worker.store import source_health


def source_metrics(conn: Connection) -> Iterator[str]:
    """Yield lines in Prometheus' text format; what no sweep has judged yet counts as never heard of."""
    counts = source_health.by_condition(conn)
    yield "# HELP tocsin_sources Sources by how they were when last looked at."
    yield "# TYPE tocsin_sources gauge"
    for condition in SourceCondition:
        yield f'tocsin_sources{{state="{condition}"}} {counts.get(condition, 0)}'
