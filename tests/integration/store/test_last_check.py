"""The check that stands between a planned copy and the wire: every reason that may have come up since planning."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from tests.builders import (
    HOLDER,
    address_hash,
    article,
    change_edition,
    deliveries_of,
    edition,
    follow,
    ids_of,
    kill_article,
    reader,
    set_clock,
    states_of,
    topic,
)
from worker.lifecycle import State
from worker.model import (
    ArticleId,
    Cadence,
    EditionKind,
    EditionStatus,
    StoryId,
    SubscriberId,
    SubscriberStatus,
    SubscriptionId,
    TopicId,
)
from worker.store import copies, last_check, leases, mutes, people
from worker.store.database import Database, now
from worker.store.leases import Lease
from worker.store.schema import ContentStory, Delivery, Story


@dataclass(frozen=True, kw_only=True)
class Due:
    """A digest for two readers that follow two topics each, leased. Things happen to the first of them."""

    lease: Lease
    subscriber: SubscriberId
    address: str
    subscriptions: tuple[SubscriptionId, SubscriptionId]


@pytest.fixture
def due(database: Database) -> Due:
    with database.write() as conn:
        topics = topic(conn, "north-korea"), topic(conn, "russia")
        ada, bo = (reader(conn, name, timezone="Asia/Seoul") for name in ("ada", "bo"))
        served = {one: _follows(conn, one, topics) for one in (ada, bo)}
        digest = edition(conn, [ada, bo], served=served)
        lease = leases.take(conn, digest, 1, holder=HOLDER, lease_s=60)
    assert lease is not None
    return Due(lease=lease, subscriber=ada, address="ada@readers.example", subscriptions=served[ada])


def _follows(
    conn: Connection, subscriber: SubscriberId, topics: tuple[TopicId, TopicId]
) -> tuple[SubscriptionId, SubscriptionId]:
    first, second = (follow(conn, subscriber, topic_id, cadence=Cadence.DAILY) for topic_id in topics)
    return first, second


def test_what_nothing_speaks_against_is_committed_once(database, due):
    with database.write() as conn:
        ids = ids_of(conn, due.lease.edition_id)
        assert last_check.commit(conn, due.lease, ids) == set(ids)
        assert last_check.commit(conn, due.lease, ids) == set()
        for row in deliveries_of(conn):
            assert (row.state, row.attempts, row.fence) == (State.COMMITTING, 1, due.lease.fence)
            assert row.committed_at is not None


def suppress(conn: Connection, due: Due) -> None:
    people.suppress(conn, address_hash(due.address), reason="hard bounce")


def leave(conn: Connection, due: Due) -> None:
    people.change_reader(conn, due.subscriber, status=SubscriberStatus.LEFT)


def pause(conn: Connection, due: Due) -> None:
    people.change_reader(conn, due.subscriber, status=SubscriberStatus.PAUSED)


def pause_until_tomorrow(conn: Connection, due: Due) -> None:
    people.change_reader(conn, due.subscriber, paused_until=now(conn) + timedelta(days=1))


def become_unconfirmed(conn: Connection, due: Due) -> None:
    people.change_reader(conn, due.subscriber, status=SubscriberStatus.PENDING)


def change_address(conn: Connection, due: Due) -> None:
    people.change_reader(conn, due.subscriber, email="ada@elsewhere.example", address_hash="another")


def end_all_subscriptions(conn: Connection, due: Due) -> None:
    people.unfollow(conn, due.subscriber)


def erase(conn: Connection, due: Due) -> None:
    people.change_reader(conn, due.subscriber, status=SubscriberStatus.ERASED, email=None, address_hash=None)
    conn.execute(sa.update(Delivery).where(Delivery.subscriber_id == due.subscriber).values(recipient=None))


def mute_both_topics(conn: Connection, due: Due) -> None:
    for subscription in due.subscriptions:
        mutes.mute_topic(conn, subscription, until=now(conn) + timedelta(days=7))


def mute_one_topic_and_end_the_other(conn: Connection, due: Due) -> None:
    mutes.mute_topic(conn, due.subscriptions[0], until=now(conn) + timedelta(days=7))
    people.unfollow(conn, due.subscriber, [due.subscriptions[1]])


def show_a_story(conn: Connection, due: Due) -> StoryId:
    """Let the digest show one more story."""
    _, story = article(conn)
    (content_id,) = {row.content_id for row in deliveries_of(conn, due.lease.edition_id)}
    conn.execute(sa.insert(ContentStory).values(content_id=content_id, story_id=story))
    return story


def mute_all_its_stories(conn: Connection, due: Due) -> None:
    for story in (show_a_story(conn, due), show_a_story(conn, due)):
        mutes.mute_story(conn, due.subscriber, story, until=now(conn) + timedelta(days=7))


@pytest.mark.parametrize(
    ("happen", "reason"),
    [
        (mute_both_topics, "the reader has muted what it is about"),
        (mute_one_topic_and_end_the_other, "the reader has muted what it is about"),
        (mute_all_its_stories, "the reader has muted what it is about"),
        (suppress, "the address is suppressed"),
        (leave, "the reader has left, paused or not confirmed"),
        (pause, "the reader has left, paused or not confirmed"),
        (pause_until_tomorrow, "the reader has left, paused or not confirmed"),
        (become_unconfirmed, "the reader has left, paused or not confirmed"),
        (change_address, "the reader's address has changed or is gone"),
        (erase, "the reader's address has changed or is gone"),
        (end_all_subscriptions, "all subscriptions that it serves have ended"),
    ],
)
def test_a_reader_who_must_not_get_it_any_more_does_not_and_the_other_does(database, due, happen, reason):
    with database.write() as conn:
        edition(conn, [reader(conn)], kind=EditionKind.CONFIRMATION)  # of somebody else: it excuses nothing
        happen(conn, due)
        mine, others = ids_of(conn, due.lease.edition_id)
        assert last_check.commit(conn, due.lease, [mine, others]) == {others}
        last_check.settle_held_back(conn, due.lease, [mine])
        first, _ = deliveries_of(conn, due.lease.edition_id)
        assert (first.state, first.reason, first.attempts) == (State.SUPPRESSED, reason, 0)


def test_an_erased_readers_copy_ends_though_nobody_could_try_it(database, due):
    with database.write() as conn:
        erase(conn, due)
        assert [one.subscriber_id for one in copies.leased(conn, due.lease)] != [due.subscriber]
        last_check.settle_held_back(conn, due.lease, [])
        assert states_of(conn) == [State.SUPPRESSED, State.LEASED]


def test_a_mail_of_which_one_subscription_still_runs_is_sent(database, due):
    with database.write() as conn:
        people.unfollow(conn, due.subscriber, [due.subscriptions[0]])
        ids = ids_of(conn, due.lease.edition_id)
        assert last_check.commit(conn, due.lease, ids) == set(ids)


@pytest.mark.parametrize("kind", [EditionKind.CORRECTION, EditionKind.CONFIRMATION])
def test_a_mute_keeps_nobody_from_a_correction_or_a_question(database, due, kind):
    with database.write() as conn:
        mute_both_topics(conn, due)
        mute_all_its_stories(conn, due)
        change_edition(conn, due.lease.edition_id, kind=kind)
        ids = ids_of(conn, due.lease.edition_id)
        assert last_check.commit(conn, due.lease, ids) == set(ids)


def test_one_muted_topic_or_story_of_several_does_not_hold_a_mail_back(database, due):
    with database.write() as conn:
        mutes.mute_topic(conn, due.subscriptions[0], until=now(conn) + timedelta(days=7))
        story, _ = show_a_story(conn, due), show_a_story(conn, due)
        mutes.mute_story(conn, due.subscriber, story, until=now(conn) + timedelta(days=7))
        ids = ids_of(conn, due.lease.edition_id)
        assert last_check.commit(conn, due.lease, ids) == set(ids)


def test_mutes_that_are_over_hold_nothing_back(database, due):
    with database.write() as conn:
        mute_both_topics(conn, due)
        mute_all_its_stories(conn, due)
    set_clock(database, ahead=timedelta(days=7, seconds=1))
    with database.write() as conn:
        change_edition(conn, due.lease.edition_id, expires_at=now(conn) + timedelta(hours=1))
        lease = leases.take(conn, due.lease.edition_id, 1, holder=HOLDER, lease_s=60) or due.lease
        conn.execute(sa.update(Delivery).values(state=State.LEASED))
        ids = ids_of(conn, due.lease.edition_id)
        assert last_check.commit(conn, lease, ids) == set(ids)


def test_a_pause_that_is_over_holds_nothing_back(database, due):
    with database.write() as conn:
        people.change_reader(conn, due.subscriber, paused_until=now(conn) - timedelta(seconds=1))
        ids = ids_of(conn, due.lease.edition_id)
        assert last_check.commit(conn, due.lease, ids) == set(ids)


def cancel(conn: Connection, due: Due) -> None:
    change_edition(conn, due.lease.edition_id, status=EditionStatus.CANCELLED)


def hold(conn: Connection, due: Due) -> None:
    change_edition(conn, due.lease.edition_id, status=EditionStatus.HELD)


def pass_the_last_moment(conn: Connection, due: Due) -> None:
    change_edition(conn, due.lease.edition_id, expires_at=now(conn))


def lose_the_lease(conn: Connection, due: Due) -> None:
    assert leases.take(conn, due.lease.edition_id, 1, holder=HOLDER, lease_s=60) is None
    leases.free_dead(conn, HOLDER.boot, [HOLDER.name])


@pytest.mark.parametrize(
    ("happen", "end"),
    [
        (cancel, State.CANCELLED),
        (pass_the_last_moment, State.EXPIRED),
        (hold, State.LEASED),  # goes back with the lease, and waits
        (lose_the_lease, State.LEASED),  # somebody else's business now
    ],
)
def test_what_happens_to_the_edition_or_the_lease_holds_all_of_it_back(database, due, happen, end):
    with database.write() as conn:
        happen(conn, due)
        ids = ids_of(conn, due.lease.edition_id)
        assert last_check.commit(conn, due.lease, ids) == set()
        last_check.settle_held_back(conn, due.lease, ids)
        assert states_of(conn) == [end, end]


def test_an_edition_that_expires_between_lease_and_commit_by_the_one_clock_is_not_sent(database, due):
    set_clock(database, ahead=timedelta(hours=5, minutes=59, seconds=30))
    with database.write() as conn:
        first, _ = ids_of(conn, due.lease.edition_id)
        renewed = leases.renew(conn, due.lease, holder=HOLDER, lease_s=60)
        assert last_check.commit(conn, due.lease, [first]) == ({first} if renewed else set())
    set_clock(database, ahead=timedelta(hours=6))
    with database.write() as conn:
        assert last_check.commit(conn, due.lease, ids_of(conn, due.lease.edition_id)) == set()


def stop_the_story(conn: Connection, story: int, _article: int) -> None:
    conn.execute(sa.update(Story).where(Story.id == story).values(killed_at=now(conn)))


def kill_its_only_article(conn: Connection, _story: int, article_id: int) -> None:
    kill_article(conn, ArticleId(article_id))


@pytest.mark.parametrize("stop", [stop_the_story, kill_its_only_article])
def test_an_alert_of_a_stopped_story_is_cancelled_and_a_digest_that_shows_others_too_goes_out(
    database, stop: Callable[[Connection, int, int], None]
):
    with database.write() as conn:
        article_id, story = article(conn)
        alert = edition(conn, [reader(conn)], kind=EditionKind.ALERT, story=story)
        digest = edition(conn, [reader(conn)], kind=EditionKind.DIGEST, story=story)
        held = {one: leases.take(conn, one, 1, holder=HOLDER, lease_s=60) for one in (alert, digest)}
        stop(conn, story, article_id)
        for edition_id, lease in held.items():
            assert lease is not None
            last_check.commit(conn, lease, ids_of(conn, edition_id))
            last_check.settle_held_back(conn, lease, ids_of(conn, edition_id))
        assert states_of(conn, alert) == [State.CANCELLED]
        assert states_of(conn, digest) == [State.COMMITTING]


@pytest.mark.parametrize(
    ("status", "is_asked"),
    [
        (SubscriberStatus.PENDING, True),
        (SubscriberStatus.ACTIVE, True),  # has signed up again, perhaps not by themselves
        (SubscriberStatus.PAUSED, True),  # rests, but waits for an answer to this very sign-up
        (SubscriberStatus.LEFT, False),
        (SubscriberStatus.ERASED, False),
    ],
)
def test_a_confirmation_goes_to_whoever_may_still_say_yes(database, status, is_asked):
    with database.write() as conn:
        ada = reader(conn, status=status)
        question = edition(conn, [ada], kind=EditionKind.CONFIRMATION)
        lease = leases.take(conn, question, 1, holder=HOLDER, lease_s=60)
        assert lease is not None
        assert bool(last_check.commit(conn, lease, ids_of(conn, question))) is is_asked


def test_a_reader_who_rests_until_a_date_is_asked_too(database):
    with database.write() as conn:
        ada = reader(conn, paused_until=now(conn) + timedelta(days=9))
        question = edition(conn, [ada], kind=EditionKind.CONFIRMATION)
        lease = leases.take(conn, question, 1, holder=HOLDER, lease_s=60)
        assert lease is not None
        assert len(last_check.commit(conn, lease, ids_of(conn, question))) == 1
