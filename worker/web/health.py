"""What supervisors and monitors ask: does the process live, can mail go out, and how do the books stand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from fastapi import APIRouter
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import JSONResponse, PlainTextResponse

from worker.errors import ConfigurationError
from worker.model import Lane
from worker.store import editions
from worker.store import house as house_table
from worker.store.database import now
from worker.web.site import AnySite, LocalSite, Site

router = APIRouter(include_in_schema=False)

_SILENT: Final = timedelta(seconds=60)


@router.get("/healthz")
def healthz() -> JSONResponse:
    """Answer 200 as long as this process lives."""
    return JSONResponse({"status": "alive"})


@router.get("/readyz")
def readyz(site: AnySite) -> JSONResponse:
    """Answer 200 only while the database answers and every queue has a living worker; else 503, naming what lacks."""
    missing = _missing(site)
    return JSONResponse({"status": "not ready" if missing else "ready", "missing": missing}, 503 if missing else 200)


@router.get("/metrics")
def metrics(site: LocalSite) -> PlainTextResponse:
    """Tell Prometheus how the deliveries stand and how long ago each worker was heard of."""
    with site.house.database.read() as conn:
        states, terms = editions.states(conn), editions.conservation(conn)
        beats, at = house_table.heartbeats(conn), now(conn)
    lines = [
        *_gauge(
            "tocsin_deliveries", "Deliveries by state.", "state", {str(name): count for name, count in states.items()}
        ),
        *_gauge(
            "tocsin_conservation", "Terms of the conservation law: audience is the sum of all others.", "term", terms
        ),
        *_gauge(
            "tocsin_heartbeat_age_seconds",
            "Time since a queue's worker was heard of.",
            "queue",
            {name: (at - beat).total_seconds() for name, beat in beats.items()},
        ),
    ]
    return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4; charset=utf-8")


def _missing(site: Site) -> list[str]:
    try:
        with site.house.database.read() as conn:
            beats, at = house_table.heartbeats(conn), now(conn)
    except (ConfigurationError, SQLAlchemyError):
        return ["database"]
    return [f"worker for {lane}" for lane in Lane if lane not in beats or at - beats[lane] > _SILENT]


def _gauge(name: str, text: str, label: str, values: Mapping[str, float]) -> list[str]:
    samples = [f'{name}{{{label}="{key}"}} {value:g}' for key, value in sorted(values.items())]
    return [f"# HELP {name} {text}", f"# TYPE {name} gauge", *samples]
