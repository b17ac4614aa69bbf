"""Circuits in SQL: seen alike by all workers, changed by one at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.builders import edition, ids_of, reader, set_clock
from worker.circuits import Condition, Trouble, Way
from worker.hearsay import EventKind
from worker.store import breakers
from worker.store.database import Database, now
from worker.store.schema import Audit, Event

RELAY = Way("relay")
POLICY = "550 5.7.1 not from you"


def trip(database: Database, way: Way = RELAY, trouble: Trouble = Trouble.UNREACHABLE) -> None:
    with database.write() as conn:
        breakers.trip(conn, way, trouble, reason="no answer")


def turn(database: Database, way: Way = RELAY) -> int | None:
    with database.write() as conn:
        return breakers.take_turn(conn, way)


def conditions(database: Database) -> dict[Way, Condition]:
    with database.read() as conn:
        return {way: circuit.condition for way, circuit in breakers.load(conn).items()}


def test_what_one_worker_shuts_all_see_shut_until_a_probe_gets_through(database):
    trip(database)
    assert conditions(database) == {RELAY: Condition.OPEN}
    assert turn(database) is None
    set_clock(database, ahead=timedelta(minutes=1))
    number = turn(database)
    assert number is not None
    assert conditions(database) == {RELAY: Condition.HALF_OPEN}
    with database.write() as conn:
        breakers.recover(conn, RELAY, turn=number)
    assert conditions(database) == {}
    with database.read() as conn:
        assert breakers.load(conn, closed_too=True)[RELAY].pause_s > 0


def test_nobody_has_a_turn_at_a_way_that_was_never_shut(database):
    assert turn(database) is None


def test_of_many_workers_one_gets_the_turn_and_ten_trips_are_one(database):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: trip(database), range(10)))
        with database.read() as conn:
            assert breakers.load(conn)[RELAY].pause_s == 5
        set_clock(database, ahead=timedelta(minutes=1))
        turns = list(pool.map(lambda _: turn(database), range(10)))
    assert sorted(filter(None, turns)) == [1]


def test_a_person_shuts_and_opens_a_provider_with_all_that_belongs_to_it(database):
    digests, others = Way("relay", "digest", "example.org"), Way("other")
    for way in (digests, others):
        trip(database, way, Trouble.POLICY)
    with database.write() as conn:
        breakers.pause(conn, RELAY, actor="ann", reason="maintenance")
    trip(database)
    assert conditions(database)[RELAY] is Condition.PAUSED
    with database.write() as conn:
        assert breakers.resume(conn, RELAY, actor="ann") == [RELAY, digests]
    assert conditions(database) == {others: Condition.OPEN}
    with database.read() as conn:
        rows = conn.execute(sa.select(Audit.actor, Audit.action, Audit.subject).order_by(Audit.id)).all()
    assert rows == [("ann", "provider paused", "relay"), ("ann", "provider resumed", "relay")]


@pytest.mark.parametrize(
    ("delivered", "bounced", "shuts"),
    [(0, 1, True), (3, 1, True), (9, 1, False), (8, 2, True)],
    ids=["the only word", "one of four", "one of ten", "two of ten"],
)
def test_policy_bounces_shut_a_stream_to_a_domain_unless_most_mail_to_it_arrives(database, delivered, bounced, shuts):
    with database.write() as conn:
        copies = ids_of(conn, edition(conn, [reader(conn) for _ in range(delivered + bounced)]))
        for number, delivery_id in enumerate(copies):
            is_bounce = number >= delivered
            conn.execute(
                sa.insert(Event).values(
                    provider="relay",
                    provider_event_id=f"event {number}",
                    kind=EventKind.BOUNCED if is_bounce else EventKind.DELIVERED,
                    delivery_id=delivery_id,
                    occurred_at=now(conn),
                    received_at=now(conn),
                    normalised={"status": "5.7.1" if is_bounce else "2.0.0"},
                )
            )
        told = {"provider": "relay", "stream": "digest", "domain": "readers.example", "reason": POLICY}
        assert breakers.hear_policy_bounce(conn, **told) is shuts
    way = Way("relay", "digest", "readers.example")
    assert conditions(database) == ({way: Condition.OPEN} if shuts else {})


def test_a_receivers_domains_are_shut_together(database):
    with database.write() as conn:
        told = {"provider": "relay", "stream": "digest", "domain": "hotmail.co.uk", "reason": POLICY}
        assert breakers.hear_policy_bounce(conn, **told)
    assert conditions(database) == {Way("relay", "digest", "outlook.com"): Condition.OPEN}


def test_closed_circuits_are_forgotten_after_a_day(database):
    trip(database)
    set_clock(database, ahead=timedelta(minutes=1))
    with database.write() as conn:
        breakers.recover(conn, RELAY, turn=breakers.take_turn(conn, RELAY) or 0)
    set_clock(database, ahead=timedelta(days=2))
    trip(database, Way("other"))
    with database.read() as conn:
        assert set(breakers.load(conn, closed_too=True)) == {Way("other")}
