"""A large edition's first share: planned, sent before all others, watched, and followed or held."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.builders import (
    DOMAIN,
    all_editions,
    breaking,
    deliveries_of,
    followers,
    set_clock,
    topic,
)
from tests.integration.delivery.stand_in import NO_SUCH_USER
from worker.delivery import run_canary, run_steering
from worker.delivery.canary import Limits
from worker.delivery.run_steering import steer
from worker.delivery.steering import Command
from worker.errors import Blame, OutcomeUnknown, SendError
from worker.lifecycle import State
from worker.model import Canary, EditionId, EditionStatus, Lane, Severity
from worker.planning.first_share import FirstShare
from worker.planning.run import Policy, plan
from worker.store import editions, leases, steering
from worker.store.database import Database
from worker.store.schema import Delivery, DeliveryBatch, Subscriber

LIMITS = Limits(refused=0.02, unknown=0.02, bounced=0.05, complained=0.002, watch_s=60)
POLICY = Policy(
    domain=DOMAIN,
    alert_expires=timedelta(hours=6),
    digest_expires=timedelta(hours=12),
    first_share=FirstShare(share=0.1, least_audience=200),
)
GREY = SendError("4.7.1 Greylisted", permanent=False, code=451, enhanced="4.7.1")
BLOCKED = SendError("5.7.1 blocked", permanent=True, blame=Blame.US, code=550, enhanced="5.7.1")


def planned(database: Database, *, readers: int = 200, severity: Severity = Severity.NORMAL) -> EditionId:
    """Plan an alert for readers of which every tenth is at the small domain."""
    with database.write() as conn:
        concerned = topic(conn, "volcanoes")
        followers(conn, concerned, readers)
        conn.execute(
            sa.update(Subscriber)
            .where(Subscriber.id % 10 == 0)
            .values(email=sa.func.replace(Subscriber.email, "readers.example", "small.example"))
        )
        breaking(conn, concerned, severity=severity)
    (edition_id,) = plan(database, POLICY).editions
    return edition_id


def batches(database) -> list[tuple[EditionId, int]]:
    with database.read() as conn:
        return leases.due_batches(conn, Lane.ALERTS, limit=50)


def send_what_is_due(database, post) -> int:
    return sum(post.deliver(*batch) for batch in batches(database))


def row_of(database, edition_id):
    with database.read() as conn:
        return next(row for row in all_editions(conn) if row.id == edition_id)


def test_the_first_share_is_spread_over_the_domains_and_all_others_wait(database):
    edition_id = planned(database)
    assert row_of(database, edition_id).canary is Canary.WATCHED
    with database.read() as conn:
        held = dict(conn.execute(sa.select(DeliveryBatch.batch_no, DeliveryBatch.held)).all())
        first = [row for row in deliveries_of(conn) if not held[row.batch_no]]
        assert len({row.id for row in first}) == 50
        assert Counter(row.domain for row in first) == {"readers.example": 45, "small.example": 5}
        assert max(row.id for row in first) - min(row.id for row in first) > 150  # not just the first ones
        assert editions.audience_holds(conn)
    assert batches(database) == [(edition_id, number) for number, is_held in held.items() if not is_held]


def test_the_rest_follows_by_itself_when_the_first_have_done_well(database, post):
    edition_id = planned(database)
    assert send_what_is_due(database, post) == 50
    assert send_what_is_due(database, post) == 0
    run_canary.sweep(database, LIMITS)
    assert row_of(database, edition_id).canary_settled_at is not None
    run_canary.sweep(database, LIMITS)
    assert batches(database) == []  # it is watched
    set_clock(database, ahead=timedelta(seconds=61))
    run_canary.sweep(database, LIMITS)
    assert row_of(database, edition_id).canary is Canary.PASSED
    assert send_what_is_due(database, post) == 150
    assert row_of(database, edition_id).status is EditionStatus.FINISHED
    assert len({message.recipient for message in post.transport.sent}) == 200


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (BLOCKED, "were refused because of us"),
        (NO_SUCH_USER, "bounced"),
        (OutcomeUnknown("the reply was lost"), "are unknown"),
    ],
)
def test_when_refusals_jump_the_rest_is_held_until_a_person_says_so(database, post, answer, why):
    edition_id = planned(database)
    with database.read() as conn:
        for row in deliveries_of(conn):
            post.transport.answers[row.recipient].append(answer)
    send_what_is_due(database, post)
    run_canary.sweep(database, LIMITS)
    held = row_of(database, edition_id)
    assert (held.status, held.canary) == (EditionStatus.HELD, Canary.FAILED)
    # A breaker may have shut before all were tried.
    assert re.fullmatch(rf"held by its canary: (\d+) of the first \1 {why}", held.reason), held.reason
    with database.read() as conn:
        assert steering.stopped(conn) == [(edition_id, EditionStatus.HELD, held.reason)]
        assert editions.conservation(conn, edition_id)["audience"] == 200
    set_clock(database, ahead=timedelta(minutes=5))
    run_canary.sweep(database, LIMITS)
    assert batches(database) == []
    steered = steer(database, edition_id, Command.RESUME, actor="ada at the command line")
    assert steered is not None
    assert steered.status is EditionStatus.SENDING
    assert len(batches(database)) >= 1
    run_canary.sweep(database, LIMITS)
    assert row_of(database, edition_id).status is EditionStatus.SENDING  # it is not judged again


def test_a_worker_that_dies_tells_nothing_of_the_mail(database):
    edition_id = planned(database)
    with database.write() as conn:
        sent_first = sa.select(DeliveryBatch.batch_no).where(~DeliveryBatch.held)
        orphaned = sa.update(Delivery).where(Delivery.batch_no.in_(sent_first)).values(state=State.UNKNOWN)
        assert conn.execute(orphaned).rowcount == 50
    run_canary.sweep(database, LIMITS)
    assert row_of(database, edition_id).status is EditionStatus.PLANNED


def test_what_is_breaking_never_waits(database, post):
    edition_id = planned(database, severity=Severity.BREAKING)
    assert row_of(database, edition_id).canary is None
    assert send_what_is_due(database, post) == 200


def test_a_small_edition_goes_at_once(database, post):
    planned(database, readers=20)
    assert send_what_is_due(database, post) == 20


def test_an_edition_that_waits_can_be_paused_and_cancelled(database, post):
    edition_id = planned(database)
    send_what_is_due(database, post)
    for command in (Command.PAUSE, Command.RESUME):
        steer(database, edition_id, command, actor="ada")
        assert batches(database) == []  # resuming a pause does not end the watch
    assert row_of(database, edition_id).canary is Canary.WATCHED
    steered = steer(database, edition_id, Command.CANCEL, actor="ada")
    assert steered is not None
    assert steered.ended == 150
    run_canary.sweep(database, LIMITS)
    run_steering.sweep(database)
    with database.read() as conn:
        assert Counter(row.state for row in deliveries_of(conn)) == {State.ACCEPTED: 50, State.CANCELLED: 150}


def test_nothing_that_happens_to_a_held_batch_lets_it_go(database):
    edition_id = planned(database)
    with database.write() as conn:
        held = conn.execute(sa.select(DeliveryBatch.batch_no).where(DeliveryBatch.held)).scalars().first()
        assert held is not None
        conn.execute(sa.update(Delivery).where(Delivery.batch_no == held).values(state=State.DEFERRED))
        leases.reschedule(conn, edition_id, held)
    assert held not in {number for _, number in batches(database)}


def test_a_first_share_that_nobody_could_send_yet_is_not_held_for_it(database, post):
    """An outage, a pause: who comes back after it finds the edition waiting, not a person's decision."""
    edition_id = planned(database)
    set_clock(database, ahead=timedelta(hours=2))
    run_canary.sweep(database, LIMITS)
    assert row_of(database, edition_id).status is EditionStatus.PLANNED
    first, *_ = batches(database)
    post.deliver(*first)
    run_canary.sweep(database, LIMITS)
    set_clock(database, ahead=timedelta(hours=2, minutes=2))
    run_canary.sweep(database, LIMITS)
    assert row_of(database, edition_id).canary is Canary.PASSED


def test_a_first_share_that_does_not_get_through_within_an_hour_is_held(database, post):
    edition_id = planned(database)
    with database.read() as conn:
        for row in deliveries_of(conn):
            post.transport.answers[row.recipient] = [GREY] * 9
    send_what_is_due(database, post)
    for minutes, status in ((59, EditionStatus.SENDING), (61, EditionStatus.HELD)):
        set_clock(database, ahead=timedelta(minutes=minutes))
        run_canary.sweep(database, LIMITS)
        assert row_of(database, edition_id).status is status
