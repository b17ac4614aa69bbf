"""One batch, one worker: leases under competition, after death, and when the wall clock jumps."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.builders import HOLDER, RIVAL, change_edition, edition, ids_of, reader, set_clock, states_of
from tests.databases import opened
from worker.holder import boot_id
from worker.lifecycle import Happening, State
from worker.model import DeliveryId, EditionId, EditionKind, EditionStatus, Lane, Severity
from worker.store import copies, deliveries, last_check, leases
from worker.store.database import Database, now
from worker.store.deliveries import Outcome
from worker.store.leases import Holder, Lease
from worker.store.schema import Delivery, DeliveryBatch, Edition

AT_ONCE_OVER = 0.0  # seconds: a lease that has run out when it is taken
HOUR = timedelta(hours=1)


@pytest.fixture
def batch(database: Database) -> EditionId:
    """An edition of one batch with three readers; gives its id."""
    with database.write() as conn:
        return edition(conn, [reader(conn) for _ in range(3)])


def take(database: Database, batch: EditionId, *, holder: Holder = HOLDER, lease_s: float = 60.0) -> Lease | None:
    with database.write() as conn:
        return leases.take(conn, batch, 1, holder=holder, lease_s=lease_s)


def taken(database: Database, batch: EditionId, *, holder: Holder = HOLDER, lease_s: float = 60.0) -> Lease:
    lease = take(database, batch, holder=holder, lease_s=lease_s)
    assert lease is not None
    return lease


def test_a_leased_batch_is_read_as_each_of_its_copies_is(database: Database, batch: EditionId) -> None:
    lease = taken(database, batch)
    with database.read() as conn:
        due = copies.leased(conn, lease)
        assert due == copies.some(conn, [one.id for one in due])
        assert len(due) == 3


@pytest.mark.parametrize("kind", [EditionKind.CONFIRMATION, EditionKind.SYSTEM])
def test_a_name_is_kept_only_with_copies_that_show_it(database: Database, batch: EditionId, kind: EditionKind) -> None:
    """What others get must make no difference to whoever has not said yes."""
    with database.write() as conn:
        asked = edition(conn, [reader(conn, "mina")], kind=kind)
    taken(database, batch)
    taken(database, asked)
    with database.read() as conn:
        kept = conn.execute(sa.select(Delivery.edition_id, Delivery.addressee)).all()
    assert {name for edition_id, name in kept if edition_id == asked} == {None}
    assert None not in {name for edition_id, name in kept if edition_id == batch}


def test_of_workers_that_take_a_batch_at_the_same_moment_exactly_one_gets_it(database_url, database, batch):
    workers, start = 4, threading.Barrier(4)

    def race(number: int) -> Lease | None:
        with opened(database_url) as own:  # as a process of its own: SQLite's file lock decides, not a Python lock
            start.wait()
            return take(own, batch, holder=Holder(name=f"worker {number}", boot=boot_id()))

    for rounds in range(1, 4):
        with ThreadPoolExecutor(workers) as pool:
            leased = [lease for lease in pool.map(race, range(workers)) if lease is not None]
        assert [lease.fence for lease in leased] == [rounds]
        with database.write() as conn:
            leases.release(conn, leased[0])


def test_a_taken_batch_is_not_due_and_leases_its_rows(database, batch):
    taken(database, batch)
    assert take(database, batch, holder=RIVAL) is None
    with database.read() as conn:
        assert leases.due_batches(conn, Lane.BULK, limit=10) == []
        assert states_of(conn) == [State.LEASED] * 3
        assert conn.execute(sa.select(Edition.status)).scalar_one() is EditionStatus.SENDING


def test_a_lane_sees_its_own_batches_only_the_most_overdue_first(database):
    with database.write() as conn:
        late = edition(conn, [reader(conn)])
        early = edition(conn, [reader(conn)])
        alert = edition(conn, [reader(conn)], kind=EditionKind.ALERT)
        one_batch = sa.update(DeliveryBatch).where(DeliveryBatch.edition_id == early)
        conn.execute(one_batch.values(next_attempt_at=now(conn) - HOUR))
        assert leases.due_batches(conn, Lane.BULK, limit=10) == [(early, 1), (late, 1)]
        assert leases.due_batches(conn, Lane.BULK, limit=1) == [(early, 1)]
        assert leases.due_batches(conn, Lane.ALERTS, limit=10) == [(alert, 1)]


@pytest.mark.parametrize(
    "status", [status for status in EditionStatus if status not in {EditionStatus.PLANNED, EditionStatus.SENDING}]
)
def test_nothing_of_an_edition_that_does_not_run_is_due_or_taken(database, batch, status):
    with database.write() as conn:
        change_edition(conn, batch, status=status)
        assert leases.due_batches(conn, Lane.BULK, limit=10) == []
        assert leases.take(conn, batch, 1, holder=HOLDER, lease_s=60) is None


def test_an_expired_lease_is_taken_again_with_a_higher_fence_and_the_same_rows(database, batch):
    old = taken(database, batch, lease_s=AT_ONCE_OVER)
    with database.read() as conn:
        assert leases.due_batches(conn, Lane.BULK, limit=10) == [(batch, 1)]
    new = taken(database, batch, holder=RIVAL)
    assert new.fence > old.fence
    with database.read() as conn:
        assert len(copies.leased(conn, new)) == 3


def test_who_lost_the_lease_can_neither_commit_nor_refuse_nor_renew_nor_release(database, batch):
    old = taken(database, batch, lease_s=AT_ONCE_OVER)
    new = taken(database, batch, holder=RIVAL)
    with database.write() as conn:
        first, second, third = ids_of(conn, batch)
        assert last_check.commit(conn, old, [first, second]) == set()
        assert last_check.commit(conn, new, [first]) == {first}
        refusal = Outcome(delivery_id=first, fence=old.fence, happening=Happening.REFUSED, provider="relay", code=550)
        deliveries.record(conn, [refusal])
        assert not leases.renew(conn, old, holder=HOLDER, lease_s=60)
        leases.release(conn, old)
        deliveries.postpone(conn, old, {third: 60}, reason="cannot be written")
        last_check.settle_held_back(conn, old, [second, third])
        assert states_of(conn) == [State.COMMITTING, State.LEASED, State.LEASED]
        assert leases.renew(conn, new, holder=RIVAL, lease_s=60)


def test_a_renewed_lease_goes_on_and_a_lapsed_one_cannot_be_revived(database, batch):
    lease = taken(database, batch)
    with database.write() as conn:
        assert leases.renew(conn, lease, holder=HOLDER, lease_s=60)
        assert leases.renew(conn, lease, holder=HOLDER, lease_s=AT_ONCE_OVER)
        assert not leases.renew(conn, lease, holder=HOLDER, lease_s=60)
        assert last_check.commit(conn, lease, ids_of(conn, batch)) == set()


def test_a_released_batch_is_free_at_once_and_what_was_not_tried_is_planned_again(database, batch):
    lease = taken(database, batch)
    with database.write() as conn:
        tried, *_ = ids_of(conn, batch)
        last_check.commit(conn, lease, [tried])
        leases.release(conn, lease)
        assert states_of(conn) == [State.COMMITTING, State.PLANNED, State.PLANNED]
        assert leases.due_batches(conn, Lane.BULK, limit=10) == [(batch, 1)]
    assert taken(database, batch, holder=RIVAL).fence == lease.fence + 1


def test_a_batch_in_which_nothing_is_open_is_never_due_again(database, batch):
    lease = taken(database, batch)
    with database.write() as conn:
        last_check.commit(conn, lease, ids_of(conn, batch))
        leases.release(conn, lease)
        assert leases.due_batches(conn, Lane.BULK, limit=10) == []
        assert conn.execute(sa.select(DeliveryBatch.next_attempt_at)).scalar_one() is None


def test_a_dead_holders_batches_are_free_at_once_and_nobody_elses(database):
    with database.write() as conn:
        dead, alive = (edition(conn, [reader(conn)]) for _ in range(2))
    taken(database, dead, holder=HOLDER)
    taken(database, alive, holder=RIVAL)
    with database.write() as conn:
        assert sorted(leases.holders(conn, boot_id())) == [HOLDER.name, RIVAL.name]
        leases.free_dead(conn, boot_id(), [HOLDER.name])
        assert leases.due_batches(conn, Lane.BULK, limit=10) == [(dead, 1)]


def test_a_process_of_the_same_name_on_another_machine_keeps_its_lease(make_url):
    with opened(make_url("postgresql")) as database:
        with database.write() as conn:
            batch = edition(conn, [reader(conn)])
        taken(database, batch, holder=replace(HOLDER, boot="another machine"))
        with database.write() as conn:
            assert leases.holders(conn, boot_id()) == []
            leases.free_dead(conn, boot_id(), [HOLDER.name])
        assert take(database, batch, holder=RIVAL) is None


def test_on_sqlite_a_holder_of_an_earlier_boot_is_dead(make_url):
    with opened(make_url("sqlite")) as database:
        with database.write() as conn:
            batch = edition(conn, [reader(conn)])
        lease = taken(database, batch, holder=replace(HOLDER, boot="before the restart"))
        with database.write() as conn:
            (only,) = ids_of(conn, batch)
            assert last_check.commit(conn, lease, [only]) == set()
            leases.free_dead(conn, boot_id(), [])
            assert conn.execute(sa.select(DeliveryBatch.lease_holder)).scalar_one() == ""
        assert take(database, batch, holder=RIVAL) is not None


@pytest.mark.parametrize("step", [HOUR, -HOUR])
def test_on_sqlite_a_step_of_the_wall_clock_neither_frees_nor_holds_a_lease(make_url, step):
    with opened(make_url("sqlite")) as database:
        with database.write() as conn:
            held, lapsed = (edition(conn, [reader(conn)], expires_in=timedelta(days=2)) for _ in range(2))
        lease = taken(database, held)
        taken(database, lapsed, lease_s=AT_ONCE_OVER)
        set_clock(database, ahead=-3 * HOUR)
        with database.write() as conn:  # due for hours, so that only the lease decides
            conn.execute(sa.update(DeliveryBatch).values(next_attempt_at=now(conn)))
            conn.execute(sa.update(Delivery).values(next_attempt_at=now(conn)))
        set_clock(database, ahead=step)
        assert take(database, held, holder=RIVAL) is None
        assert take(database, lapsed, holder=RIVAL) is not None
        with database.write() as conn:
            assert leases.renew(conn, lease, holder=HOLDER, lease_s=60)
            assert len(last_check.commit(conn, lease, ids_of(conn, held))) == 1


def test_on_postgresql_the_databases_clock_ends_a_lease(make_url):
    with opened(make_url("postgresql")) as database:
        with database.write() as conn:
            batch = edition(conn, [reader(conn)])
        taken(database, batch, lease_s=60)
        set_clock(database, ahead=timedelta(seconds=59))
        assert take(database, batch, holder=RIVAL) is None
        set_clock(database, ahead=timedelta(seconds=61))
        assert take(database, batch, holder=RIVAL) is not None


def test_a_batch_is_rescheduled_by_what_is_true_when_its_turn_comes(make_url):
    """Two transactions change rows of one batch at once: whoever is last must see the other's row."""
    with opened(make_url("postgresql")) as database:
        with database.write() as conn:
            batch = edition(conn, [reader(conn), reader(conn)])
        lease = taken(database, batch)
        with database.write() as conn:
            last_check.commit(conn, lease, ids_of(conn, batch))
        first_done = threading.Event()

        def refuse_second() -> None:
            with database.write() as conn:
                _, second = ids_of(conn, batch)
                deliveries.record(conn, [outcome(second, lease, Happening.REFUSED)])
                first_done.wait()
                leases.reschedule(conn, batch, 1)

        with ThreadPoolExecutor(1) as pool, database.write() as conn:
            first, _ = ids_of(conn, batch)
            other = pool.submit(refuse_second)
            deliveries.record(conn, [outcome(first, lease, Happening.DEFERRED)])
            leases.reschedule(conn, batch, 1)
            first_done.set()
            wait_until_blocked(database)
            conn.commit()
            other.result(10)
        with database.read() as conn:
            assert conn.execute(sa.select(DeliveryBatch.next_attempt_at)).scalar_one() is not None


