"""What becomes of tries: outcomes recorded under a fence, orphans, late receipts, expiry, and the end of an edition."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.builders import (
    HOLDER,
    RIVAL,
    all_editions,
    attempts_of,
    deliveries_of,
    edition,
    ids_of,
    reader,
    set_clock,
    states_of,
)
from worker.holder import boot_id
from worker.lifecycle import TAKEN, Happening, State, sources_of, step
from worker.model import DeliveryId, EditionStatus, Lane, Receipt, Severity
from worker.store import copies, deliveries, editions, last_check, leases
from worker.store.database import Database, now
from worker.store.deliveries import Outcome, outcome_of
from worker.store.leases import LONGEST_REPLY, Lease
from worker.store.schema import Delivery, DeliveryBatch, Edition

ANSWERS = [Happening.ACCEPTED, Happening.DEFERRED, Happening.REFUSED, Happening.REPLY_LOST]


@dataclass(frozen=True, kw_only=True)
class OnTheWire:
    """One committed row."""

    lease: Lease
    id: DeliveryId


@pytest.fixture
def wire(database: Database) -> OnTheWire:
    with database.write() as conn:
        batch = edition(conn, [reader(conn)])
        lease = leases.take(conn, batch, 1, holder=HOLDER, lease_s=60)
        assert lease is not None
        (committed,) = last_check.commit(conn, lease, ids_of(conn, batch))
    return OnTheWire(lease=lease, id=committed)


def said(wire: OnTheWire, happening: Happening, *, code: int | None = None, retry_in_s: float = 30.0) -> Outcome:
    return Outcome(
        delivery_id=wire.id,
        fence=wire.lease.fence,
        happening=happening,
        provider="relay",
        code=code,
        enhanced="2.0.0",
        text=str(happening),
        retry_in_s=retry_in_s if happening is Happening.DEFERRED else None,
    )


@pytest.mark.parametrize("happening", ANSWERS)
def test_each_answer_makes_its_step_and_leaves_an_attempt(database, wire, happening):
    with database.write() as conn:
        deliveries.record(conn, [said(wire, happening, code=250)])
        (row,) = deliveries_of(conn)
        (attempt,) = attempts_of(conn, wire.id)
        assert row.state is step(State.COMMITTING, happening)
        assert (row.provider, row.code) == ("relay", 250)
        assert (attempt.number, attempt.fence, attempt.outcome) == (1, wire.lease.fence, happening)
        assert attempt.started_at == row.committed_at
        assert attempt.ended_at >= attempt.started_at
        assert (row.next_attempt_at is not None) is (happening is Happening.DEFERRED)


def test_a_receipt_is_kept_with_everything_that_the_provider_said(database, wire):
    receipt = Receipt(provider="relay", code=250, enhanced="2.0.0", text="Ok: queued", provider_message_id="4F2A")
    with database.write() as conn:
        deliveries.record(conn, [outcome_of(receipt, delivery_id=wire.id, fence=wire.lease.fence)])
        (row,) = deliveries_of(conn)
        (attempt,) = attempts_of(conn, wire.id)
        assert (row.state, row.provider_message_id, row.accepted_at) == (State.ACCEPTED, "4F2A", attempt.ended_at)
        assert (attempt.code, attempt.enhanced, attempt.text) == (250, "2.0.0", "Ok: queued")


def test_an_answer_under_an_old_fence_settles_nothing_unless_the_message_was_accepted(database, wire):
    with database.write() as conn:
        for state, happening in itertools.product(State, ANSWERS):
            conn.execute(sa.update(Delivery).values(state=state, fence=wire.lease.fence + 1))
            deliveries.record(conn, [said(wire, happening)])
            arrived = happening is Happening.ACCEPTED and state in sources_of(Happening.ACCEPTED)
            assert states_of(conn) == [State.ACCEPTED if arrived else state], (state, happening)
        kept = attempts_of(conn, wire.id)
        assert len(kept) == len(State) * len(ANSWERS)  # what was said is kept all the same


@pytest.mark.parametrize("happening", [Happening.REPLY_LOST, Happening.DEFERRED])
def test_a_late_receipt_settles_what_was_given_up_and_it_is_never_sent_again(database, wire, happening):
    with database.write() as conn:
        deliveries.record(conn, [said(wire, happening, retry_in_s=0.0)])
        leases.release(conn, wire.lease)
        deliveries.record(conn, [said(wire, Happening.ACCEPTED)])
        assert states_of(conn) == [State.ACCEPTED]
        lease = leases.take(conn, wire.lease.edition_id, 1, holder=RIVAL, lease_s=60)
        if lease is not None:
            assert copies.leased(conn, lease) == []
            leases.release(conn, lease)
        assert leases.take(conn, wire.lease.edition_id, 1, holder=RIVAL, lease_s=60) is None


def test_a_move_follows_the_table(database, wire):
    with database.write() as conn:
        for state, happening in itertools.product(State, Happening):
            conn.execute(sa.update(Delivery).values(state=state, reason="before"))
            moved = deliveries.move(conn, wire.id, happening, reason="because")
            (row,) = deliveries_of(conn)
            target = step(state, happening)
            assert moved is (target is not None), (state, happening)
            assert (row.state, row.reason) == ((state, "before") if target is None else (target, "because"))


@pytest.mark.usefixtures("wire")
def test_a_row_on_the_wire_is_its_holders_business_while_the_lease_lives(database):
    with database.write() as conn:
        assert deliveries.orphans_to_unknown(conn, limit=10) == 0
        assert states_of(conn) == [State.COMMITTING]


def test_a_dead_holders_rows_on_the_wire_become_unknown_at_once(database, wire):
    with database.write() as conn:
        leases.free_dead(conn, boot_id(), [HOLDER.name])
        assert deliveries.orphans_to_unknown(conn, limit=10) == 1
        (row,) = deliveries_of(conn)
        (attempt,) = attempts_of(conn, wire.id)
        assert (row.state, row.next_attempt_at) == (State.UNKNOWN, None)
        assert attempt.outcome is Happening.REPLY_LOST
        assert deliveries.orphans_to_unknown(conn, limit=10) == 0


@pytest.mark.parametrize("is_taken_over", [False, True])
def test_a_lease_that_ran_out_does_not_prove_that_its_holder_is_gone(database, wire, is_taken_over):
    """A stalled process may hold the connection still: its row is found out about when no reply can come any more."""
    with database.write() as conn:
        leases.renew(conn, wire.lease, holder=HOLDER, lease_s=0)
        if is_taken_over:
            conn.execute(sa.update(DeliveryBatch).values(next_attempt_at=now(conn)))
            assert leases.take(conn, wire.lease.edition_id, 1, holder=RIVAL, lease_s=3600)
        assert deliveries.orphans_to_unknown(conn, limit=10) == 0
    set_clock(database, ahead=LONGEST_REPLY)
    with database.write() as conn:
        assert deliveries.orphans_to_unknown(conn, limit=10) == 1


def test_a_released_row_whose_outcome_was_never_written_down_is_found_out_about(database, wire):
    with database.write() as conn:
        leases.release(conn, wire.lease)
        assert deliveries.orphans_to_unknown(conn, limit=10) == 1


def test_unknown_rows_are_listed_page_by_page(database):
    with database.write() as conn:
        batch = edition(conn, [reader(conn) for _ in range(3)], severity=Severity.BREAKING)
        conn.execute(sa.update(Delivery).values(state=State.UNKNOWN, attempts=2))
        first = deliveries.unknown(conn, limit=2)
        rest = deliveries.unknown(conn, limit=2, after=first[-1].id)
        assert [one.id for one in [*first, *rest]] == ids_of(conn, batch)
        assert (first[0].severity, first[0].lane, first[0].attempts) == (Severity.BREAKING, Lane.BULK, 2)
        assert deliveries.unknown(conn, limit=2, after=rest[-1].id) == []


def test_an_unwritable_row_is_put_off_and_says_why(database):
    with database.write() as conn:
        batch = edition(conn, [reader(conn), reader(conn)])
        lease = leases.take(conn, batch, 1, holder=HOLDER, lease_s=60)
        assert lease is not None
        broken, _ = ids_of(conn, batch)
        deliveries.postpone(conn, lease, {broken: 300}, reason="it cannot be rendered")
        row, _ = deliveries_of(conn)
        assert (row.state, row.reason, row.attempts) == (State.PLANNED, "it cannot be rendered", 0)
        assert timedelta(seconds=290) < row.next_attempt_at - now(conn) <= timedelta(seconds=300)
        leases.release(conn, lease)
        again = leases.take(conn, batch, 1, holder=RIVAL, lease_s=60)
        assert again is not None
        assert [one.id for one in copies.leased(conn, again)] != [broken]


@pytest.mark.parametrize("is_held", [True, False])
def test_only_what_waits_expires_when_the_last_moment_has_passed(database, is_held):
    with database.write() as conn:
        batch = edition(conn, [reader(conn) for _ in State], expires_in=timedelta(hours=6))
        leases.take(conn, batch, 1, holder=HOLDER, lease_s=10 * 3600 if is_held else 0)
        for delivery_id, state in zip(ids_of(conn, batch), State, strict=True):
            set_state(conn, delivery_id, state)
        assert deliveries.expire(conn, limit=100) == 0
    set_clock(database, ahead=timedelta(hours=6))
    # What is leased ends in its holder's own check, if there is a holder.
    waiting = {State.PLANNED, State.DEFERRED} | (set() if is_held else {State.LEASED})
    with database.write() as conn:
        assert deliveries.expire(conn, limit=1) == 1
        assert deliveries.expire(conn, limit=100) == len(waiting) - 1
        assert states_of(conn, batch) == [State.EXPIRED if state in waiting else state for state in State]


def test_a_batch_of_which_all_has_expired_is_not_due(database):
    with database.write() as conn:
        edition(conn, [reader(conn)], expires_in=timedelta(0))
        assert deliveries.expire(conn, limit=100) == 1
        assert leases.due_batches(conn, Lane.BULK, limit=10) == []


def test_an_edition_is_finished_when_nothing_is_open_and_nothing_unknown(database):
    with database.write() as conn:
        batch = edition(conn, [reader(conn), reader(conn)])
        first, second = ids_of(conn, batch)
        for state in State:
            set_state(conn, first, State.ACCEPTED)
            set_state(conn, second, state)
            pending = state in {State.PLANNED, State.LEASED, State.COMMITTING, State.DEFERRED, State.UNKNOWN}
            assert editions.finish_settled(conn) == (0 if pending else 1)
            (row,) = all_editions(conn)
            assert row.status is (EditionStatus.PLANNED if pending else EditionStatus.FINISHED)
            assert (row.finished_at is None) is pending
            conn.execute(sa.update(Edition).values(status=EditionStatus.PLANNED, finished_at=None))


def set_state(conn: sa.Connection, delivery_id: DeliveryId, state: State) -> None:
    conn.execute(sa.update(Delivery).where(Delivery.id == delivery_id).values(state=state))


def test_the_books_tell_each_state_under_its_term(database):
    with database.write() as conn:
        batch = edition(conn, [reader(conn) for _ in State])
        for delivery_id, state in zip(ids_of(conn, batch), State, strict=True):
            set_state(conn, delivery_id, state)
        terms = editions.conservation(conn, batch)
        assert terms == editions.conservation(conn)
        assert terms == {
            "audience": len(State),
            "accepted": len(TAKEN),
            "refused": 1,
            "suppressed": 1,
            "expired": 1,
            "cancelled": 1,
            "unknown": 1,
            "open": 4,
        }


def test_a_row_too_few_or_too_many_shows_in_the_books(database):
    with database.write() as conn:
        batch = edition(conn, [reader(conn)])
        assert editions.audience_holds(conn)
        for audience in (0, 2):
            conn.execute(sa.update(Edition).where(Edition.id == batch).values(audience=audience))
            assert not editions.audience_holds(conn)
        conn.execute(sa.update(Edition).values(audience=1))


def test_many_acceptances_at_once_are_kept_as_each_was_said(database):
    with database.write() as conn:
        batch = edition(conn, [reader(conn) for _ in range(4)])
        lease = leases.take(conn, batch, 1, holder=HOLDER, lease_s=60)
        assert lease is not None
        *ids, other = sorted(last_check.commit(conn, lease, ids_of(conn, batch)))
        since = now(conn) - timedelta(microseconds=1_234_567)
        answers = [
            (250, "relay", "id 1", "2.0.0", "Ok: 접수 \U0001f5de"),
            (202, "mill", "", "", "'\"\\"),
            (250, "relay", "", "", ""),
        ]
        outcomes = [
            Outcome(
                delivery_id=one,
                fence=lease.fence,
                happening=Happening.ACCEPTED,
                number=1,
                started_at=since,
                code=code,
                provider=provider,
                provider_message_id=message_id,
                enhanced=enhanced,
                text=text,
            )
            for one, (code, provider, message_id, enhanced, text) in zip(ids, answers, strict=True)
        ]
        at = now(conn)
        deliveries.record(conn, outcomes, at=at)
    with database.read() as conn:
        rows = {row.id: row for row in deliveries_of(conn)}
        assert rows[other].state is State.COMMITTING
        for one, (code, provider, message_id, enhanced, text) in zip(ids, answers, strict=True):
            row, (attempt,) = rows[one], attempts_of(conn, one)
            assert (row.state, row.accepted_at, row.next_attempt_at) == (State.ACCEPTED, at, None)
            assert (row.code, row.provider, row.provider_message_id) == (code, provider, message_id)
            assert (attempt.code, attempt.provider, attempt.provider_message_id) == (code, provider, message_id)
            assert (attempt.enhanced, attempt.text, attempt.number, attempt.fence) == (enhanced, text, 1, lease.fence)
            assert (attempt.outcome, attempt.started_at, attempt.ended_at) == (Happening.ACCEPTED, since, at)


def test_a_providers_words_can_be_kept_whatever_they_are_made_of(database):
    """A NUL (PostgreSQL) or half a surrogate pair (both) would take every other outcome of its group with it."""
    with database.write() as conn:
        batch = edition(conn, [reader(conn) for _ in range(2)])
        lease = leases.take(conn, batch, 1, holder=HOLDER, lease_s=60)
        assert lease is not None
        ids = sorted(last_check.commit(conn, lease, ids_of(conn, batch)))
        outcomes = [
            Outcome(
                delivery_id=one,
                fence=lease.fence,
                happening=happening,
                provider="relay",
                text="queued\x00 as\ud800 1\n2",
                provider_message_id="<\udfff>",
            )
            for one, happening in zip(ids, (Happening.ACCEPTED, Happening.DEFERRED), strict=True)
        ]
        deliveries.record(conn, outcomes)
    with database.read() as conn:
        taken, deferred = deliveries_of(conn)
        assert (taken.state, taken.provider_message_id) == (State.ACCEPTED, "<\ufffd>")
        assert deferred.reason == "queued as\ufffd 1 2"
        assert [attempt.text for attempt in attempts_of(conn, taken.id)] == ["queued as\ufffd 1 2"]
