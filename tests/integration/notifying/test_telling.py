"""Telling endpoints over real sockets: signed, again and again with the same id, and nobody waits for a slow one."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise

import pytest
import sqlalchemy as sa
from standardwebhooks import WebhookVerificationError

from worker.holder import boot_id
from worker.notifying import run, run_endpoints
from worker.notifying.decide import KEPT, WAITS
from worker.signup.run_preferences import unsubscribe
from worker.store import endpoints, outbox
from worker.store.database import now
from worker.store.endpoints import Told
from worker.store.leases import Holder
from worker.store.schema import WebhookEndpoint, WebhookMessage
from worker.tidings import MessageState, Tiding

from .receiver import receiving

ACTOR = "a test"


@pytest.fixture
def tells(house, readers):
    """Put so many messages into the outbox, about one reader or about as many."""
    reader_id = readers.joins("jo@example.org", "oman")

    def tell(count=1, *, apart=False):
        with house.database.write() as conn:
            for number in range(count):
                outbox.tell(conn, Tiding.CONFIRMED, reader_id + number * apart)

    return tell


def until_delivered(house, count, meanwhile=int):
    give_up_s = time.monotonic() + 30
    while house.states().count("delivered") < count:
        meanwhile()
        assert time.monotonic() < give_up_s, house.states()
        time.sleep(0.01)


def test_a_message_is_signed_and_says_what_happened_when(house, tells):
    _, secret = house.adds()
    tells()
    house.sweeps()
    (post,) = house.receiver.posts
    told = post.verified(secret)
    assert (told["type"], told["data"]["email"]) == ("subscriber.confirmed", "jo@example.org")
    assert told["timestamp"].endswith("Z")
    assert post.headers["content-type"] == "application/json"
    assert post.headers["user-agent"] == "Tocsin/test"
    assert post.id == house.messages()[0].message_id
    assert post.id.startswith("msg_")
    with pytest.raises(WebhookVerificationError):
        post.verified("whsec_" + "A" * 44)
    (row,) = house.messages()
    assert (row.state, row.attempts, row.code, row.next_attempt_at) == ("delivered", 1, 204, None)
    assert house.endpoint().last_ok_at is not None
    assert house.sweeps() == 0


def test_what_fails_comes_again_as_it_was_until_it_is_taken(house, tells):
    house.adds()
    house.receiver.answers = [500, 302, 404]
    tells()
    for wait in (timedelta(0), *WAITS[:2]):
        house.passes(seconds=1.1 * wait.total_seconds())
        house.sweeps()
        assert house.states() == ["pending"]
        assert house.sweeps() == 0  # not before its time
    assert house.endpoint().failing_since is not None
    house.passes(minutes=34)
    house.sweeps()
    posts = house.receiver.posts
    assert len(posts) == 4
    assert all((one.id, one.body) == (other.id, other.body) for one, other in pairwise(posts))
    (row,) = house.messages()
    assert (row.state, row.attempts, row.error) == ("delivered", 4, "")
    assert house.endpoint().failing_since is None


def test_a_redirect_is_not_followed(house, tells):
    with receiving() as elsewhere:
        house.adds()
        house.receiver.answers = [(307, {"Location": elsewhere.url})]
        tells()
        house.sweeps()
        assert elsewhere.posts == []
    assert house.messages()[0].error == "it answered 307"


def test_after_the_tenth_try_a_message_is_given_up_and_may_be_sent_once_more(house, tells):
    endpoint, secret = house.adds()
    house.receiver.otherwise = 500
    tells()
    for wait in (timedelta(0), *WAITS):
        house.passes(seconds=1.11 * wait.total_seconds())
        house.sweeps()
    assert house.states() == ["failed"]
    assert len(house.receiver.posts) == 10
    assert house.sweeps() == 0
    house.receiver.otherwise = 204
    assert run_endpoints.try_again(house.database, endpoint.id, actor=ACTOR) == 1
    house.sweeps()
    assert house.states() == ["delivered"]
    assert len(set(house.receiver.ids)) == 1
    assert endpoint.disabled_at is None
    assert house.receiver.posts[-1].verified(secret)


def test_an_endpoint_that_is_gone_is_switched_off_at_once(house, tells):
    house.adds()
    house.receiver.answers = [410]
    tells(3)
    house.sweeps()
    assert house.endpoint().disabled_reason == "it answered 410: it is gone"
    before = len(house.receiver.posts)
    house.passes(hours=1)
    assert house.sweeps() == 0
    tells()
    assert len(house.messages()) == 3  # nothing is kept for one that is off
    run_endpoints.try_again(house.database, house.endpoint().id, actor=ACTOR)
    house.sweeps()
    assert set(house.states()) == {"delivered"}
    assert len(house.receiver.posts) > before


def test_an_endpoint_that_takes_nothing_for_five_days_is_switched_off(house, tells):
    house.adds()
    house.receiver.otherwise = 503
    for _ in range(5):
        tells()
        house.sweeps()
        assert house.endpoint().disabled_at is None
        house.passes(days=1, minutes=1)
    tells()
    house.sweeps()
    assert house.endpoint().disabled_reason == "it has taken nothing for 5 days"


def test_while_an_endpoint_fails_one_message_a_sweep_tries_it_and_then_all_go(house, tells):
    house.adds()
    house.receiver.otherwise = 500
    tells(20)
    house.sweeps()
    first = len(house.receiver.posts)
    house.sweeps()
    assert len(house.receiver.posts) == first + 1
    house.receiver.otherwise = 204
    house.passes(minutes=10)
    house.sweeps()
    assert set(house.states()) == {"delivered"}
    assert len(set(house.receiver.ids)) == 20


def test_many_go_a_few_at_a_time_over_connections_that_are_kept(house, tells):
    house.adds()
    house.receiver.delay_s = 0.02
    tells(50, apart=True)
    house.sweeps()
    assert set(house.states()) == {"delivered"}
    assert len(set(house.receiver.ids)) == len(house.receiver.ids) == 50
    assert 1 < house.receiver.most_at_once <= 8


def test_what_happened_to_one_reader_comes_in_order_while_others_are_told_beside(house, tells):
    house.adds()
    house.receiver.delay_s = 0.01
    for _ in range(6):
        tells(5, apart=True)
    wanted = {row.message_id: row.subscriber_id for row in house.messages()}
    house.sweeps()
    assert house.receiver.most_at_once > 1
    for reader in set(wanted.values()):
        of_reader = [message_id for message_id, whose in wanted.items() if whose == reader]
        assert [message_id for message_id in house.receiver.ids if message_id in of_reader] == of_reader


def test_a_slow_endpoint_holds_up_neither_the_sweep_nor_the_others(house, tells):
    gate = threading.Event()
    with receiving() as slow:
        slow.otherwise = lambda _receiver: 204 if gate.wait(30) else 500
        house.adds(url=slow.url)
        house.adds()
        tells()
        notifier = house.notifier(timeout_s=60)
        assert notifier.sweep() == 2  # and is back while the slow one has not answered
        until_delivered(house, 1)
        tells()
        until_delivered(house, 2, meanwhile=notifier.sweep)
        assert slow.most_at_once == 1
        gate.set()
        assert notifier.wait(30)
    house.sweeps()
    assert set(house.states()) == {"delivered"}


def test_two_processes_do_not_tell_one_endpoint_at_once(house, tells):
    house.adds()
    house.receiver.delay_s = 0.01
    tells(30)
    notifiers = [house.notifier(), house.notifier()]
    taken = [notifier.sweep() for notifier in notifiers]
    assert all(notifier.wait(30) for notifier in notifiers)
    assert sum(taken) == 1
    assert len(house.receiver.ids) == len(set(house.receiver.ids)) == 30


@pytest.mark.parametrize(("holder", "ahead_s", "taken"), [("1@0.00", 60, 1), ("", 60, 0), ("", -1, 1), ("", 4_000, 1)])
def test_a_lease_ends_with_its_holder_with_its_time_and_with_a_clock_that_was_set_back(
    house, tells, holder, ahead_s, taken
):
    """The holder is a dead process of this boot, or one of another machine."""
    house.adds()
    tells()
    with house.database.write() as conn:
        (found,) = endpoints.claim_due(conn, Holder(name=holder or "1@2", boot=boot_id() if holder else "elsewhere"))
        until = WebhookEndpoint.__table__.c.lease_until
        at = conn.execute(sa.select(until)).scalar_one() - endpoints.LEASE
        conn.execute(sa.update(WebhookEndpoint).values(lease_until=at + timedelta(seconds=ahead_s)))
    assert found[1] == 1
    assert house.sweeps() == taken


def test_a_holder_that_comes_too_late_changes_nothing(house, tells):
    endpoint, _ = house.adds()
    tells()
    with house.database.write() as conn:
        ((number, fence),) = endpoints.claim_due(conn, Holder(name="1@0.00", boot=boot_id()))
    house.sweeps()
    with house.database.write() as conn:
        assert endpoints.renew(conn, number, fence) is None
        endpoints.release(conn, number, fence)
    assert number == endpoint.id
    assert house.states() == ["delivered"]


def test_a_process_that_ends_finishes_what_is_on_the_wire_and_begins_nothing_new(house, tells):
    house.adds()
    tells(100, apart=True)
    house.receiver.delay_s = 0.05
    notifier = house.notifier()
    notifier.sweep()
    while not house.receiver.posts:
        time.sleep(0.005)
    notifier.close()
    states = house.states()
    assert states.count("delivered") == len(house.receiver.posts) <= 32
    assert states.count("pending") == 100 - len(house.receiver.posts)
    assert notifier.sweep() == 0
    assert house.sweeps() == 1  # it has given the endpoint back
    assert set(house.states()) == {"delivered"}


def test_an_endpoint_that_moves_while_it_is_told_is_told_at_public_addresses_only_from_then_on(house, tells):
    """Its messages are more than one round: what began on our own network must not go on there under another name."""
    endpoint, _ = house.adds()
    tells(40)

    def moves(_receiver):
        run_endpoints.change(house.database, endpoint.id, url="https://localhost:1/elsewhere", actor=ACTOR)
        return 204

    house.receiver.answers = [moves]
    house.sweeps()
    assert "pending" in house.states()
    assert "not on the public internet" in house.endpoint().last_error


def test_an_endpoint_is_sent_anew_while_it_is_told_and_nobody_waits_in_a_circle(house, tells):
    endpoint, _ = house.adds()
    tells(3)
    with ThreadPoolExecutor(1) as pool:
        with house.database.write() as conn:
            due = endpoints.due(conn, endpoint.id, limit=3)
            tries = [
                Told(message=one, state=MessageState.PENDING, next_attempt_at=now(conn), code=500, error="no")
                for one in due
            ]
            endpoints.record(conn, tries)
            retried = pool.submit(run_endpoints.try_again, house.database, endpoint.id, actor=ACTOR)
            until_somebody_waits(house)
            endpoints.change(conn, endpoint.id, failing_since=now(conn))
        assert retried.result(30) == 3
    assert [row.attempts for row in house.messages()] == [0, 0, 0]
    assert house.endpoint().failing_since is None


@pytest.mark.parametrize("act", [run_endpoints.remove, run_endpoints.switch_off])
def test_an_endpoint_that_goes_this_very_moment_is_nobodys_failure(house, readers, monkeypatch, act):
    """A reader's farewell is kept, though the endpoint that would be told of it is being taken away."""
    endpoint, _ = house.adds()
    readers.joins("jo@example.org", "oman")
    about = outbox._about
    with ThreadPoolExecutor(1) as pool:
        going = []

        def goes(conn, subscriber_id, at):
            going.append(pool.submit(act, house.database, endpoint.id, actor=ACTOR))
            until_somebody_waits(house, unless=going[0].done)
            return about(conn, subscriber_id, at)

        monkeypatch.setattr(outbox, "_about", goes)
        unsubscribe(house.database, readers.reader("jo@example.org").id)
        going[0].result(30)
    assert readers.status("jo@example.org") == "left"


