"""What monitors ask: is the process alive, can the house send, and the figures behind that.

Reads only. `/metrics` is in Prometheus' text format, for this machine only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from sqlalchemy.exc import SQLAlchemyError

from worker.errors import ConfigurationError
from worker.lifecycle import State
from worker.model import Lane
from worker.store import asking, editions, events, leases, suppressions
from worker.store.database import now
from worker.store.house import heartbeats
from worker.web.endpoint_metrics import endpoint_metrics
from worker.web.hub_metrics import hub_metrics
from worker.web.lag_metrics import lag_metrics
from worker.web.site import AnySite, LocalSite, Site
from worker.web.source_metrics import source_metrics
from worker.web.way_metrics import way_metrics

router = APIRouter(include_in_schema=False)

SILENT_AFTER_S: Final = 60.0
_COUNTED: Final = 10_000


@router.get("/healthz")
def alive() -> Response:
    """Say that this process answers. Asks nobody else, so that a database's trouble restarts no web server."""
    return JSONResponse({"status": "ok"})


@router.get("/readyz")
def ready(site: AnySite) -> Response:
    """Say whether mail can be sent: the database answers, and each queue has had a living worker within a minute."""
    missing = list(_missing(site))
    return JSONResponse({"ready": not missing, "missing": missing}, status_code=503 if missing else 200)


@router.get("/metrics")
def metrics(site: LocalSite) -> Response:
    """Give the figures."""
    with site.house.database.read() as conn:
        at, beats, states = now(conn), heartbeats(conn), editions.states(conn)
        books, runs = editions.conservation(conn), editions.by_kind_and_status(conn)
        ways = list(way_metrics(conn, ZoneInfo(site.house.newsroom.timezone)))
        waiting, gone = events.waiting(conn), suppressions.by_cause(conn)
        told = [*endpoint_metrics(conn), *source_metrics(conn), *hub_metrics(conn), *lag_metrics(conn)]
        asked = asking.lately(conn)
        due = {lane: len(leases.due_batches(conn, lane, limit=_COUNTED)) for lane in (Lane.ALERTS, Lane.BULK)}
    lines = [
        *_gauge("tocsin_deliveries", "Deliveries by state.", "state", {state: states.get(state, 0) for state in State}),
        *_gauge(
            "tocsin_conservation",
            "Terms of the conservation law; audience, as fixed by planning, is the sum of the others.",
            "term",
            books,
        ),
        *_gauge("tocsin_editions", "Editions by kind and status; held ones wait for a person.", "kind,status", runs),
        *_gauge("tocsin_batches_due", "Batches that wait for a worker.", "lane", due),
        *_gauge(
            "tocsin_events", "What providers told us, by what is still to be done.", "state", {"unsettled": waiting}
        ),
        *_gauge("tocsin_suppressions", "Addresses that get nothing any more, by what led there.", "cause", gone),
        *_gauge(
            "tocsin_heartbeat_age_seconds", "Time since a queue's worker last did a task.", "queue", _ages(beats, at)
        ),
        *_gauge(
            "tocsin_questions",
            "Questions for consent: asked in the last hour and not answered, waiting; sign-ups that led to none.",
            "state",
            {"asked": asked.asked, "waiting": asked.waiting, "none": asked.refused},
        ),
        *ways,
        *told,
        *_counters(site),
    ]
    return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")


def _counters(site: Site) -> Iterable[str]:
    """Yield what this process has counted of opens and clicks; nothing where none are."""
    if site.house.measures:
        yield "# HELP tocsin_measured_total Opens and clicks that this process has counted, by who seems to have asked."
        yield "# TYPE tocsin_measured_total counter"
        for (measure, visitor), count in site.house.meter.totals().items():
            yield f'tocsin_measured_total{{measure="{measure}",visitor="{visitor}"}} {count}'


def _missing(site: Site) -> Iterator[str]:
    try:
        with site.house.database.read() as conn:
            at, beats = now(conn), heartbeats(conn)
    except (ConfigurationError, SQLAlchemyError):
        yield "database: no answer"
        return
    ages = _ages(beats, at)
    for lane in Lane:
        if lane not in ages:
            yield f"worker for {lane}: not seen yet"
        elif ages[lane] > SILENT_AFTER_S:
            yield f"worker for {lane}: silent for {ages[lane]:.0f} s"


def _ages(beats: Mapping[str, datetime], at: datetime) -> dict[str, float]:
    return {name: round((at - beat).total_seconds(), 1) for name, beat in sorted(beats.items())}


def _gauge(name: str, says: str, labels: str, values: Mapping[Any, float]) -> Iterable[str]:
    """Yield a gauge's lines; where there are several labels, separated by commas, the keys are tuples."""
    yield f"# HELP {name} {says}"
    yield f"# TYPE {name} gauge"
    for key, value in values.items():
        parts = key if isinstance(key, tuple) else (key,)
        told = ",".join(f'{label}="{part}"' for label, part in zip(labels.split(","), parts, strict=True))
        yield f"{name}{{{told}}} {value}"
