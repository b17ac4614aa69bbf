"""One batch from lease to receipt: every exit, every interruption, never more in doubt than there are connections."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from tests.builders import (
    HOLDER,
    RIVAL,
    address_hash,
    all_editions,
    attempts_of,
    change_edition,
    deliveries_of,
    edition,
    ids_of,
    reader,
    set_clock,
    states_of,
)
from tests.databases import opened
from tests.integration.delivery.conftest import Post, write
from tests.integration.delivery.stand_in import BUSY, NO_SUCH_USER, StandIn
from worker.delivery import run as courier_module
from worker.delivery import run_books
from worker.errors import AddressError, OutcomeUnknown, SendError
from worker.lifecycle import Happening, State, step
from worker.model import DeliveryId, EditionId, EditionKind, EditionStatus, Form, Lane, OutgoingMessage
from worker.store import deliveries, leases, people
from worker.store.copies import DueDelivery
from worker.store.database import Database, now
from worker.store.schema import Delivery, DeliveryBatch, Subscriber


def planned(database: Database, readers: int, **options: Any) -> EditionId:
    """Plan an edition for so many readers."""
    with database.write() as conn:
        return edition(conn, [reader(conn) for _ in range(readers)], **options)


def states(database: Database) -> list[State]:
    with database.read() as conn:
        return states_of(conn)


def rows(database: Database) -> list[sa.Row[Any]]:
    with database.read() as conn:
        return deliveries_of(conn)


def due(database: Database, lane: Lane = Lane.BULK) -> list[tuple[EditionId, int]]:
    with database.read() as conn:
        return leases.due_batches(conn, lane, limit=10)


def test_a_batch_goes_out_once_and_the_edition_is_finished(database, post):
    batch = planned(database, 7)
    assert post.deliver(batch) == 7
    assert sorted(message.recipient for message in post.transport.sent) == sorted(
        row.recipient for row in rows(database)
    )
    for row in rows(database):
        assert (row.state, row.attempts, row.provider, row.code) == (State.ACCEPTED, 1, "stand-in", 250)
        assert row.provider_message_id.startswith("queue-")
        assert row.planned_at <= row.committed_at <= row.accepted_at
    with database.read() as conn:
        (finished,) = all_editions(conn)
        assert finished.status is EditionStatus.FINISHED
        assert finished.finished_at is not None
        assert conn.execute(sa.select(DeliveryBatch.lease_holder)).scalar_one() == ""
    assert due(database) == []
    assert post.deliver(batch) == 0


@pytest.mark.parametrize(
    ("answer", "happening"),
    [
        (NO_SUCH_USER, Happening.REFUSED),
        (BUSY, Happening.DEFERRED),
        (OutcomeUnknown("reset after the final dot"), Happening.REPLY_LOST),
    ],
)
def test_each_exit_ends_in_its_state_with_what_was_said_and_harms_nobody_else(database, post, answer, happening):
    batch = planned(database, 3)
    unlucky, *_ = rows(database)
    post.transport.answers[unlucky.recipient] = [answer]
    assert post.deliver(batch) == 3
    state = step(State.COMMITTING, happening)
    assert states(database) == [state, State.ACCEPTED, State.ACCEPTED]
    with database.read() as conn:
        (attempt,) = attempts_of(conn, unlucky.id)
        code = answer.code if isinstance(answer, SendError) else None
        assert (attempt.outcome, attempt.code, attempt.provider) == (happening, code, "stand-in")
        assert str(answer) in attempt.text
        (row,) = all_editions(conn)
        assert (row.status is EditionStatus.FINISHED) is (state is State.REFUSED)


def test_a_transport_that_stumbles_puts_its_own_message_in_doubt_and_no_other(database, post):
    batch = planned(database, 5)
    unlucky, *_ = rows(database)
    post.transport.answers[unlucky.recipient] = [RuntimeError("a defect of ours")]
    with pytest.raises(RuntimeError, match="a defect of ours"):
        post.deliver(batch)
    assert states(database) == [State.UNKNOWN, *[State.ACCEPTED] * 4]


@pytest.mark.parametrize(("kind", "first_s"), [(EditionKind.ALERT, 30), (EditionKind.DIGEST, 300)])
def test_a_deferred_row_comes_back_when_it_said_and_waits_longer_each_time(database, post, kind, first_s):
    batch = planned(database, 1, kind=kind)
    (row,) = rows(database)
    lane = row.lane
    post.transport.answers[row.recipient] = [BUSY, BUSY]
    post.deliver(batch)
    set_clock(database, ahead=timedelta(seconds=first_s - 5))
    assert due(database, lane) == []
    assert post.deliver(batch) == 0
    set_clock(database, ahead=timedelta(seconds=first_s + 1))
    assert due(database, lane) == [(batch, 1)]
    assert post.deliver(batch) == 1
    with database.read() as conn:
        (row,) = deliveries_of(conn)
        wait_s = (row.next_attempt_at - now(conn)).total_seconds()
    assert 2 * first_s - 5 < wait_s <= 2 * first_s * 1.5
    set_clock(database, ahead=timedelta(seconds=first_s + 1 + wait_s + 1))
    assert post.deliver(batch) == 1
    (row,) = rows(database)
    assert (row.state, row.attempts) == (State.ACCEPTED, 3)
    assert len({message.message_id for message in post.transport.sent}) == 1
    with database.read() as conn:
        assert [attempt.number for attempt in attempts_of(conn, row.id)] == [1, 2, 3]


def test_rows_of_one_batch_that_wait_differently_come_back_each_in_its_time(database, post):
    batch = planned(database, 2, kind=EditionKind.ALERT)
    first, second = rows(database)
    post.transport.answers[first.recipient] = [BUSY]
    later = type(BUSY)("wait", permanent=False, code=450, retry_after_s=500)
    post.transport.answers[second.recipient] = [later]
    post.deliver(batch)
    set_clock(database, ahead=timedelta(seconds=31))
    assert post.deliver(batch) == 1
    assert states(database) == [State.ACCEPTED, State.DEFERRED]
    set_clock(database, ahead=timedelta(seconds=501))
    assert post.deliver(batch) == 1
    assert states(database) == [State.ACCEPTED, State.ACCEPTED]


def test_who_must_not_get_it_any_more_is_not_even_tried(database, post):
    batch = planned(database, 3)
    _, second, _ = rows(database)
    with database.write() as conn:
        people.suppress(conn, address_hash(second.recipient), reason="complaint")
    assert post.deliver(batch) == 2
    assert second.recipient not in [message.recipient for message in post.transport.sent]
    assert states(database) == [State.ACCEPTED, State.SUPPRESSED, State.ACCEPTED]
    with database.read() as conn:
        assert [row.status for row in all_editions(conn)] == [EditionStatus.FINISHED]


def test_an_edition_that_is_cancelled_in_the_middle_stops_there(database, post):
    batch = planned(database, 6)
    post.transport.connections = 1

    async def cancel(_: OutgoingMessage) -> None:
        with opened(database.url.render_as_string(hide_password=False)) as other, other.write() as conn:
            change_edition(conn, batch, status=EditionStatus.CANCELLED)

    post.transport.during = cancel
    assert post.deliver(batch) == 1
    assert sorted(states(database)) == sorted([State.ACCEPTED, *[State.CANCELLED] * 5])


def test_an_erased_reader_leaves_no_batch_that_is_due_for_ever(database, post):
    batch = planned(database, 1)
    with database.write() as conn:
        conn.execute(sa.update(Delivery).values(recipient=None))
    assert post.deliver(batch) == 0
    assert states(database) == [State.SUPPRESSED]
    assert due(database) == []


# The window ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("connections", [1, 4])
def test_what_is_on_the_wire_is_durably_committing_and_no_more_than_there_are_connections(
    database_url, database, post, connections
):
    batch = planned(database, 12)
    post.transport.connections = connections
    seen = []

    async def look(message: OutgoingMessage) -> None:
        await asyncio.sleep(0.02)  # time enough for the others to commit too much, if they would
        on_the_wire = await asyncio.to_thread(_committing, database_url)
        seen.append(len(on_the_wire))
        assert message.delivery_id in on_the_wire

    post.transport.during = look
    assert post.deliver(batch) == 12
    assert set(states(database)) == {State.ACCEPTED}
    assert max(seen) == connections


def _committing(url: str) -> set[DeliveryId]:
    """Ask as another process would."""
    with opened(url) as other, other.read() as conn:
        return {row.id for row in deliveries_of(conn) if row.state is State.COMMITTING}


def test_rows_are_committed_and_recorded_in_groups(database, post):
    batch = planned(database, 60)
    post.transport.connections = 20
    transactions: list[sa.Connection] = []
    event.listen(database.engine, "commit", transactions.append)
    assert post.deliver(batch) == 60
    assert len(transactions) < 60  # alone, each row would take two


# Interruptions -------------------------------------------------------------------------------------------------------


def test_a_batch_in_somebody_elses_hands_is_left_alone(database, post):
    batch = planned(database, 2)
    with database.write() as conn:
        assert leases.take(conn, batch, 1, holder=RIVAL, lease_s=60)
    assert post.deliver(batch) == 0
    assert post.transport.sent == []
    assert states(database) == [State.LEASED] * 2


def test_couriers_that_compete_for_a_batch_send_each_row_once(database_url, database):
    batch = planned(database, 30)
    transports = [StandIn() for _ in range(3)]

    def work(transport: StandIn) -> int:
        with opened(database_url) as own:
            return Post(own, transport).deliver(batch)

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(work, transports)) == 30
    sent = [message.delivery_id for transport in transports for message in transport.sent]
    assert len(sent) == len(set(sent)) == 30


def test_a_lease_that_is_lost_in_the_middle_stops_everything_new_and_keeps_the_receipt_in_hand(database, post):
    batch = planned(database, 4)
    post.transport.connections = 1

    async def lose(_: OutgoingMessage) -> None:
        with database.write() as conn:
            leases.free_dead(conn, HOLDER.boot, [HOLDER.name])
            assert leases.take(conn, batch, 1, holder=RIVAL, lease_s=60)

    post.transport.during = lose
    assert post.deliver(batch) == 1
    assert len(post.transport.sent) == 1
    assert states(database) == [State.ACCEPTED, State.LEASED, State.LEASED, State.LEASED]  # the rival's now
    with database.read() as conn:
        assert conn.execute(sa.select(DeliveryBatch.lease_holder)).scalar_one() == RIVAL.name


def test_a_process_that_must_end_finishes_what_it_has_in_hand_and_gives_the_rest_back(database, post):
    batch = planned(database, 8)
    post.transport.connections = 2
    assert post.deliver(batch, stopping=lambda: len(post.transport.sent) >= 2) == 2
    assert sorted(states(database)) == sorted([State.ACCEPTED] * 2 + [State.PLANNED] * 6)
    assert due(database) == [(batch, 1)]
    assert post.deliver(batch) == 6


def test_a_process_that_must_end_takes_nothing_new(database, post):
    batch = planned(database, 2)
    assert post.deliver(batch, stopping=lambda: True) == 0
    assert states(database) == [State.PLANNED] * 2
    with database.read() as conn:
        assert conn.execute(sa.select(DeliveryBatch.fence)).scalar_one() == 0  # it was not even leased


def test_a_batch_that_takes_too_long_gives_the_rest_back(database, post, monkeypatch):
    batch = planned(database, 10)
    post.transport.connections = 1
    post.transport.during = lambda _: asyncio.sleep(0.3)
    monkeypatch.setattr(courier_module, "BATCH_BUDGET_S", 1.0)
    assert 1 <= post.deliver(batch) < 10
    assert due(database) == [(batch, 1)]
    monkeypatch.undo()
    post.deliver(batch)
    assert states(database) == [State.ACCEPTED] * 10
    assert len(post.transport.sent) == 10


@pytest.mark.parametrize("signs_long", [False, True])
def test_a_row_that_cannot_be_written_waits_and_the_others_go_out(database, post, caplog, signs_long):
    batch = planned(database, 3)
    first, *_ = rows(database)

    def stumble(one: DueDelivery, _form: Form) -> OutgoingMessage:
        if one.id == first.id:
            raise KeyError("headline")
        return write(one)

    assert post.deliver(batch, writing=stumble, signs_long=signs_long) == 2
    assert "cannot be written" in caplog.text
    assert "KeyError" in caplog.text
    assert states(database) == [State.PLANNED, State.ACCEPTED, State.ACCEPTED]
    row, *_ = rows(database)
    assert row.reason == "it cannot be rendered: KeyError: 'headline'"
    assert due(database) == []
    set_clock(database, ahead=timedelta(seconds=301))
    assert post.deliver(batch) == 1
    assert states(database) == [State.ACCEPTED] * 3


@pytest.mark.parametrize("signs_long", [False, True])
def test_an_address_that_nothing_can_be_written_to_is_refused_at_once_and_the_others_go_out(database, post, signs_long):
    batch = planned(database, 3)
    first, *_ = rows(database)
    post.transport.keys_honoured_s = 3600.0

    def stumble(one: DueDelivery, _form: Form) -> OutgoingMessage:
        if one.id == first.id:
            raise AddressError("not an e-mail address")
        return write(one)

    assert post.deliver(batch, writing=stumble, signs_long=signs_long) == 3
    assert len(post.transport.sent) == 2
    assert states(database) == [State.REFUSED, State.ACCEPTED, State.ACCEPTED]
    row, *others = rows(database)
    assert (row.request_key, row.next_attempt_at) == ("", None)
    assert all(other.request_key for other in others)
    with database.read() as conn:
        (told,) = attempts_of(conn, first.id)
        assert (told.outcome, told.text) == (Happening.REFUSED, "nothing was sent: not an e-mail address")
        assert [one.status for one in all_editions(conn)] == [EditionStatus.FINISHED]


def test_what_takes_long_to_sign_is_written_by_other_threads_than_the_one_that_sends(database, post):
    batch, writers = planned(database, 20), set()

    def sign(one: DueDelivery, _form: Form) -> OutgoingMessage:
        writers.add(threading.current_thread())
        return write(one)

    assert post.deliver(batch, writing=sign, signs_long=True) == 20
    assert states(database) == [State.ACCEPTED] * 20
    assert threading.current_thread() not in writers
    assert sorted(one.delivery_id for one in post.transport.sent) == [row.id for row in rows(database)]


def test_who_may_get_nothing_is_suppressed_though_nothing_could_be_written_to_them(database, post):
    batch = planned(database, 1)
    with database.write() as conn:
        people.suppress(conn, conn.execute(sa.select(Subscriber.address_hash)).scalar_one(), reason="bounced")

    def stumble(_one: DueDelivery, _form: Form) -> OutgoingMessage:
        raise AddressError("not an e-mail address")

    assert post.deliver(batch, writing=stumble) == 0
    assert states(database) == [State.SUPPRESSED]


def _take_as_rival(database: Database, batch: EditionId) -> leases.Lease | None:
    with database.write() as conn:
        return leases.take(conn, batch, 1, holder=RIVAL, lease_s=60)


def test_a_long_send_keeps_its_lease(database, post):
    batch = planned(database, 1)
    refused = []

    async def stall(_: OutgoingMessage) -> None:
        await asyncio.sleep(1.8)
        refused.append(await asyncio.to_thread(_take_as_rival, database, batch))

    post.transport.during = stall
    assert post.deliver(batch, lease_s=1.5) == 1
    assert refused == [None]
    assert states(database) == [State.ACCEPTED]


def test_a_receipt_that_cannot_be_written_down_is_found_out_about_and_nobody_is_lost(database, post, monkeypatch):
    """The database goes away between the reply and its record; what is still under way keeps its lease meanwhile."""
    batch = planned(database, 3)
    post.transport.connections = 2
    first, second, _ = rows(database)
    record = deliveries.record

    def fail_once(conn: sa.Connection, outcomes: Any, **options: Any) -> None:
        if any(outcome.delivery_id == first.id for outcome in outcomes):
            raise sa.exc.OperationalError("COMMIT", {}, OSError("the server is gone"))
        record(conn, outcomes, **options)

    async def second_takes_longer(message: OutgoingMessage) -> None:
        if message.delivery_id == second.id:
            await asyncio.sleep(1.8)
            assert await asyncio.to_thread(_take_as_rival, database, batch) is None

    post.transport.during = second_takes_longer
    monkeypatch.setattr(deliveries, "record", fail_once)
    monkeypatch.setattr(run_books, "RECORD_WITHIN_S", 1.0)
    with pytest.raises(sa.exc.OperationalError):
        post.deliver(batch, lease_s=1.5)
    monkeypatch.undo()
    assert states(database) == [State.COMMITTING, State.ACCEPTED, State.PLANNED]
    with database.write() as conn:
        assert deliveries.orphans_to_unknown(conn, limit=10) == 1
    assert post.deliver(batch) == 1
    assert states(database) == [State.UNKNOWN, State.ACCEPTED, State.ACCEPTED]
    assert len(post.transport.sent) == 3


def test_closing_says_goodbye_once_to_each_transport(post):
    courier = post.courier()
    asyncio.run(courier.close())
    assert post.transport.closed == 1


def test_a_batch_whose_task_is_cancelled_leaves_the_row_in_doubt_and_the_rest_planned(database, post):
    batch = planned(database, 3)
    post.transport.connections = 1
    reached = asyncio.Event()

    async def stall(_: OutgoingMessage) -> None:
        reached.set()
        await asyncio.sleep(60)

    async def interrupted() -> None:
        work = asyncio.create_task(post.courier().deliver(Lane.BULK, batch, 1))
        await reached.wait()
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work

    post.transport.during = stall
    asyncio.run(interrupted())
    assert states(database) == [State.COMMITTING, State.PLANNED, State.PLANNED]
    with database.write() as conn:
        assert deliveries.orphans_to_unknown(conn, limit=10) == 1
        assert len(ids_of(conn, batch)) == 3


def test_the_clock_of_the_retry_is_the_databases(database, post):
    set_clock(database, ahead=timedelta(days=3))
    batch = planned(database, 1)
    (row,) = rows(database)
    post.transport.answers[row.recipient] = [BUSY]
    post.deliver(batch)
    with database.read() as conn:
        (row,) = deliveries_of(conn)
        assert timedelta(seconds=290) < row.next_attempt_at - now(conn) <= timedelta(seconds=300)
