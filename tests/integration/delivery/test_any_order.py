"""Two workers, sweeps, kills, control and time in any order: the books hold, and nobody gets a mail twice unseen.

Hypothesis plays the world on SQLite. A mail may come twice only where the one stated window was open: its reply was
lost, and the look-up could not know better.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, precondition, rule

from tests.builders import change_edition, deliveries_of, edition, reader, set_clock
from tests.conftest import assert_conserved
from tests.databases import SqliteTemplate, opened
from tests.thorough import often
from worker.holder import boot_id
from worker.lifecycle import OPEN, TAKEN, Happening, State
from worker.model import DeliveryId, EditionId, EditionStatus, Receipt
from worker.store import deliveries, editions, last_check, leases, people
from worker.store.database import Database
from worker.store.deliveries import Outcome, outcome_of
from worker.store.leases import Holder, Lease

READERS = 3
_template: list[SqliteTemplate] = []
_folders = Path(tempfile.gettempdir())


@dataclass
class Worker:
    """A process: what it leased, and what it has on the wire."""

    holder: Holder
    leases: dict[EditionId, Lease] = field(default_factory=dict)


@dataclass(frozen=True)
class Sent:
    """A message on the wire: whose, under which fence, and by which try."""

    delivery_id: DeliveryId
    fence: int
    number: int


class AnyOrder(RuleBasedStateMachine):
    """The world: two workers over two editions of three readers each."""

    on_the_wire = Bundle("on_the_wire")
    lost = Bundle("lost")

    def __init__(self) -> None:
        super().__init__()
        self._names = itertools.count(1)
        self._context = opened(_template[0].copy(Path(tempfile.mkdtemp(dir=_folders)) / "any.db"))
        self.database: Database = self._context.__enter__()
        self.workers = [self._new_worker(), self._new_worker()]
        self.ahead = timedelta(0)
        self.arrived: Counter[DeliveryId] = Counter()  # messages that the reader really has
        self.in_window: Counter[DeliveryId] = Counter()  # replies that were lost
        self.tries: Counter[DeliveryId] = Counter()

    def _new_worker(self) -> Worker:
        return Worker(Holder(name=f"worker {next(self._names)}", boot=boot_id()))

    @initialize()
    def plan(self) -> None:
        with self.database.write() as conn:
            self.readers = [reader(conn) for _ in range(READERS)]
            self.editions = [edition(conn, self.readers, expires_in=timedelta(hours=6)) for _ in range(2)]

    @rule(worker=st.integers(0, 1), which=st.integers(0, 1), lease_s=st.sampled_from([60.0, 0.0]))
    def take(self, worker: int, which: int, lease_s: float) -> None:
        """A lease of no length stands for a holder that stalls."""
        one = self.workers[worker]
        with self.database.write() as conn:
            lease = leases.take(conn, self.editions[which], 1, holder=one.holder, lease_s=lease_s)
        if lease is not None:
            one.leases[self.editions[which]] = lease

    @rule(target=on_the_wire, worker=st.integers(0, 1), which=st.integers(0, 1), row=st.integers(0, READERS - 1))
    def commit_and_send(self, worker: int, which: int, row: int) -> Sent | None:
        lease = self.workers[worker].leases.get(self.editions[which])
        if lease is None:
            return None
        with self.database.write() as conn:
            delivery_id = deliveries_of(conn, lease.edition_id)[row].id
            committed = last_check.commit(conn, lease, [delivery_id])
            if not committed:
                last_check.settle_held_back(conn, lease, [delivery_id])
                return None
        self.tries[delivery_id] += 1
        return Sent(delivery_id, lease.fence, self.tries[delivery_id])

    @rule(sent=consumes(on_the_wire))
    def is_accepted(self, sent: Sent | None) -> None:
        if sent is not None:
            self.arrived[sent.delivery_id] += 1
            self._receipt(sent)

    @rule(sent=consumes(on_the_wire), happening=st.sampled_from([Happening.DEFERRED, Happening.REFUSED]))
    def is_turned_away(self, sent: Sent | None, happening: Happening) -> None:
        if sent is not None:
            self._record(sent, happening)

    @rule(target=lost, sent=consumes(on_the_wire), has_arrived=st.booleans(), is_noted=st.booleans())
    def reply_is_lost(self, sent: Sent | None, has_arrived: bool, is_noted: bool) -> Sent | None:
        """The window: nobody knows. The worker may be killed before it can write that down."""
        if sent is None:
            return None
        self.in_window[sent.delivery_id] += 1
        self.arrived[sent.delivery_id] += has_arrived
        if is_noted:
            self._record(sent, Happening.REPLY_LOST)
        return sent if has_arrived else None

    @rule(sent=consumes(lost))
    def receipt_comes_late(self, sent: Sent | None) -> None:
        if sent is not None:
            self._receipt(sent)

    @rule(worker=st.integers(0, 1), which=st.integers(0, 1))
    def release(self, worker: int, which: int) -> None:
        lease = self.workers[worker].leases.pop(self.editions[which], None)
        if lease is not None:
            with self.database.write() as conn:
                leases.release(conn, lease)

    @rule(worker=st.integers(0, 1), which=st.integers(0, 1))
    def renew(self, worker: int, which: int) -> None:
        one = self.workers[worker]
        lease = one.leases.get(self.editions[which])
        if lease is not None:
            with self.database.write() as conn:
                leases.renew(conn, lease, holder=one.holder, lease_s=60)

    @rule(worker=st.integers(0, 1))
    def kill(self, worker: int) -> None:
        """What it had on the wire stays on the wire: its reply may still come, to nobody."""
        dead, self.workers[worker] = self.workers[worker], self._new_worker()
        with self.database.write() as conn:
            leases.free_dead(conn, boot_id(), [dead.holder.name])
        self._orphans()

    @rule()
    def sweep(self) -> None:
        self._orphans()
        with self.database.write() as conn:
            deliveries.expire(conn, limit=100)
            editions.finish_settled(conn)

    def _orphans(self) -> None:
        with self.database.write() as conn:
            before = {row.id for row in deliveries_of(conn) if row.state is State.COMMITTING}
            deliveries.orphans_to_unknown(conn, limit=100)
            after = {row.id for row in deliveries_of(conn) if row.state is State.UNKNOWN}
        for delivery_id in before & after:
            self.in_window[delivery_id] += 1

    @rule()
    def look_up(self) -> None:
        """The receiving end tells what it has at this moment."""
        with self.database.write() as conn:
            for one in deliveries.unknown(conn, limit=100):
                happening = Happening.ACCEPTED if self.arrived[one.id] else Happening.DEFERRED
                outcome = Outcome(
                    delivery_id=one.id, fence=one.fence, happening=happening, provider="inbox", retry_in_s=0.0
                )
                deliveries.record(conn, [outcome])
                leases.reschedule(conn, one.edition_id, one.batch_no)
            editions.finish_settled(conn)

    @rule(minutes=st.sampled_from([1, 12, 120]))
    def time_passes(self, minutes: int) -> None:
        self.ahead += timedelta(minutes=minutes)
        set_clock(self.database, ahead=self.ahead)

    @rule(which=st.integers(0, 1))
    def cancel(self, which: int) -> None:
        with self.database.write() as conn:
            change_edition(conn, self.editions[which], status=EditionStatus.CANCELLED)
            for row in deliveries_of(conn, self.editions[which]):
                deliveries.move(conn, row.id, Happening.CANCELLED, reason="by hand")

    @rule(which=st.integers(0, READERS - 1))
    def suppress(self, which: int) -> None:
        with self.database.write() as conn:
            found = people.by_id(conn, self.readers[which])
            assert found is not None
            assert found.address_hash is not None
            people.suppress(conn, found.address_hash, reason="complaint")

    def _receipt(self, sent: Sent) -> None:
        receipt = outcome_of(Receipt(provider="relay", code=250), delivery_id=sent.delivery_id, fence=sent.fence)
        with self.database.write() as conn:
            deliveries.record(conn, [receipt])

    def _record(self, sent: Sent, happening: Happening) -> None:
        outcome = Outcome(
            delivery_id=sent.delivery_id, fence=sent.fence, happening=happening, provider="relay", retry_in_s=0.0
        )
        with self.database.write() as conn:
            deliveries.record(conn, [outcome])

    @precondition(lambda self: hasattr(self, "editions"))
    @invariant()
    def the_books_hold(self) -> None:
        """Nobody is lost; who counts as accepted has it; finished means that nothing is open; twice needs a window."""
        with self.database.read() as conn:
            rows = conn.exec_driver_sql("SELECT id, edition_id, state FROM delivery").all()
            finished = set(conn.exec_driver_sql("SELECT id FROM edition WHERE status = 'finished'").scalars())
        assert len(rows) == 2 * READERS
        for delivery_id, edition_id, state in rows:
            assert self.arrived[delivery_id] or State(state) not in TAKEN
            assert edition_id not in finished or State(state) not in {*OPEN, State.UNKNOWN}
        self.nobody_has_it_twice_unless_the_window_was_open()

    def nobody_has_it_twice_unless_the_window_was_open(self) -> None:
        for delivery_id, times in self.arrived.items():
            assert times <= 1 + self.in_window[delivery_id]

    def teardown(self) -> None:
        """In the end everybody who still can be served is: nothing hangs for ever."""
        for lease in [lease for worker in self.workers for lease in worker.leases.values()]:
            with self.database.write() as conn:
                leases.release(conn, lease)
        for _ in range(3):
            self.sweep()
            self.look_up()
            self.time_passes(7 * 60)
        self.sweep()
        with self.database.read() as conn:
            assert not [row for row in deliveries_of(conn) if row.state in {*OPEN, State.UNKNOWN}]
        assert_conserved(self.database)
        self.the_books_hold()
        folder = Path(self.database.url.database or "").parent
        self._context.__exit__(None, None, None)
        shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def _files(sqlite_template, tmp_path):
    global _folders  # noqa: PLW0603  Hypothesis makes the machine itself, and hands it nothing
    _template[:] = [sqlite_template]
    _folders = tmp_path


@pytest.mark.thorough
class TestAnyOrder(AnyOrder.TestCase):  # type: ignore[misc,valid-type]  # Hypothesis makes the class while it runs
    """Run by pytest."""

    settings = settings(
        max_examples=often(few=15, many=50),
        stateful_step_count=25,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
