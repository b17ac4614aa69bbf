"""Pause, resume and cancel while a send is under way: at once, resumable, and nobody falls out of the books."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from tests.builders import (
    all_editions,
    attempts_of,
    breaking,
    change_edition,
    content,
    deliveries_of,
    edition,
    ids_of,
    reader,
    set_clock,
    states_of,
    topic,
)
from tests.integration.delivery.stand_in import BUSY
from worker.delivery import run_steering
from worker.delivery.run_resolving import resolve
from worker.delivery.run_steering import steer
from worker.delivery.steering import Command, Fate, Refused
from worker.errors import OutcomeUnknown
from worker.facts import Copy, EditionPlan
from worker.lifecycle import OPEN, State
from worker.model import EditionId, EditionKind, EditionStatus, Lane, Severity
from worker.store import editions, events, house, leases
from worker.store.database import now

ACTOR = "ada at the command line"


def planned(database, count: int = 6, **options) -> EditionId:
    with database.write() as conn:
        return edition(conn, [reader(conn) for _ in range(count)], **options)


def ask(database, edition_id, command, reason=""):
    steered = steer(database, edition_id, command, actor=ACTOR, reason=reason)
    assert steered is not None
    return steered


def status(database, edition_id):
    with database.read() as conn:
        return next(row.status for row in all_editions(conn) if row.id == edition_id)


def books(database, edition_id):
    with database.read() as conn:
        return editions.conservation(conn, edition_id)


def test_a_paused_edition_is_not_sent_until_it_is_resumed(database, post):
    digest = planned(database)
    assert ask(database, digest, Command.PAUSE).says == f"edition {digest} was planned and is paused now"
    assert post.deliver(digest) == 0
    with database.read() as conn:
        assert leases.due_batches(conn, Lane.BULK, limit=9) == []
    assert ask(database, digest, Command.RESUME).status is EditionStatus.SENDING
    assert post.deliver(digest) == 6
    assert status(database, digest) is EditionStatus.FINISHED


@pytest.mark.parametrize("command", [Command.PAUSE, Command.CANCEL])
def test_a_brake_works_in_the_middle_of_a_batch(database, post, command):
    digest = planned(database, 60)

    pulled = asyncio.Event()

    async def brake(_message):
        if len(post.transport.sent) == 10:
            await asyncio.to_thread(ask, database, digest, command)
            pulled.set()
        elif len(post.transport.sent) > 10:  # however slow the machine, nobody outruns the hand on the brake
            await pulled.wait()

    post.transport.during = brake
    post.deliver(digest)
    # Whoever was committed when the brake was pulled still went out: one message a connection, and its successor.
    assert 10 <= len(post.transport.sent) <= 10 + 2 * post.transport.connections
    terms = books(database, digest)
    assert terms["accepted"] == len(post.transport.sent)
    run_steering.sweep(database)
    if command is Command.PAUSE:
        assert books(database, digest)["open"] == 60 - terms["accepted"]
        ask(database, digest, Command.RESUME)
        post.transport.during = None
        post.deliver(digest)
        assert sorted(m.recipient for m in post.transport.sent) == sorted({m.recipient for m in post.transport.sent})
        assert books(database, digest)["accepted"] == 60
    else:
        assert books(database, digest)["cancelled"] == 60 - terms["accepted"]


def test_cancelling_ends_every_unsent_copy_with_the_reason(database, post):
    digest = planned(database, 30, batches=25)
    post.transport.connections = 1
    post.deliver(digest, 1, stopping=lambda: len(post.transport.sent) >= 2)
    steered = ask(database, digest, Command.CANCEL, "wrong headline")
    assert steered.ended == 28
    terms = books(database, digest)
    assert (terms["accepted"], terms["cancelled"], terms["open"]) == (2, 28, 0)
    with database.read() as conn:
        reasons = {row.reason for row in deliveries_of(conn) if row.state is State.CANCELLED}
        assert reasons == {f"the edition was cancelled by {ACTOR}: wrong headline"}
        (row,) = [row for row in all_editions(conn) if row.id == digest]
        assert (row.status, row.finished_at is not None) == (EditionStatus.CANCELLED, True)
        assert house.notes(conn, f"edition {digest}")[0][1:3] == (ACTOR, "edition cancel")


def test_a_cancellation_that_was_interrupted_is_finished_by_the_sweep(database):
    digest = planned(database, 30, batches=15)
    with database.write() as conn:  # the status, and no more: then the process died
        change_edition(conn, digest, status=EditionStatus.CANCELLED, reason="cancelled")
    assert run_steering.sweep(database) == 30
    assert run_steering.sweep(database) == 0
    with database.read() as conn:
        assert set(states_of(conn)) == {State.CANCELLED}


def test_what_a_relay_put_off_during_a_cancellation_is_not_tried_again(database, post):
    digest = planned(database, 1)

    async def cancel(_message):
        await asyncio.to_thread(ask, database, digest, Command.CANCEL)

    post.transport.during = cancel
    with database.read() as conn:
        (row,) = deliveries_of(conn)
    post.transport.answers[row.recipient].append(BUSY)
    post.deliver(digest)
    run_steering.sweep(database)
    assert books(database, digest)["cancelled"] == 1
    set_clock(database, ahead=timedelta(hours=1))
    assert post.deliver(digest) == 0
    assert len(post.transport.sent) == 1


def test_stopping_an_edition_that_is_still_planned_counts_when_its_audience_is_fixed(database):
    with database.write() as conn:
        at = now(conn)
        plan = EditionPlan(
            kind=EditionKind.DIGEST,
            slot="a",
            locale="en",
            lane=Lane.BULK,
            due_at=at,
            expires_at=at + timedelta(hours=1),
        )
        edition_id = editions.open_edition(conn, plan)
    assert edition_id is not None
    for command in (Command.PAUSE, Command.RESUME, Command.CANCEL):
        assert "is being planned" in ask(database, edition_id, command).says
    with database.write() as conn:
        assert editions.open_edition(conn, plan) == edition_id  # further readers still join
        people = [reader(conn), reader(conn)]
        content_id = editions.intern(
            conn, content(EditionKind.DIGEST, breaking(conn, topic(conn, "a")), Severity.NORMAL)
        )
        copies = [
            Copy(subscriber_id=n, recipient=f"{n}@x.example", content_id=content_id, subscriptions=()) for n in people
        ]
        editions.add_batch(conn, edition_id, copies, lane=Lane.BULK, domain="courier.example")
        editions.close_edition(conn, edition_id)
    assert status(database, edition_id) is EditionStatus.CANCELLED
    assert run_steering.sweep(database) == 2


def test_a_paused_edition_whose_last_copy_is_settled_is_finished(database, post):
    digest = planned(database, 1)

    async def pause(_message):
        await asyncio.to_thread(ask, database, digest, Command.PAUSE)

    post.transport.during = pause
    post.deliver(digest)
    assert status(database, digest) is EditionStatus.FINISHED


def test_what_is_over_is_told(database, post):
    digest = planned(database, 1)
    post.deliver(digest)
    steered = ask(database, digest, Command.PAUSE)
    assert steered.refused is Refused.FINISHED
    assert "already finished" in steered.says
    assert steer(database, EditionId(999), Command.PAUSE, actor=ACTOR) is None


def test_the_audience_that_was_fixed_is_the_one_in_the_books(database):
    digest = planned(database, 3)
    with database.write() as conn:
        change_edition(conn, digest, audience=4)
    terms = books(database, digest)
    assert terms.pop("audience") == 4
    assert sum(terms.values()) == 3  # somebody was lost, and it shows
    with database.write() as conn:
        assert editions.conservation(conn)["audience"] == 4
        change_edition(conn, digest, audience=3)


@pytest.mark.parametrize(
    ("fate", "state", "sent"),
    [(Fate.ACCEPTED, State.ACCEPTED, 2), (Fate.REFUSED, State.REFUSED, 2), (Fate.RESEND, State.ACCEPTED, 4)],
)
def test_a_person_settles_what_nobody_knows(database, post, fate, state, sent):
    digest = planned(database, 2)
    with database.read() as conn:
        for row in deliveries_of(conn):
            post.transport.answers[row.recipient].append(OutcomeUnknown("the reply was lost"))
    post.deliver(digest)
    with database.read() as conn:
        ids = ids_of(conn, digest)
        assert states_of(conn) == [State.UNKNOWN] * 2
    assert resolve(database, [*ids, *ids], fate, actor=ACTOR) == ids
    assert resolve(database, ids, fate, actor=ACTOR) == []  # once is enough
    post.deliver(digest)
    with database.read() as conn:
        assert states_of(conn) == [state] * 2
        assert not set(states_of(conn)) & OPEN
        assert ACTOR in attempts_of(conn, ids[0])[1].text
        assert events.unsettled(conn, limit=1) == []  # a person's word about a log is none about the address
        assert house.notes(conn, f"delivery {ids[0]}")[0][1:3] == (ACTOR, f"resolve as {fate}")
    assert len(post.transport.sent) == sent
    assert len({message.message_id for message in post.transport.sent}) == 2
    assert status(database, digest) is EditionStatus.FINISHED
