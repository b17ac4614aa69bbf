"""A reader's quiet hours at the last check: what was planned before them and comes late waits for the morning."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.builders import edition, reader, set_clock, time_of
from worker.lifecycle import State
from worker.model import EditionKind
from worker.store import deliveries
from worker.store.schema import Delivery, Subscriber

NIGHT = timedelta(hours=1), timedelta(hours=3)


@pytest.fixture
def at(database):
    return time_of(database)


def planned(database, at, *, expires_in=timedelta(hours=6), quiet=NIGHT):
    """Plan a copy for one reader with a night ahead, and one for a reader without."""
    with database.write() as conn:
        sleeper, other = reader(conn), reader(conn)
        edition_id = edition(conn, [sleeper, other], kind=EditionKind.DIGEST, expires_in=expires_in)
        which = sa.update(Delivery).where(Delivery.subscriber_id == sleeper)
        conn.execute(which.values(quiet_at=at + quiet[0], quiet_until=at + quiet[1]))
    return edition_id, sleeper, other


def row_of(database, subscriber):
    with database.read() as conn:
        query = sa.select(Delivery.state, Delivery.next_attempt_at, Delivery.reason, Delivery.attempts)
        return conn.execute(query.where(Delivery.subscriber_id == subscriber)).one()


def test_what_comes_before_the_night_goes(database, at, post):
    edition_id, sleeper, _ = planned(database, at)
    post.deliver(edition_id)
    assert row_of(database, sleeper).state is State.ACCEPTED


@pytest.mark.parametrize("late", [timedelta(hours=1, seconds=1), timedelta(hours=2, minutes=59)])
def test_what_comes_in_the_night_waits_for_the_morning_and_then_goes(database, at, post, late):
    edition_id, sleeper, other = planned(database, at)
    set_clock(database, ahead=late)
    post.deliver(edition_id)
    waiting = row_of(database, sleeper)
    assert (waiting.state, waiting.next_attempt_at, waiting.attempts) == (State.PLANNED, at + NIGHT[1], 0)
    assert row_of(database, other).state is State.ACCEPTED
    assert post.deliver(edition_id) == 0  # nobody turns on it until then
    set_clock(database, ahead=NIGHT[1])
    post.deliver(edition_id)
    assert row_of(database, sleeper).state is State.ACCEPTED
    assert len(post.transport.sent) == 2


def test_whoever_leaves_in_the_night_is_not_waited_for(database, at, post):
    edition_id, sleeper, _ = planned(database, at)
    with database.write() as conn:
        conn.execute(sa.update(Subscriber).where(Subscriber.id == sleeper).values(status="left"))
    set_clock(database, ahead=timedelta(hours=2))
    post.deliver(edition_id)
    assert row_of(database, sleeper).state is State.SUPPRESSED


def test_what_would_be_stale_in_the_morning_expires(database, at, post):
    edition_id, sleeper, _ = planned(database, at, expires_in=timedelta(hours=2))
    set_clock(database, ahead=timedelta(hours=1, minutes=30))
    post.deliver(edition_id)
    assert row_of(database, sleeper).state is State.PLANNED
    set_clock(database, ahead=timedelta(hours=2, minutes=1))
    with database.write() as conn:
        assert deliveries.expire(conn, limit=10) == 1
    assert row_of(database, sleeper).state is State.EXPIRED
