"""Messages whose fate nobody knows, and what dead workers held: found out, sent again where right, never lost."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders import (
    HOLDER,
    all_editions,
    attempts_of,
    deliveries_of,
    edition,
    ids_of,
    reader,
    set_clock,
    states_of,
)
from tests.integration.delivery.conftest import Post
from worker.delivery import run_doubts
from worker.delivery.dispatch import Dispatch
from worker.delivery.run_doubts import take_back
from worker.errors import OutcomeUnknown
from worker.holder import boot_id, process_name
from worker.lifecycle import Happening, State
from worker.model import EditionId, EditionKind, EditionStatus, Lane, Severity, Sighting
from worker.store import deliveries, last_check, leases
from worker.store.database import Database, now
from worker.store.deliveries import Outcome
from worker.store.leases import Holder
from worker.store.schema import Delivery

CLASSES: dict[str, dict[str, Any]] = {
    "digest": {"kind": EditionKind.DIGEST},
    "alert": {"kind": EditionKind.ALERT},
    "breaking alert": {"kind": EditionKind.ALERT, "severity": Severity.BREAKING},
    "confirmation": {"kind": EditionKind.CONFIRMATION},
}
SENT_AGAIN = {"breaking alert", "confirmation"}


def in_doubt(post: Post, readers: int = 1, **options: Any) -> EditionId:
    """Let the reply to every message of a new edition be lost."""
    with post.database.write() as conn:
        batch = edition(conn, [reader(conn) for _ in range(readers)], **options)
        for row in deliveries_of(conn, batch):
            post.transport.answers[row.recipient] = [OutcomeUnknown("reset after the final dot")]
    assert post.deliver(batch) == readers
    return batch


def ask(post: Post) -> int:
    return post.find_out()


def states(database: Database) -> list[State]:
    with database.read() as conn:
        return states_of(conn)


@pytest.mark.parametrize("kind", sorted(CLASSES))
def test_what_has_arrived_is_accepted_and_never_sent_again(database, post, kind):
    in_doubt(post, **CLASSES[kind])
    post.transport.sighting = Sighting.FOUND
    assert ask(post) == 1
    assert states(database) == [State.ACCEPTED]
    with database.read() as conn:
        (row,) = deliveries_of(conn)
        assert post.transport.asked == [row.message_id]
        assert [attempt.outcome for attempt in attempts_of(conn, row.id)] == [Happening.REPLY_LOST, Happening.ACCEPTED]
        assert [one.status for one in all_editions(conn)] == [EditionStatus.FINISHED]
    assert ask(post) == 0


@pytest.mark.parametrize("kind", sorted(CLASSES))
def test_what_has_certainly_not_arrived_is_sent_again_at_once_with_the_same_message_id(database, post, kind):
    batch = in_doubt(post, **CLASSES[kind])
    post.transport.sighting = Sighting.ABSENT
    assert ask(post) == 1
    assert states(database) == [State.DEFERRED]
    assert post.deliver(batch) == 1
    assert states(database) == [State.ACCEPTED]
    first, second = post.transport.sent
    assert first.message_id == second.message_id


@pytest.mark.parametrize("kind", sorted(CLASSES))
def test_where_nobody_can_tell_the_class_decides(database, post, kind):
    batch = in_doubt(post, **CLASSES[kind])
    assert ask(post) == (1 if kind in SENT_AGAIN else 0)
    assert states(database) == [State.DEFERRED if kind in SENT_AGAIN else State.UNKNOWN]
    assert post.deliver(batch) == (1 if kind in SENT_AGAIN else 0)
    with database.read() as conn:
        (row,) = all_editions(conn)
        assert (row.status is EditionStatus.FINISHED) is (kind in SENT_AGAIN)  # what is held is visibly not finished


def test_a_relay_that_swallows_every_reply_is_tried_three_times_and_not_until_the_edition_expires(database, post):
    batch = in_doubt(post, **CLASSES["breaking alert"])
    (recipient,) = post.transport.answers
    post.transport.answers[recipient] = [OutcomeUnknown("reset again")] * 50
    ahead = timedelta(0)
    for _ in range(20):
        ask(post)
        ahead += timedelta(minutes=10)
        set_clock(database, ahead=ahead)
        post.deliver(batch)
    assert len(post.transport.sent) == 3
    assert states(database) == [State.UNKNOWN]


def test_what_is_absent_again_and_again_waits_longer_each_time(database, post):
    batch = in_doubt(post)
    (recipient,) = post.transport.answers
    post.transport.answers[recipient] = [OutcomeUnknown("reset again")]
    post.transport.sighting = Sighting.ABSENT
    ask(post)
    post.deliver(batch)
    ask(post)
    with database.read() as conn:
        (row,) = deliveries_of(conn)
        assert timedelta(seconds=290) < row.next_attempt_at - now(conn) <= timedelta(seconds=300)


def test_a_late_receipt_settles_a_row_before_anybody_asks(database, post):
    in_doubt(post)
    with database.write() as conn:
        (row,) = deliveries_of(conn)
        receipt = Outcome(delivery_id=row.id, fence=row.fence, happening=Happening.ACCEPTED, provider="stand-in")
        deliveries.record(conn, [receipt])
    assert ask(post) == 0
    assert states(database) == [State.ACCEPTED]


def test_a_look_up_that_fails_leaves_its_row_and_settles_the_others(database, post, caplog):
    in_doubt(post, readers=3)
    with database.read() as conn:
        first, *_ = deliveries_of(conn)
    post.transport.sighting = Sighting.FOUND
    post.transport.sightings[first.message_id] = OSError("the Maildir is away")
    assert ask(post) == 2
    assert states(database) == [State.UNKNOWN, State.ACCEPTED, State.ACCEPTED]
    assert "could not be asked" in caplog.text


def test_those_of_whom_nobody_can_tell_do_not_stand_before_the_others(database, post, monkeypatch):
    monkeypatch.setattr(run_doubts, "_AT_ONCE", 2)
    in_doubt(post, readers=5)
    in_doubt(post, **CLASSES["confirmation"])
    assert ask(post) == 1
    assert states(database) == [State.UNKNOWN] * 5 + [State.DEFERRED]


# What dead workers held ----------------------------------------------------------------------------------------------


def dead_process() -> str:
    """Return how a process called itself that has been killed since."""
    code = "from worker.holder import process_name; print(process_name(), flush=True); import time; time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        name = process.stdout.readline().strip()
        process.kill()
    return name


def leased_by(database: Database, name: str, *, committed: int) -> EditionId:
    with database.write() as conn:
        batch = edition(conn, [reader(conn) for _ in range(3)])
        lease = leases.take(conn, batch, 1, holder=Holder(name=name, boot=boot_id()), lease_s=60)
        assert lease is not None
        last_check.commit(conn, lease, ids_of(conn, batch)[:committed])
    return batch


def test_what_a_killed_worker_held_is_free_at_once_and_what_it_had_on_the_wire_is_in_doubt(database, post):
    batch = leased_by(database, dead_process(), committed=1)
    assert take_back(database) == 1
    assert states(database) == [State.UNKNOWN, State.LEASED, State.LEASED]
    assert post.deliver(batch) == 2
    assert states(database) == [State.UNKNOWN, State.ACCEPTED, State.ACCEPTED]


def test_a_living_worker_keeps_what_it_holds(database, post):
    batch = leased_by(database, process_name(), committed=1)
    assert take_back(database) == 0
    assert post.deliver(batch) == 0
    assert states(database) == [State.COMMITTING, State.LEASED, State.LEASED]


def test_a_killed_worker_whose_lease_ran_out_unnoticed_is_found_too(database):
    batch = leased_by(database, dead_process(), committed=1)
    with database.write() as conn:
        conn.execute(sa.text("UPDATE delivery_batch SET lease_monotonic_s = 0, lease_until = next_attempt_at"))
    assert take_back(database) == 1
    with database.read() as conn:
        assert states_of(conn, batch)[0] is State.UNKNOWN


def test_what_is_too_late_is_expired_and_its_edition_finished(database, post):
    with database.write() as conn:
        batch = edition(conn, [reader(conn), reader(conn)], expires_in=timedelta(minutes=5))
    (first, _) = post_rows(database)
    post.transport.answers[first.recipient] = [OutcomeUnknown("lost")]
    set_clock(database, ahead=timedelta(minutes=6))
    assert take_back(database) == 2
    assert states(database) == [State.EXPIRED] * 2
    with database.read() as conn:
        assert [row.status for row in all_editions(conn)] == [EditionStatus.FINISHED]
    assert post.deliver(batch) == 0


def post_rows(database: Database) -> list[sa.Row[Any]]:
    with database.read() as conn:
        return deliveries_of(conn)


def test_taking_back_is_safe_at_any_time_and_from_everywhere(database):
    with database.write() as conn:
        edition(conn, [reader(conn)])
    assert [take_back(database) for _ in range(3)] == [0, 0, 0]


def test_dispatch_works_for_synchronous_callers_and_says_goodbye(database, post):
    with database.write() as conn:
        batch = edition(conn, [reader(conn) for _ in range(4)])
    dispatch = Dispatch(post.courier(), post.doubts())
    try:
        assert dispatch.deliver(Lane.BULK, batch, 1) == 4
        assert dispatch.deliver(Lane.BULK, batch, 1) == 0
        with database.write() as conn:
            conn.execute(sa.update(Delivery).values(state=State.UNKNOWN))
        post.transport.sighting = Sighting.FOUND
        assert dispatch.find_out() == 4
    finally:
        dispatch.close()
    assert post.transport.closed == 1
    assert HOLDER.name != process_name()


def test_all_that_a_dead_worker_had_on_the_wire_is_found_out_about_at_once(database):
    """An HTTP provider's batches are large: what one sweep left over would wait for eleven minutes."""
    gone = Holder(name="1@0", boot=boot_id())
    with database.write() as conn:
        batch = edition(conn, [reader(conn) for _ in range(501)])
        lease = leases.take(conn, batch, 1, holder=gone, lease_s=60)
        assert lease is not None
        assert len(last_check.commit(conn, lease, ids_of(conn, batch))) == 501
    take_back(database)
    assert set(states(database)) == {State.UNKNOWN}