def test_who_checked_the_lease_a_moment_before_it_was_taken_over_commits_nothing(make_url, monkeypatch):
    """The old holder reads the clock, is stopped for a moment, and goes on while the new one's transaction is open."""
    early = now

    def stopped_clock(conn: sa.Connection) -> datetime:
        ahead = timedelta(0) if threading.current_thread() is threading.main_thread() else HOUR
        return early(conn) - ahead

    with opened(make_url("postgresql")) as database:
        with database.write() as conn:
            batch = edition(conn, [reader(conn)])
        old = taken(database, batch, lease_s=AT_ONCE_OVER)
        monkeypatch.setattr(leases, "now", stopped_clock)

        def commit_late() -> set[DeliveryId]:
            with database.write() as conn:
                return last_check.commit(conn, old, ids_of(conn, batch))

        with ThreadPoolExecutor(1) as pool, database.write() as conn:
            assert leases.take(conn, batch, 1, holder=RIVAL, lease_s=60) is not None
            late = pool.submit(commit_late)
            wait_until_blocked(database)
            conn.commit()
            assert late.result(10) == set()
        with database.read() as conn:
            assert states_of(conn) == [State.LEASED]


def outcome(delivery_id: DeliveryId, lease: Lease, happening: Happening) -> Outcome:
    return Outcome(delivery_id=delivery_id, fence=lease.fence, happening=happening, provider="relay")


