"""`tocsin plan`: run planning once, by hand."""

from __future__ import annotations

from worker.cli.house import Json, messages, opened_house, print_json


def plan(
    as_json: Json = False,
) -> None:
    """Plan whatever is due now: alerts, digests, questions to confirm. Workers do the same every few seconds."""
    from worker.planning import run
    from worker.store import editions

    found = opened_house()
    planned = run.plan(found.database, found.planning_policy)
    with found.database.read() as conn:
        batches = editions.batches_of(conn, planned.editions)
    if batches:
        found.ring("sweep_deliveries")
    if as_json:
        print_json({"editions": planned.editions, "deliveries": planned.deliveries})
        return
    messages.print(f"{planned.deliveries} deliveries planned in {len(planned.editions)} editions")