def until_somebody_waits(house, unless=lambda: False):
    """Wait until a transaction waits for another one's rows; SQLite has one writer at a time anyway."""
    if house.database.is_sqlite:
        return
    give_up_s = time.monotonic() + 30
    with house.database.read() as conn:
        while not unless() and not conn.exec_driver_sql("SELECT count(*) FROM pg_locks WHERE NOT granted").scalar():
            assert time.monotonic() < give_up_s
            time.sleep(0.01)


# Upkeep ---------------------------------------------------------------------------------------------------------------


def test_what_was_told_long_ago_is_let_go_and_what_waits_is_not(house, tells):
    endpoint, _ = house.adds()
    tells(2)
    house.sweeps()
    house.receiver.otherwise = 500
    tells()
    assert house.notifier().let_go() == 0
    house.passes(seconds=KEPT.total_seconds() + 60)
    assert house.notifier().let_go() == 2
    assert house.states() == ["pending"]
    run_endpoints.switch_off(house.database, endpoint.id, actor=ACTOR)
    assert house.notifier().let_go() == 1


def test_all_of_what_was_told_long_ago_is_let_go_at_once_however_much_it_is(house, tells, monkeypatch):
    monkeypatch.setattr(run, "_LET_GO", 2)
    house.adds()
    tells(5)
    house.sweeps()
    house.passes(seconds=KEPT.total_seconds() + 60)
    assert house.notifier().let_go() == 5
    assert house.messages() == []


def test_an_endpoint_that_is_removed_is_forgotten_with_its_outbox(house, tells):
    endpoint, _ = house.adds()
    tells(2)
    run_endpoints.remove(house.database, endpoint.id, actor=ACTOR)
    with house.database.read() as conn:
        assert conn.execute(sa.select(sa.func.count(WebhookMessage.id))).scalar() == 0
        assert endpoints.all_of_them(conn) == []
    assert house.sweeps() == 0


def test_no_more_endpoints_than_a_house_can_tell(house):
    from worker.errors import InputError

    for _ in range(16):
        house.adds()
    with pytest.raises(InputError, match="there are 16 endpoints already"):
        house.adds()