def wait_until_blocked(database: Database) -> None:
    """Wait until some session of this database waits for a lock."""
    blocked = sa.text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    for _ in range(500):
        with database.read() as conn:
            if conn.execute(blocked).scalar():
                return
        threading.Event().wait(0.01)
    raise AssertionError("nobody waits")


def test_breaking_alerts_come_before_what_is_more_overdue(database):
    with database.write() as conn:
        readers = [reader(conn)]
        ordinary = edition(conn, readers, kind=EditionKind.ALERT)
        conn.execute(
            sa.update(DeliveryBatch)
            .where(DeliveryBatch.edition_id == ordinary)
            .values(next_attempt_at=now(conn) - timedelta(hours=1))
        )
        breaking = edition(conn, readers, kind=EditionKind.ALERT, severity=Severity.BREAKING)
        assert leases.due_batches(conn, Lane.ALERTS, limit=5) == [(breaking, 1), (ordinary, 1)]


def test_what_a_dead_process_held_is_taken_back_before_anybody_takes_it_over(database, batch):
    dead = Holder(name="1@0", boot=boot_id())
    assert take(database, batch, holder=dead, lease_s=AT_ONCE_OVER) is not None
    with database.write() as conn:
        (first, *_) = ids_of(conn, batch)
        conn.execute(sa.update(Delivery).where(Delivery.id == first).values(state=State.COMMITTING, fence=1))
    assert take(database, batch) is None
    with database.write() as conn:
        leases.free_dead(conn, boot_id(), [dead.name])
        assert deliveries.orphans_to_unknown(conn, limit=10) == 1
    assert take(database, batch) is not None


def test_what_an_earlier_run_of_the_machine_held_is_taken_back_first_where_all_share_it(database, batch):
    """Taken over, its rows on the wire would stand under a fence that may still wait for replies: eleven minutes."""
    lease = taken(database, batch, lease_s=AT_ONCE_OVER if not database.is_sqlite else 60.0)
    with database.write() as conn:
        on_the_wire = sa.update(Delivery).where(Delivery.id == ids_of(conn, batch)[0])
        conn.execute(on_the_wire.values(state=State.COMMITTING, fence=lease.fence, committed_at=now(conn)))
        conn.execute(sa.update(DeliveryBatch).values(lease_boot="the run before"))
    if database.is_sqlite:
        assert take(database, batch, holder=RIVAL) is None
    with database.write() as conn:
        leases.free_dead(conn, boot_id(), [])
        found = deliveries.orphans_to_unknown(conn, limit=10)
    assert found == (1 if database.is_sqlite else 0)  # elsewhere it may be another machine's, and alive
