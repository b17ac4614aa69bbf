"""`tocsin doctor` and `tocsin config`: is everything there, and what is in force."""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from worker.cli.house import Json, messages, print_json, print_rows
from worker.errors import TocsinError
from worker.model import Lane

if TYPE_CHECKING:
    from worker.wiring import House

_FREE_BYTES = 500_000_000
_SILENT_S = 60.0
_CONNECT_S = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One part's health. `advice` says what to do where it is not well."""

    part: str
    well: bool
    says: str
    advice: str = ""


def config(as_json: Json = False) -> None:
    """Print the settings in force, secrets redacted, and point out variables that are none."""
    from worker.wiring import house, unknown_variables

    values = house().settings.shown()
    if as_json:
        print_json(values)
    else:
        rows = [{"variable": name, "value": value} for name, value in values.items()]
        print_rows(rows, as_json=False, columns=("variable", "value"))
    for line in unknown_variables():
        messages.print(f"[yellow]note[/]: {line}")


def doctor(as_json: Json = False) -> None:
    """Look at database, broker, mail relays, workers, clock and disk. Exit status 1 when something is not well."""
    from worker.wiring import house

    found = house()
    checks: tuple[Callable[[House], Finding], ...] = (_database, _broker, _relays, _workers, _clock, _disk)
    findings = [_examine(check, found) for check in checks]
    rows = [{"part": one.part, "well": one.well, "says": one.says, "advice": one.advice} for one in findings]
    if not as_json:
        for row in rows:
            row["well"] = "well" if row["well"] else "NOT WELL"
    print_rows(rows, as_json=as_json, columns=("part", "well", "says", "advice"))
    if not all(one.well for one in findings):
        raise typer.Exit(1)


def _examine(check: Callable[[House], Finding], found: House) -> Finding:
    try:
        return check(found)
    except TocsinError as error:
        return Finding(part=check.__name__.strip("_"), well=False, says=str(error), advice="see above")


def _database(found: House) -> Finding:
    from worker.store import editions

    with found.database.read() as conn:
        terms = editions.conservation(conn)
        whole = editions.audience_holds(conn)
    says = ", ".join(f"{count} {term}" for term, count in terms.items() if count) or "empty"
    return Finding(
        part="database",
        well=whole,
        says=says,
        advice="" if whole else "an audience has changed its size: report this",
    )


def _broker(found: House) -> Finding:
    from worker import celery_app

    found.point_celery()
    trouble = celery_app.unreachable(timeout_s=_CONNECT_S)
    return Finding(
        part="broker",
        well=trouble is None,
        says=trouble or "answers",
        advice="start it, or `tocsin up`; no mail is lost meanwhile" if trouble else "",
    )


def _relays(found: House) -> Finding:
    silent = []
    for spec in found.transport_specs:
        try:
            socket.create_connection((spec.host, spec.port), timeout=_CONNECT_S).close()
        except OSError as error:
            silent.append(f"{spec.name} at {spec.host}:{spec.port} ({error.strerror or error})")
    names = ", ".join(spec.name for spec in found.transport_specs)
    return Finding(
        part="relays",
        well=not silent,
        says=f"no answer from {'; '.join(silent)}" if silent else f"{names} answer",
        advice="check TOCSIN_TRANSPORTS and the relay; mail waits and is tried again" if silent else "",
    )


def _workers(found: House) -> Finding:
    from worker.store import house as house_table
    from worker.store.database import now

    with found.database.read() as conn:
        beats, at = house_table.heartbeats(conn), now(conn)
    ages = {lane: (at - beats[lane]).total_seconds() if lane in beats else None for lane in Lane}
    silent = [lane for lane, age_s in ages.items() if age_s is None or age_s > _SILENT_S]
    return Finding(
        part="workers",
        well=not silent,
        says=f"no sign of life from {', '.join(silent)}" if silent else "all queues have a living worker",
        advice="start `tocsin worker` for them, and `tocsin beat`" if silent else "",
    )


def _clock(found: House) -> Finding:
    from worker.store.database import now

    with found.database.read() as conn:
        ahead_s = now(conn).timestamp() - time.time()
    return Finding(
        part="clock",
        well=abs(ahead_s) < 5,
        says=f"the database's clock is {ahead_s:+.1f} s from this machine's",
        advice="" if abs(ahead_s) < 5 else "set the machines' clocks by NTP",
    )


def _disk(found: House) -> Finding:
    free = shutil.disk_usage(found.home).free
    return Finding(
        part="disk",
        well=free > _FREE_BYTES,
        says=f"{free / 1e9:.1f} GB free at {found.home}",
        advice="" if free > _FREE_BYTES else "make room: SQLite, the broker and the inbox write here",
    )
