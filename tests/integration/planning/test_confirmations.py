"""The question whether a sign-up was meant: one mail a question, however often and by however many it is planned."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from tests.builders import all_editions, deliveries_of, edition, reader, set_clock, states_of, topic
from tests.databases import opened
from worker.content import ConfirmationContent, thaw
from worker.lifecycle import State
from worker.model import EditionKind, EditionStatus, Lane, SubscriberId, SubscriberStatus
from worker.planning.run import plan
from worker.signup.consent import Consent, Evidence, Question
from worker.signup.wishes import Follow, Wish
from worker.store import confirming, people
from worker.store.database import now
from worker.store.schema import EditionContent


def asks(conn: Connection, *topics: str, due_at: datetime | None = None, locale: str = "en") -> SubscriberId:
    """Store a reader as signup leaves one who waits for the question."""
    wish = Wish(follows=tuple(Follow(topic=slug) for slug in topics))
    question = Question(number=1, wish=wish, asked=Evidence(how="sign-up page"))
    consent = Consent().asking(question, now(conn)).stored()
    subscriber = reader(conn, status=SubscriberStatus.PENDING, consent=consent, locale=locale)
    people.change_reader(conn, subscriber, confirmations=1, confirmation_due_at=due_at or now(conn))
    return subscriber


def test_a_question_is_asked_once_in_the_readers_language_about_what_they_chose(database, planned):
    with database.write() as conn:
        topic(conn, "russia", en="Russia", ko="러시아")
        topic(conn, "norway", en="Norway")
        ada = asks(conn, "norway", "russia", locale="ko")
    made = planned()
    assert (len(made.editions), made.deliveries) == (1, 1)
    assert planned().deliveries == 0
    with database.read() as conn:
        (row,) = all_editions(conn)
        (delivery,) = deliveries_of(conn)
        assert (row.kind, row.lane, row.status, row.audience, row.locale) == (
            EditionKind.CONFIRMATION,
            Lane.ALERTS,
            EditionStatus.PLANNED,
            1,
            "ko",
        )
        assert row.expires_at - row.due_at == timedelta(days=1)
        assert delivery.subscriber_id == ada
        content = thaw(conn.execute(sa.select(EditionContent.body)).scalar_one())
        assert content == ConfirmationContent(locale="ko", topics=("Norway", "러시아"))
        assert confirming.due_confirmations(conn, limit=9) == []


def test_a_question_that_is_made_due_again_is_not_asked_twice_but_the_next_one_is(database, planned):
    with database.write() as conn:
        ada = asks(conn)
    assert planned().deliveries == 1
    with database.write() as conn:
        people.change_reader(conn, ada, confirmation_due_at=now(conn))
    assert planned().deliveries == 0
    with database.write() as conn:
        people.change_reader(conn, ada, confirmations=2, confirmation_due_at=now(conn))
    assert planned().deliveries == 1


def test_a_question_is_asked_when_it_is_due(database, planned):
    with database.write() as conn:
        asks(conn, due_at=now(conn) + timedelta(minutes=10))
    assert planned().deliveries == 0
    set_clock(database, ahead=timedelta(minutes=11))
    assert planned().deliveries == 1


def test_somebody_erased_meanwhile_is_not_asked(database, planned):
    with database.write() as conn:
        ada = asks(conn)
        people.change_reader(conn, ada, email=None, address_hash=None, status=SubscriberStatus.ERASED)
        edition(conn, [reader(conn)])
    assert planned().deliveries == 0
    with database.read() as conn:
        assert states_of(conn) == [State.PLANNED]


def test_planners_that_meet_ask_once(database_url, database, policy):
    with database.write() as conn:
        for _ in range(4):
            asks(conn)
    start = threading.Barrier(3)

    def work(_: int) -> int:
        with opened(database_url) as own:
            start.wait()
            return plan(own, policy).deliveries

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(work, range(3))) == 4
    with database.read() as conn:
        assert len(all_editions(conn)) == len(deliveries_of(conn)) == 4
