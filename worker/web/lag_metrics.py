"""The figures of `/metrics` about how long articles and mails take from step to step. Which ones, the ledger tells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection

from worker.intake.run_tallying import counted
from worker.intake.tally import cumulative

_NAME: Final = "tocsin_intake_lag_seconds"


def lag_metrics(conn: Connection) -> Iterator[str]:
    """Yield lines in Prometheus' text format; where nothing has come to its end yet, but the names."""
    yield f"# HELP {_NAME} From the step before to this one: articles until they are matched, mails by kind."
    yield f"# TYPE {_NAME} histogram"
    found = counted(conn)
    for (step, kind), row in sorted(found.rows.items() if found else ()):
        labels = f'step="{step}",kind="{kind}"'
        for bound, count in cumulative(row).items():
            yield f'{_NAME}_bucket{{{labels},le="{bound}"}} {count}'
        yield f"{_NAME}_sum{{{labels}}} {row.sum_s:.3f}"
        yield f"{_NAME}_count{{{labels}}} {sum(row.counts)}"
