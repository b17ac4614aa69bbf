"""Looks after editions whose first share is out: lets the rest follow when it has done well, and holds it when not.

Each step is one compare-and-set, so that any number of sweeps may run at once. Called by a sweep.
"""

from __future__ import annotations

from collections.abc import Mapping

from worker.delivery.canary import Limits, Tally, Verdict, judge
from worker.lifecycle import TAKEN, State
from worker.store import canaries
from worker.store.canaries import Watched
from worker.store.database import Database, now

_WAITING = (State.PLANNED, State.LEASED, State.COMMITTING)


def sweep(database: Database, limits: Limits) -> None:
    """Judge every first share that is out."""
    with database.read() as conn:
        watched = canaries.watched(conn)
    for one in watched:
        _look_at(database, one, limits)


def _look_at(database: Database, one: Watched, limits: Limits) -> None:
    with database.read() as conn:
        at, tally = now(conn), tally_of(canaries.standing(conn, one.edition_id))
        began_at = canaries.first_tried_at(conn, one.edition_id)
    settled_for_s = (at - one.settled_at).total_seconds() if one.settled_at else None
    waited_s = (at - began_at).total_seconds() if began_at else 0.0  # an outage says nothing of the mail
    verdict, why = judge(tally, limits, settled_for_s=settled_for_s, waited_s=waited_s)
    if verdict is Verdict.WAIT:
        return
    with database.write() as conn:
        if verdict is Verdict.SETTLED:
            canaries.settled(conn, one.edition_id)
        elif verdict is Verdict.GO:
            canaries.pass_on(conn, one.edition_id)
        else:
            canaries.fail(conn, one.edition_id, reason=f"held by its canary: {why}")


def tally_of(standing: Mapping[tuple[State, bool], int]) -> Tally:
    """Sum states up. What is deferred with a final reply was refused because of us: the reader cannot help it.

    What a dead worker had on the wire counts for nothing.
    """

    def count(*states: State, final: tuple[bool, ...] = (False, True)) -> int:
        return sum(standing.get((state, is_so), 0) for state in states for is_so in final)

    return Tally(
        waiting=count(*_WAITING),
        put_off=count(State.DEFERRED, final=(False,)),
        taken=count(*TAKEN - {State.BOUNCED, State.COMPLAINED}),
        refused=count(State.DEFERRED, final=(True,)),
        unknown=count(State.UNKNOWN, final=(True,)),
        bounced=count(State.BOUNCED, State.REFUSED),
        complained=count(State.COMPLAINED),
    )
