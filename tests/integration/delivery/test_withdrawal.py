"""An editor stops a story: it leaves everything unsent, also what a worker has in hand at this moment."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.builders import (
    DOMAIN,
    HOLDER,
    all_editions,
    article,
    card,
    deliveries_of,
    edition,
    follow,
    ids_of,
    match,
    reader,
    set_clock,
    states_of,
    topic,
)
from tests.integration.delivery.stand_in import BUSY
from worker.content import DigestContent, Section, thaw, without
from worker.delivery import run_withdrawal
from worker.delivery.run_resolving import resolve
from worker.delivery.run_withdrawal import Withdrawn, withdraw
from worker.delivery.steering import Fate
from worker.errors import OutcomeUnknown
from worker.facts import Copy, EditionPlan
from worker.lifecycle import State
from worker.model import ArticleId, EditionKind, EditionStatus, Lane
from worker.planning.run import Policy, plan
from worker.store import copies, editions, house, last_check, leases, withdrawals
from worker.store.database import now
from worker.store.leases import Lease
from worker.store.schema import Delivery, EditionContent, Story

ACTOR = "eve at the command line"
POLICY = Policy(domain=DOMAIN, alert_expires=timedelta(hours=6), digest_expires=timedelta(hours=12))


@pytest.fixture
def news(database):
    """Two stories, and the article of the first."""
    with database.write() as conn:
        first, bad = article(conn, "A rumour")
        _, good = article(conn, "A fact")
    return first, bad, good


def digest(database, *stories, readers=3, batches=1):
    """Plan a digest that shows the stories, each in a section of its own."""
    with database.write() as conn:
        at = now(conn)
        made = EditionPlan(
            kind=EditionKind.DIGEST,
            slot=f"{at}",
            locale="en",
            lane=Lane.BULK,
            due_at=at,
            expires_at=at + timedelta(hours=6),
        )
        edition_id = editions.open_edition(conn, made)
        assert edition_id is not None
        content_id = editions.intern(conn, content_of(*stories))
        for _ in range(batches):
            copies = [
                Copy(subscriber_id=one, recipient=f"{one}@readers.example", content_id=content_id, subscriptions=())
                for one in [reader(conn) for _ in range(readers)]
            ]
            for copy in copies:  # the last check compares addresses
                conn.execute(
                    sa.text("UPDATE subscriber SET email = :email WHERE id = :id"),
                    {"email": copy.recipient, "id": copy.subscriber_id},
                )
            editions.add_batch(conn, edition_id, copies, lane=Lane.BULK, domain=DOMAIN)
        editions.close_edition(conn, edition_id)
    return edition_id


def content_of(*stories):
    sections = tuple(Section(topic=f"Topic {story}", cards=(card(story),)) for story in stories)
    return DigestContent(locale="en", day=datetime(2026, 11, 23, tzinfo=UTC).date(), sections=sections)


def shown(database, edition_id):
    """Return which stories each copy of an edition shows."""
    with database.read() as conn:
        query = sa.select(EditionContent.body).join(Delivery, Delivery.content_id == EditionContent.id)
        return [thaw(body).stories() for body in conn.execute(query.where(Delivery.edition_id == edition_id)).scalars()]


def stop(database, article_id) -> Withdrawn:
    withdrawn = withdraw(database, article_id, actor=ACTOR, reason="not true")
    assert withdrawn is not None
    return withdrawn


def take(conn, edition_id) -> Lease:
    lease = leases.take(conn, edition_id, 1, holder=HOLDER, lease_s=60)
    assert lease is not None
    return lease


def is_being_stopped(database) -> bool:
    with database.read() as conn:
        return bool(withdrawals.being_stopped(conn))


def test_alerts_of_the_story_end_and_digests_go_out_without_it(database, news, post):
    first, bad, good = news
    with database.write() as conn:
        alert = edition(conn, [reader(conn), reader(conn)], kind=EditionKind.ALERT, story=bad)
    mixed, only, other = digest(database, bad, good), digest(database, bad), digest(database, good)
    withdrawn = stop(database, first)
    assert (withdrawn.changed, withdrawn.cancelled, withdrawn.shortened, withdrawn.sent) == (True, 5, 3, 0)
    assert shown(database, mixed) == shown(database, other) == [(good,)] * 3
    with database.read() as conn:
        for edition_id in (alert, only):
            assert set(states_of(conn, edition_id)) == {State.CANCELLED}
            assert {row.reason for row in deliveries_of(conn, edition_id)} == {"an editor stopped all that it told of"}
        status = {row.id: row.status for row in all_editions(conn)}
        assert (status[alert], status[only]) == (EditionStatus.FINISHED, EditionStatus.FINISHED)
        assert house.notes(conn, f"story {bad}")[0][1:3] == (ACTOR, "story kill")
    assert not is_being_stopped(database)
    assert post.deliver(mixed) == 6  # and those of the other digest, which are due as well


def test_once_more_changes_nothing_and_counts_what_was_sent(database, news, post):
    first, bad, good = news
    post.deliver(digest(database, bad, good))
    assert stop(database, first).sent == 3
    again = stop(database, first)
    assert (again.changed, again.cancelled, again.shortened, again.sent) == (False, 0, 0, 3)
    assert "was stopped before" in again.says
    assert withdraw(database, ArticleId(99), actor=ACTOR) is None
    with database.read() as conn:
        assert len(house.notes(conn, f"story {bad}")) == 1


def test_a_copy_that_a_worker_has_rendered_already_is_not_sent(database, news):
    first, bad, good = news
    mixed = digest(database, bad, good)
    with database.write() as conn:
        lease = take(conn, mixed)
        assert len(copies.leased(conn, lease)) == 3
    stop(database, first)
    with database.write() as conn:
        ids = ids_of(conn, mixed)
        assert last_check.commit(conn, lease, ids) == set()
        last_check.settle_held_back(conn, lease, ids)
        leases.release(conn, lease)
        assert states_of(conn, mixed) == [State.PLANNED] * 3
        assert leases.due_batches(conn, Lane.BULK, limit=9) == [(mixed, 1)]  # with what is left of it


def test_between_the_editors_word_and_the_new_content_nothing_goes_out(database, news):
    first, bad, good = news
    mixed, other = digest(database, bad, good), digest(database, good)
    with database.write() as conn:
        held = {one: take(conn, one) for one in (mixed, other)}
        withdrawals.stop(conn, first)
    with database.write() as conn:
        assert last_check.commit(conn, held[mixed], ids_of(conn, mixed)) == set()
        assert len(last_check.commit(conn, held[other], ids_of(conn, other))) == 3
        last_check.settle_held_back(conn, held[mixed], ids_of(conn, mixed))
        leases.release(conn, held[mixed])
    assert is_being_stopped(database)
    run_withdrawal.sweep(database)  # whoever gave the word has died
    assert shown(database, mixed) == [(good,)] * 3
    assert not is_being_stopped(database)


@pytest.mark.parametrize("trouble", [BUSY, OutcomeUnknown("the reply was lost")])
def test_a_copy_that_comes_back_from_the_wire_loses_the_story_too(database, news, post, trouble):
    first, bad, good = news
    mixed = digest(database, bad, good, readers=1)

    async def kill(_message):
        await asyncio.to_thread(stop, database, first)

    post.transport.during = kill
    with database.read() as conn:
        post.transport.answers[deliveries_of(conn, mixed)[0].recipient].append(trouble)
    post.deliver(mixed)
    assert is_being_stopped(database)
    if isinstance(trouble, OutcomeUnknown):
        run_withdrawal.sweep(database)
        assert is_being_stopped(database)  # as long as nobody knows, it may have to be sent again
        with database.read() as conn:
            unknown = ids_of(conn, mixed)
        resolve(database, unknown, Fate.RESEND, actor=ACTOR)
    run_withdrawal.sweep(database)
    assert shown(database, mixed) == [(good,)]
    assert not is_being_stopped(database)
    set_clock(database, ahead=timedelta(hours=1))
    post.transport.during = None
    assert post.deliver(mixed) == 1


def test_many_batches_and_many_contents(database, news):
    first, bad, good = news
    mixed = digest(database, bad, good, batches=23, readers=2)
    assert stop(database, first).shortened == 46
    assert shown(database, mixed) == [(good,)] * 46


def test_planning_leaves_a_stopped_story_out(database):
    with database.write() as conn:
        concerned = topic(conn, "volcanoes")
        follow(conn, reader(conn), concerned)
        number, story = article(conn, "A rumour")
        match(conn, number, concerned, alert_in=timedelta(0))
    stop(database, number)
    assert plan(database, POLICY).deliveries == 0
    with database.read() as conn:
        assert conn.execute(sa.select(Story.killed_at).where(Story.id == story)).scalar() is not None


def test_what_is_left_of_a_content():
    assert without(content_of(1, 2), {2}) == content_of(1)
    assert without(content_of(1, 2), {3}) == content_of(1, 2)
    assert without(content_of(1, 2), {1, 2}) is None
