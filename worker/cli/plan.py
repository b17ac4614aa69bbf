"""`tocsin plan`: run planning once, by hand."""

from __future__ import annotations

from typing import Annotated

import typer

from worker.cli.house import Json, messages, opened_house, print_json, print_rows
from worker.cli.simulate import COLUMNS, read_time, rows


def plan(
    at: Annotated[str, typer.Option(help="Plan what is due at this time; now when not given.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be planned, and change nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Plan whatever is due now: alerts, digests, questions to confirm. Workers do the same every few seconds."""
    from worker.planning import run, run_simulate
    from worker.store import editions

    wanted = read_time(at, "--at") if at else None
    found = opened_house()
    if dry_run:
        would = run_simulate.run_due(found.database, found.planning_policy, at=wanted)
        print_rows(rows(would), as_json=as_json, columns=COLUMNS)
        return
    planned = run.plan(found.database, found.planning_policy, at=wanted)
    with found.database.read() as conn:
        batches = editions.batches_of(conn, planned.editions)
    if batches:
        found.ring("sweep_deliveries")
    if as_json:
        print_json({"editions": planned.editions, "deliveries": planned.deliveries})
        return
    messages.print(f"{planned.deliveries} deliveries planned in {len(planned.editions)} editions")
