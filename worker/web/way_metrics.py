"""The figures of `/metrics` about the ways out of the house: which are shut, which slowed, what a warm-up has taken."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo

from sqlalchemy import Connection

from worker.circuits import SHOWN
from worker.delivery.pacing import Slowdown
from worker.store import breakers, throttles
from worker.store.database import now


def way_metrics(conn: Connection, zone: tzinfo) -> Iterator[str]:
    """Yield lines in Prometheus' text format; on a good day, but the names."""
    at = now(conn)
    yield from _gauge("tocsin_way_shut", "Ways out that are shut, on trial or paused.")
    for way, circuit in breakers.load(conn).items():
        labels = {**way._asdict(), "condition": SHOWN[circuit.condition], "trouble": circuit.trouble or ""}
        yield _line("tocsin_way_shut", 1, **labels)
    yield from _gauge("tocsin_rate_slowed_per_second", "Rates that were halved because somebody asked for less.")
    for place, halved in throttles.load(conn).items():
        yield _line(
            "tocsin_rate_slowed_per_second", round(Slowdown(**halved._asdict()).rate_per_s(at), 3), **place._asdict()
        )
    yield from _gauge("tocsin_warm_up_taken", "Messages of today's warm-up that are taken.")
    for provider, count in throttles.taken(conn, at.astimezone(zone).date()).items():
        yield _line("tocsin_warm_up_taken", count, provider=provider)


def _gauge(name: str, says: str) -> Iterator[str]:
    yield f"# HELP {name} {says}"
    yield f"# TYPE {name} gauge"


def _line(name: str, value: float, **labels: str) -> str:
    r"""Write one sample; a label's value may hold nothing that ends it.

    >>> _line("up", 1, provider='a"b')
    'up{provider="a\\"b"} 1'
    """
    escaped = {key: text.replace("\\", "\\\\").replace('"', '\\"') for key, text in labels.items()}
    told = ",".join(f'{key}="{text}"' for key, text in escaped.items())
    return f"{name}{{{told}}} {value}"
