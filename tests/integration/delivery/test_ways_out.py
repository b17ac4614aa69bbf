"""A courier with two providers: what one cannot or may not send goes by the other, and nothing goes by both."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import pytest

from tests.builders import HOLDER, attempts_of, deliveries_of, edition, reader, set_clock
from tests.integration.delivery.conftest import PATIENCE, write
from tests.integration.delivery.stand_in import StandIn
from worker.circuits import Condition, Way
from worker.delivery import run_flow
from worker.delivery.routing import Exit
from worker.delivery.run import Courier, Terms
from worker.delivery.run_flow import Flow
from worker.delivery.run_limits import Door
from worker.delivery.run_pacing import Pace
from worker.errors import OutcomeUnknown, SendError
from worker.lifecycle import State
from worker.model import EditionId, Lane
from worker.ports import Errand
from worker.store import breakers
from worker.store.database import Database

POLICY = SendError("550 5.7.1 not from you", permanent=True, code=550, enhanced="5.7.1")
LOST = OutcomeUnknown("the line dropped")


class Unreachable(StandIn):
    async def work(self, _errand: Errand) -> None:
        raise SendError("connection refused", permanent=False)


class Provider(StandIn):
    """Gives every message the same answer, as long as `says` is set."""

    def __init__(self, name: str, says: SendError | OutcomeUnknown | None = None) -> None:
        super().__init__()
        self.name, self.says = name, says

    async def _answer(self, message):
        if self.says is not None:
            self.sent.append(message)
            return self.says
        return await super()._answer(message)


@pytest.fixture(autouse=True)
def look_always(monkeypatch):
    monkeypatch.setattr(run_flow, "_LOOKS_EVERY_S", 0.0)


def courier(database: Database, providers: Sequence[StandIn], *, weights: Sequence[int] = (1, 1), **limits) -> Courier:
    doors = [
        Door(exit=Exit.of(one.name, weight=weight, lanes=frozenset(Lane)), **limits)
        for one, weight in zip(providers, weights, strict=False)
    ]
    return Courier(
        database=database,
        transports={one.name: one for one in providers},
        flow=Flow(doors, database=database, pace=Pace(None, me="one")),
        write=write,
        holder=HOLDER,
        terms=Terms(lease_s=60, patience=PATIENCE),
    )


def planned(database: Database, count: int) -> EditionId:
    with database.write() as conn:
        return edition(conn, [reader(conn) for _ in range(count)])


def deliver(database: Database, edition_id: EditionId, *providers: StandIn, **how) -> int:
    return asyncio.run(courier(database, providers, **how).deliver(Lane.BULK, edition_id, 1))


def states(database: Database) -> Counter[State]:
    with database.read() as conn:
        return Counter(row.state for row in deliveries_of(conn))


def conditions(database: Database) -> dict[Way, Condition]:
    with database.read() as conn:
        return {way: circuit.condition for way, circuit in breakers.load(conn).items()}


def test_two_providers_share_an_edition_and_each_reader_gets_it_once(database):
    one, other = Provider("one"), Provider("other")
    assert deliver(database, planned(database, 60), one, other) == 60
    got = [message.recipient for message in (*one.sent, *other.sent)]
    assert len(set(got)) == len(got) == 60
    assert min(len(one.sent), len(other.sent)) > 10
    with database.read() as conn:
        providers = Counter(row.provider for row in deliveries_of(conn))
    assert providers == {"one": len(one.sent), "other": len(other.sent)}


def test_what_a_dead_provider_had_goes_by_the_other(database, caplog):
    dead, other = Unreachable(), Provider("other")
    edition_id = planned(database, 30)
    first = deliver(database, edition_id, dead, other)
    assert conditions(database) == {Way("stand-in"): Condition.OPEN}
    assert "stand-in is shut: unreachable: connection refused" in caplog.text
    set_clock(database, ahead=timedelta(seconds=2))
    assert first + deliver(database, edition_id, dead, other) == 30
    assert states(database) == {State.ACCEPTED: 30}
    assert len(other.sent) == 30


def test_policy_refusals_go_by_the_other_pause_the_stream_and_suppress_nobody(database):
    strict, other = Provider("strict", POLICY), Provider("other")
    edition_id = planned(database, 40)
    deliver(database, edition_id, strict, other)
    tried = len(strict.sent)
    assert 0 < tried <= 2 * strict.connections  # what was under way when the first refusal came in
    assert conditions(database) == {Way("strict", "digest", "readers.example"): Condition.OPEN}
    set_clock(database, ahead=timedelta(minutes=2))
    deliver(database, edition_id, strict, other)
    assert states(database) == {State.ACCEPTED: 40}
    assert len(strict.sent) == tried
    assert len(other.sent) == 40
    with database.read() as conn:
        (refused,) = {row.id for row in deliveries_of(conn) if row.recipient == strict.sent[0].recipient}
        assert [(row.provider, row.outcome) for row in attempts_of(conn, refused)] == [
            ("strict", "deferred"),
            ("other", "accepted"),
        ]


def test_with_one_provider_a_policy_refusal_holds_the_stream_until_it_is_mended(database):
    strict = Provider("strict", POLICY)
    edition_id = planned(database, 40)
    deliver(database, edition_id, strict)
    tried = len(strict.sent)
    assert tried <= 2 * strict.connections
    assert states(database) == {State.DEFERRED: tried, State.PLANNED: 40 - tried}
    strict.says = None
    with database.write() as conn:
        breakers.resume(conn, Way("strict"), actor="ann")
    set_clock(database, ahead=timedelta(minutes=6))
    deliver(database, edition_id, strict)
    assert states(database) == {State.ACCEPTED: 40}


def test_lost_replies_stop_before_many_are_in_doubt_and_none_of_them_moves(database):
    lossy, other = Provider("lossy", LOST), Provider("other")
    edition_id = planned(database, 60)
    deliver(database, edition_id, lossy, other)
    in_doubt = len(lossy.sent)
    assert 3 <= in_doubt <= 3 + 2 * lossy.connections
    set_clock(database, ahead=timedelta(minutes=2))
    lossy.says = None
    deliver(database, edition_id, lossy, other)
    assert states(database) == {State.ACCEPTED: 60 - in_doubt, State.UNKNOWN: in_doubt}
    doubtful = {message.recipient for message in lossy.sent[:in_doubt]}
    assert not doubtful & {message.recipient for message in other.sent}


def test_a_rate_spreads_an_edition_over_rounds_and_loses_nobody(database):
    paced = Provider("paced")
    edition_id = planned(database, 60)
    assert deliver(database, edition_id, paced, rate_per_s=0.1) == 1  # the next turn is too far off to wait for it
    with database.read() as conn:
        waiting = [row for row in deliveries_of(conn) if row.state == State.PLANNED]
    assert {(row.reason, row.attempts) for row in waiting} == {("paced", 0)}
    for _ in range(3):
        set_clock(database, ahead=timedelta(minutes=20))
        deliver(database, edition_id, paced)
    assert states(database) == {State.ACCEPTED: 60}
