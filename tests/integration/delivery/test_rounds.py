"""A courier's round over many batches and providers: it goes on, gives way to breaking news, and burns no tries."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders import all_editions, attempts_of, deliveries_of, edition, reader, states_of
from tests.integration.delivery.conftest import PATIENCE, Post, write
from tests.integration.delivery.stand_in import StandIn
from worker.circuits import Way
from worker.delivery import dispatch as dispatch_module
from worker.delivery import run
from worker.delivery.dispatch import Dispatch
from worker.delivery.run_doubts import Doubts
from worker.errors import OutcomeUnknown, SendError
from worker.lifecycle import Happening, State
from worker.model import EditionId, EditionKind, Lane, OutgoingMessage, Receipt, Severity
from worker.ports import Errand, Request
from worker.store import breakers, canaries, leases
from worker.store.database import Database
from worker.store.schema import Delivery, DeliveryBatch

UNREACHABLE = SendError("nobody answers", permanent=False)


def planned(database: Database, readers: int, **options: Any) -> EditionId:
    with database.write() as conn:
        return edition(conn, [reader(conn) for _ in range(readers)], **options)


def states(database: Database, edition_id: EditionId | None = None) -> list[State]:
    with database.read() as conn:
        return states_of(conn, edition_id) if edition_id else states_of(conn)


def deliveries_of_edition(database: Database, edition_id: EditionId) -> list[sa.Row[Any]]:
    with database.read() as conn:
        return deliveries_of(conn, edition_id)


def hold(database: Database, *edition_ids: EditionId) -> None:
    """Keep editions from being taken before their time."""
    with database.write() as conn:
        held = sa.update(DeliveryBatch).where(DeliveryBatch.edition_id.in_(edition_ids))
        conn.execute(held.values(held=True, next_attempt_at=None))


def let_go(database: Database, edition_id: EditionId) -> None:
    with database.write() as conn:
        canaries.release(conn, edition_id)


def test_one_bell_is_enough_for_all_that_is_due(database, post):
    first = planned(database, 9)
    planned(database, 6)
    assert post.deliver(first) == 15
    assert set(states(database)) == {State.ACCEPTED}
    with database.read() as conn:
        assert conn.execute(sa.select(DeliveryBatch.lease_holder)).scalars().all() == ["", ""]


def test_a_small_batch_opens_no_more_connections_than_it_has_rows(database, post):
    post.transport.connections = 10
    assert post.deliver(planned(database, 2)) == 2
    assert post.transport.workers == 2


def test_bulk_mail_gives_way_to_a_breaking_alert_and_goes_on_after_it(database, post):
    digest = planned(database, 12)
    post.transport.connections = 1
    alert: list[EditionId] = []

    async def break_news(_: OutgoingMessage) -> None:
        if not alert:
            alert.append(planned(database, 3, kind=EditionKind.ALERT, severity=Severity.BREAKING))

    post.transport.during = break_news
    assert post.deliver(digest) == 1  # what was on the wire; nothing more was begun
    assert states(database, digest).count(State.PLANNED) == 11
    assert post.deliver(digest) == 0
    assert post.deliver(alert[0]) == 3
    assert post.deliver(digest) == 11


def test_a_breaking_alert_that_waits_for_a_retry_holds_nobody_up(database, post):
    digest = planned(database, 2)
    alert = planned(database, 1, kind=EditionKind.ALERT, severity=Severity.BREAKING)
    with database.write() as conn:
        assert leases.must_yield(conn, Lane.BULK)
        assert not leases.must_yield(conn, Lane.ALERTS)
    (row,) = [row for row in rows(database) if row.edition_id == alert]
    post.transport.answers[row.recipient] = [SendError("4.3.2 busy", permanent=False, code=451)]
    assert post.deliver(alert) == 1
    assert post.deliver(digest) == 2


def rows(database: Database) -> list[sa.Row[Any]]:
    with database.read() as conn:
        return deliveries_of(conn)


class Unreachable(StandIn):
    """Nobody can be reached, or not after the first message."""

    def __init__(self, *, after: int = 0) -> None:
        super().__init__(connections=2)
        self.after = after

    async def work(self, errand: Errand) -> None:
        if len(self.sent) >= self.after:
            raise UNREACHABLE
        request = await errand.next(2)
        for message in request.messages[:1]:
            errand.settle(message, await self._answer(message))
        errand.give_back(request.messages[1:])
        raise UNREACHABLE


def test_a_relay_that_cannot_be_reached_costs_no_row_a_try(database):
    post = Post(database, Unreachable())
    assert post.deliver(planned(database, 5)) == 0
    assert states(database) == [State.PLANNED] * 5
    for row in rows(database):
        assert (row.attempts, row.reason) == (0, "nobody answers")
    with database.read() as conn:
        assert leases.due_batches(conn, Lane.BULK, limit=1) == []  # not at once


def test_what_was_prepared_for_a_relay_that_went_away_is_due_again_and_was_no_try(database):
    post = Post(database, Unreachable(after=2))
    assert post.deliver(planned(database, 4)) == 2
    back = [row for row in rows(database) if row.state is not State.ACCEPTED]
    assert [(row.state, row.attempts) for row in back] == [(State.DEFERRED, 0)] * 2
    with database.read() as conn:
        assert len(leases.due_batches(conn, Lane.BULK, limit=1)) == 1
        assert attempts_of(conn, back[0].id) == []
    post.transport = StandIn()  # the relay is back
    assert post.deliver(back[0].edition_id) == 2


# Requests that may be repeated ----------------------------------------------------------------------------------------


def in_doubt(post: Post, readers: int) -> list[sa.Row[Any]]:
    """Have the reply to each message of an edition lost by a transport that honours keys, and return the rows."""
    post.transport.keys_honoured_s = 3600.0
    batch = planned(post.database, readers)
    for row in rows(post.database):
        post.transport.answers[row.recipient] = [OutcomeUnknown("reset")]
    assert post.deliver(batch) == readers
    return rows(post.database)


def test_a_request_in_doubt_is_repeated_whole_under_its_own_key(database, post):
    unclear = in_doubt(post, 3)
    post.transport.repeats = {
        unclear[0].id: Receipt(provider="stand-in", code=200, provider_message_id="a"),
        unclear[1].id: SendError("no such user", permanent=True, code=422),
    }
    assert post.find_out() == 2
    assert [request.key for request in post.transport.repeated] == [row.request_key for row in unclear]
    assert states(database) == [State.ACCEPTED, State.DEFERRED, State.UNKNOWN]
    with database.read() as conn:
        said = [attempt.outcome for attempt in attempts_of(conn, unclear[0].id)]
        assert said == [Happening.REPLY_LOST, Happening.ACCEPTED]


def test_the_messages_of_one_request_are_asked_about_together_and_in_their_order(database, post):
    unclear = in_doubt(post, 4)
    with database.write() as conn:
        conn.execute(sa.update(Delivery).values(request_key="together"))
    post.transport.repeats = {row.id: Receipt(provider="stand-in", code=200) for row in unclear}
    assert post.find_out() == 4
    (request,) = post.transport.repeated
    assert (request.key, [message.delivery_id for message in request.messages]) == (
        "together",
        [row.id for row in unclear],
    )


@pytest.mark.parametrize("hindrance", ["too old", "a reader was erased", "no keys"])
def test_a_request_that_would_not_be_the_same_or_not_be_known_is_left_alone(database, post, hindrance):
    unclear = in_doubt(post, 2)
    with database.write() as conn:
        conn.execute(sa.update(Delivery).values(request_key="together"))
        if hindrance == "a reader was erased":
            conn.execute(sa.update(Delivery).where(Delivery.id == unclear[0].id).values(recipient=None))
    post.transport.keys_honoured_s = {"too old": 0.0001, "no keys": 0.0}.get(hindrance, 3600.0)
    assert post.find_out() == 0
    assert post.transport.repeated == []
    assert states(database) == [State.UNKNOWN] * 2


def test_a_provider_that_is_configured_no_more_is_not_asked(database, post):
    in_doubt(post, 1)
    doubts = Doubts(database=database, transports={}, patience=PATIENCE, write=write)
    assert asyncio.run(doubts.find_out()) == 0
    with database.read() as conn:
        assert [row.status for row in all_editions(conn)] == ["sending"]
        assert isinstance(post.transport.repeated, list)


def test_a_key_fits_every_provider(database, post):
    seen: list[Request] = []
    work = post.transport.work

    async def look(errand: Errand) -> None:
        request = await errand.next(10)
        seen.append(request)
        for message in request.messages:
            errand.settle(message, Receipt(provider="stand-in", code=250))
        await work(errand)

    post.transport.work = look
    post.deliver(planned(database, 3))
    for request in seen:
        assert request.key == "" or (len(request.key) <= 64 and request.key.replace("-", "").isalnum())


def test_a_round_with_no_way_out_puts_one_batch_back_and_not_every_batch_that_is_due(database, post):
    """A night outside bulk hours, a provider that is down: to rewrite a million rows each minute helps nobody."""
    editions = [planned(database, 2) for _ in range(4)]
    with database.write() as conn:
        breakers.pause(conn, Way("stand-in"), actor="ann", reason="moving house")
    assert asyncio.run(post.courier().deliver(Lane.BULK, editions[0], 1)) == 0
    with database.read() as conn:
        put_back = conn.execute(sa.select(DeliveryBatch.edition_id).where(DeliveryBatch.fence > 0)).scalars().all()
        assert put_back == editions[:1]
        assert {row.reason for row in deliveries_of(conn, editions[0])} == {"stand-in: paused: moving house"}


def until(true: Callable[[], bool]) -> Callable[[object], Awaitable[None]]:
    """Make what waits for something that only a later round can bring about; it gives up after half a minute."""

    async def wait(_: object) -> None:
        async with asyncio.timeout(30):
            while not true():  # noqa: ASYNC110  what it waits for happens in other threads too
                await asyncio.sleep(0.02)

    return wait


def test_a_reply_that_does_not_come_keeps_nobody_else_waiting(database, post, monkeypatch):
    monkeypatch.setattr(run, "LAST_REPLIES_S", 0.0)
    first = planned(database, 1, kind=EditionKind.ALERT)
    later = [planned(database, 2, kind=EditionKind.ALERT) for _ in range(2)]
    due = {
        edition_id: {row.id for row in deliveries_of_edition(database, edition_id)} for edition_id in (first, *later)
    }
    all_others_sent = until(lambda: len(post.transport.sent) == 5)

    async def stall(message: OutgoingMessage) -> None:
        if message.delivery_id in due[first]:
            await all_others_sent(message)

    post.transport.during = stall
    hold(database, *later)
    dispatch = Dispatch(post.courier(), post.doubts())
    try:
        assert dispatch.deliver(Lane.ALERTS, first, 1) == 0
        for edition_id in later:
            let_go(database, edition_id)
            assert dispatch.deliver(Lane.ALERTS, edition_id, 1) == 2
    finally:
        dispatch.close()  # waits for the last reply
    assert set(states(database)) == {State.ACCEPTED}


def test_when_every_connection_waits_for_a_reply_new_mail_waits_and_says_why(database, post, monkeypatch):
    monkeypatch.setattr(run, "LAST_REPLIES_S", 0.0)
    post.transport.connections = 1
    first, second = (planned(database, 1) for _ in range(2))
    is_over = threading.Event()
    post.transport.during = until(is_over.is_set)
    hold(database, second)
    dispatch = Dispatch(post.courier(), post.doubts())
    try:
        dispatch.deliver(Lane.BULK, first, 1)
        let_go(database, second)
        assert dispatch.deliver(Lane.BULK, second, 1) == 0
        (waits,) = deliveries_of_edition(database, second)
        assert (waits.state, waits.attempts) == (State.PLANNED, 0)
        assert waits.reason == "all connections to stand-in wait for replies"
        is_over.set()
    finally:
        dispatch.close()
    assert states(database, first) == [State.ACCEPTED]


def test_a_provider_that_does_not_say_what_became_of_a_request_keeps_no_alert_waiting(database, post, monkeypatch):
    monkeypatch.setattr(dispatch_module, "ASKS_FOR_S", 0.0)
    post.transport.keys_honoured_s = 3600.0
    doubtful = planned(database, 1)
    (row,) = deliveries_of_edition(database, doubtful)
    post.transport.answers[row.recipient] = [OutcomeUnknown("no answer")]
    post.deliver(doubtful)
    alert = planned(database, 2, kind=EditionKind.ALERT)
    alert_sent, repeat = until(lambda: len(post.transport.sent) == 3), post.transport.repeat

    async def stall(request: Request) -> Any:
        await alert_sent(request)
        return await repeat(request)

    post.transport.repeat = stall
    post.transport.repeats = {row.id: Receipt(provider="stand-in", code=200)}
    dispatch = Dispatch(post.courier(), post.doubts())
    try:
        assert dispatch.find_out() == 0
        assert dispatch.deliver(Lane.ALERTS, alert, 1) == 2
        monkeypatch.setattr(dispatch_module, "ASKS_FOR_S", 30.0)
        assert dispatch.find_out() == 1  # the same asking, which has gone on meanwhile
    finally:
        dispatch.close()
    assert set(states(database)) == {State.ACCEPTED}
