"""Subscriptions at hubs in the database, on SQLite and PostgreSQL: one live one a source, and one who asks."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests import builders
from worker.adapters.sources.hub_request import HubAnswer
from worker.hubs import HubState
from worker.intake.run_callbacks import Callbacks
from worker.intake.run_websub import HubSubscriber, HubTerms
from worker.intake.websub import Reply
from worker.model import SourceId
from worker.store import pushes, sources, websub
from worker.store.database import Database
from worker.store.schema import HubSubscription, Source
from worker.tokens import Tokens

HUB = {"hub": "https://hub.example/", "base_url": "https://news.example"}


@pytest.fixture
def tokens() -> Tokens:
    return Tokens(["a-key-that-signs-links-in-tests-only"])


@pytest.fixture
def source_id(database: Database) -> SourceId:
    with database.write() as conn:
        return sources.put(conn, kind="feed", name="courier", url="https://courier.example/feed")


def want(database: Database, source_id: SourceId, tokens: Tokens, topic: str = "t") -> int | None:
    with database.write() as conn:
        return websub.want(conn, source_id, topic=topic, signing_key=tokens.signing_key, **HUB)


def row_of(database: Database, number: int) -> sa.Row[tuple[object, ...]]:
    with database.read() as conn:
        row = websub.by_id(conn, number)
    assert row is not None
    return row


def test_a_source_has_one_live_subscription_and_as_many_that_have_ended_as_there_were(database, source_id, tokens):
    first = want(database, source_id, tokens)
    assert first is not None
    assert want(database, source_id, tokens, "other") is None
    with database.write() as conn:
        websub.leave(conn, first)
    second = want(database, source_id, tokens, "other")
    with database.read() as conn:
        assert [row.id for row in websub.of_source(conn, source_id)] == [second]
        assert websub.newest(conn)[source_id].topic == "other"
        assert websub.counts(conn) == {"wanted": 1, "ended": 1, "pushes": 0, "forged": 0, "misses": 0}


def test_of_many_sweeps_at_once_one_asks_a_hub(database, source_id, tokens):
    number = want(database, source_id, tokens)
    assert number is not None
    terms = HubTerms(base_url=HUB["base_url"], user_agent="t", allow_private=False)
    asked: list[int] = []

    def claim() -> None:
        asked.append(len(HubSubscriber(database, tokens, terms)._claim()))

    threads = [threading.Thread(target=claim) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(asked) == [0, 0, 0, 0, 1]
    assert (row_of(database, number).state, row_of(database, number).failures) == (HubState.ASKED, 1)


def test_an_answer_that_comes_after_the_hubs_question_changes_nothing(database, source_id, tokens):
    number = want(database, source_id, tokens)
    assert number is not None
    subscriber = HubSubscriber(
        database, tokens, HubTerms(base_url=HUB["base_url"], user_agent="t", allow_private=False)
    )
    [asked] = subscriber._claim()
    reply = Callbacks(database, tokens).answer(number, mode="subscribe", topic="t", lease="600", reason="")
    assert reply is Reply.CONFIRM
    subscriber._note(asked, HubAnswer(status=404, said="late"))
    row = row_of(database, number)
    assert (row.state, row.failures, row.last_error) == (HubState.ACTIVE, 0, "")
    builders.set_clock(database, ahead=timedelta(minutes=9))
    [again] = subscriber._claim()
    subscriber._note(asked, HubAnswer(status=404, said="of the request before"))
    assert row_of(database, number).state is HubState.ACTIVE
    subscriber._note(again, HubAnswer(status=404, said="no more"))
    assert row_of(database, number).state is HubState.REFUSED


def test_a_removed_source_and_a_lost_key_end_a_subscription(database, source_id, tokens):
    number = want(database, source_id, tokens)
    assert number is not None
    terms = HubTerms(base_url=HUB["base_url"], user_agent="t", allow_private=False)
    HubSubscriber(database, tokens, terms)._claim()
    with database.write() as conn:
        pushes.keep(conn, number, b"x", content_type="", most=8)
        conn.execute(sa.delete(Source))
        assert websub.leave_strays(conn, base_url=HUB["base_url"]) == 1
    row = row_of(database, number)
    assert (row.source_id, row.state) == (None, HubState.LEAVING)
    assert HubSubscriber(database, Tokens(["another key, 32 characters long ok"]), terms)._claim() == []
    assert row_of(database, number).state is HubState.ENDED
    assert Callbacks(database, tokens).awaited(number) is None
    builders.set_clock(database, ahead=2 * HubSubscriber.KEEPS)
    with database.write() as conn:
        websub.forget(conn, before=builders.time_of(database) - HubSubscriber.KEEPS)
        assert conn.execute(sa.select(sa.func.count()).select_from(HubSubscription)).scalar_one() == 0
        assert pushes.waiting(conn) == 0
