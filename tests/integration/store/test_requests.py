"""A request that is sent twice is answered once: on both databases, at the same moment, and after a crash."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import sqlalchemy as sa

from tests import builders
from worker.planning.run_letting_go import let_go
from worker.store import requests
from worker.store.schema import Request


def begin(database, who, *, fingerprint="f", key="k"):
    with database.write() as conn:
        return requests.begin(conn, key, fingerprint=fingerprint, claim=who)


def answer(database, who, body="{}"):
    with database.write() as conn:
        requests.answer(conn, "k", claim=who, status=201, headers={"etag": '"1"'}, body=body)


def test_the_first_may_answer_and_the_next_are_told_so(database):
    assert begin(database, "a") is None
    told = begin(database, "b", fingerprint="other")
    assert told
    assert (told.fingerprint, told.status) == ("f", None)
    answer(database, "a", body='{"id":1}')
    told = begin(database, "b")
    assert told
    assert (told.status, told.headers, told.body) == (201, {"etag": '"1"'}, '{"id":1}')


def test_of_many_at_once_exactly_one_may_answer(database):
    with ThreadPoolExecutor(6) as pool:
        told = list(pool.map(lambda who: begin(database, str(who)), range(12)))
    assert told.count(None) == 1


def test_what_came_to_nothing_may_be_sent_again(database):
    begin(database, "a")
    with database.write() as conn:
        requests.let_go(conn, "k", claim="somebody else")
    assert begin(database, "b") is not None
    with database.write() as conn:
        requests.let_go(conn, "k", claim="a")
    assert begin(database, "b", fingerprint="mended") is None


def test_whoever_died_over_it_is_replaced_and_has_no_say_any_more(database):
    begin(database, "a")
    builders.set_clock(database, ahead=requests.CLAIM_LASTS + timedelta(seconds=1))
    assert begin(database, "b") is None
    answer(database, "a", body="late")
    told = begin(database, "c")
    assert told
    assert told.status is None


def test_an_answer_is_kept_for_a_day_and_then_let_go_of(database):
    begin(database, "a")
    answer(database, "a")
    builders.set_clock(database, ahead=requests.ANSWERS_KEPT - timedelta(minutes=1))
    let_go(database)
    assert begin(database, "b") is not None
    builders.set_clock(database, ahead=requests.ANSWERS_KEPT + timedelta(minutes=1))
    let_go(database)
    with database.read() as conn:
        assert conn.execute(sa.select(sa.func.count(Request.id))).scalar() == 0
    assert begin(database, "b") is None
