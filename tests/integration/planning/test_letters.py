"""Letters about a reader's own business: one mail each, to where it is meant for, and only while its link is good."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.builders import HOLDER, address_hash, all_editions, deliveries_of, ids_of, reader, set_clock, states_of
from tests.databases import opened
from worker.content import LetterContent, thaw
from worker.lifecycle import State
from worker.model import EditionKind, EditionStatus, Lane, LetterKind, SubscriberStatus
from worker.planning.run import plan
from worker.signup import run_erasure
from worker.store import editions, last_check, leases, own_letters, people
from worker.store.schema import EditionContent, Suppression

NEW = "new@elsewhere.example"
ELSEWHERE: dict[str, Any] = {"recipient": NEW, "recipient_hash": "hash of new"}


def test_a_letter_is_written_once_in_the_reader_s_language_and_names_nobody(database, planned):
    with database.write() as conn:
        ada = reader(conn, "ada", locale="ko")
        letter = own_letters.put(conn, ada, LetterKind.DATA)
    assert planned().deliveries == 1
    assert planned().deliveries == 0
    with database.read() as conn:
        (row,) = all_editions(conn)
        (delivery,) = deliveries_of(conn)
        assert (row.kind, row.lane, row.status, row.locale) == (
            EditionKind.SYSTEM,
            Lane.ALERTS,
            EditionStatus.PLANNED,
            "ko",
        )
        assert row.expires_at - row.due_at == timedelta(hours=1)
        assert (delivery.subscriber_id, delivery.recipient) == (ada, "ada@readers.example")
        body = conn.execute(sa.select(EditionContent.body)).scalar_one()
        assert thaw(body) == LetterContent(locale="ko", about=LetterKind.DATA, letter=letter)
        assert "ada" not in body.lower()


def test_a_letter_to_another_address_goes_there_and_a_notice_lives_as_long_as_its_link(database, planned):
    with database.write() as conn:
        ada = reader(conn, "ada")
        own_letters.put(conn, ada, LetterKind.NEW_ADDRESS, **ELSEWHERE)
        own_letters.put(conn, ada, LetterKind.MOVED, recipient="old@readers.example", recipient_hash="hash of old")
    assert planned().deliveries == 2
    with database.read() as conn:
        assert {row.recipient for row in deliveries_of(conn)} == {NEW, "old@readers.example"}
        lives = {row.expires_at - row.due_at for row in all_editions(conn)}
        assert lives == {timedelta(hours=1), timedelta(days=7)}


def test_what_is_only_remembered_is_not_written_and_nobody_writes_to_the_forgotten(database, planned):
    with database.write() as conn:
        own_letters.put(conn, reader(conn), LetterKind.NEW_ADDRESS, recipient=NEW, recipient_hash="x", is_due=False)
        gone = reader(conn)
        own_letters.put(conn, gone, LetterKind.DATA)
        people.change_reader(conn, gone, email=None, address_hash=None, status=SubscriberStatus.ERASED)
    assert planned().deliveries == 0
    with database.read() as conn:
        assert own_letters.due_letters(conn, limit=9) == []


def test_planners_that_meet_write_each_letter_once(database_url, database, policy):
    with database.write() as conn:
        for _ in range(4):
            own_letters.put(conn, reader(conn), LetterKind.FORGET)
    start = threading.Barrier(3)

    def work(_: int) -> int:
        with opened(database_url) as own:
            start.wait()
            return plan(own, policy).deliveries

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(work, range(3))) == 4


def test_a_letter_under_a_planner_s_pen_goes_with_its_reader_who_is_forgotten_meanwhile(
    database_url, database, policy, monkeypatch
):
    with database.write() as conn:
        ada = reader(conn, "ada")
        own_letters.put(conn, ada, LetterKind.WELCOME)
    close, forgetting, over = editions.close_edition, [], threading.Event()

    def forget() -> None:
        with opened(database_url) as own:
            run_erasure.erase_reader(own, ada, actor="tests", suppress=False)
        over.set()

    def close_late(conn, edition_id):
        forgetting.append(pool.submit(forget))
        over.wait(0.5)  # it has to wait for us, whoever waits for whom
        return close(conn, edition_id)

    monkeypatch.setattr(editions, "close_edition", close_late)
    with ThreadPoolExecutor(1) as pool:
        assert plan(database, policy).deliveries == 1
        for one in forgetting:
            one.result(30)
    with database.read() as conn:
        (row,) = deliveries_of(conn)
        assert (row.recipient, row.state) == (None, State.SUPPRESSED)
        assert conn.execute(sa.select(EditionContent.body)).scalar_one() == ""


@pytest.fixture
def committed(database, planned):
    """Plan what is due and try to send it all; give the addresses that are written to."""

    def commit():
        planned()
        went = set()
        with database.write() as conn:
            for row in all_editions(conn):
                lease = leases.take(conn, row.id, 1, holder=HOLDER, lease_s=60)
                if lease is None:
                    continue
                ids = ids_of(conn, row.id)
                done = last_check.commit(conn, lease, ids)
                last_check.settle_held_back(conn, lease, set(ids) - done)
                leases.release(conn, lease)
                went |= {one.recipient for one in deliveries_of(conn) if one.id in done}
        return went

    return commit


@pytest.mark.parametrize("status", [status for status in SubscriberStatus if status is not SubscriberStatus.ERASED])
def test_a_letter_goes_to_whoever_is_remembered_whether_or_not_they_get_mail(database, committed, status):
    with database.write() as conn:
        ada = reader(conn, "ada", status=status)
        own_letters.put(conn, ada, LetterKind.DATA)
    assert committed() == {"ada@readers.example"}


def test_a_letter_to_another_address_goes_though_it_is_not_the_reader_s(database, committed):
    with database.write() as conn:
        own_letters.put(conn, reader(conn, "ada"), LetterKind.NEW_ADDRESS, **ELSEWHERE)
    assert committed() == {NEW}


@pytest.mark.parametrize("whose", ["hash of new", "the reader's"])
def test_only_the_suppression_of_the_address_that_it_goes_to_holds_a_letter_back(database, committed, whose):
    with database.write() as conn:
        ada = reader(conn, "ada")
        own_letters.put(conn, ada, LetterKind.NEW_ADDRESS, **ELSEWHERE)
        own_letters.put(conn, ada, LetterKind.DATA)
        own = address_hash("ada@readers.example")
        people.suppress(conn, own if whose == "the reader's" else whose, reason="bounced")
    assert committed() == ({NEW} if whose == "the reader's" else {"ada@readers.example"})
    with database.read() as conn:
        assert conn.execute(sa.select(sa.func.count()).select_from(Suppression)).scalar_one() == 1
        assert sorted(states_of(conn)) == [State.COMMITTING, State.SUPPRESSED]


def test_a_letter_that_was_overtaken_does_not_go(database, planned, committed):
    with database.write() as conn:
        ada = reader(conn, "ada")
        own_letters.put(conn, ada, LetterKind.NEW_ADDRESS, **ELSEWHERE)
        own_letters.put(conn, ada, LetterKind.DATA)
    assert planned().deliveries == 2
    with database.write() as conn:
        own_letters.overtake(conn, ada, list(LetterKind))
    assert committed() == set()
    with database.read() as conn:
        assert {(row.state, row.reason) for row in deliveries_of(conn)} == {
            (State.SUPPRESSED, "the letter was overtaken by another")
        }


def test_a_letter_whose_link_has_run_out_expires(database, planned, committed):
    with database.write() as conn:
        own_letters.put(conn, reader(conn, "ada"), LetterKind.FORGET)
    assert planned().deliveries == 1
    set_clock(database, ahead=timedelta(minutes=61))
    assert committed() == set()
    with database.read() as conn:
        assert states_of(conn) == [State.EXPIRED]


def test_a_letter_that_gets_the_number_of_one_that_is_forgotten_is_written_too(database, planned):
    """SQLite gives the number of a deleted row to the next one."""
    for name in ("ada", "ben"):
        with database.write() as conn:
            who = reader(conn, name)
            own_letters.put(conn, who, LetterKind.DATA)
        assert planned().deliveries == 1
        with database.write() as conn:
            own_letters.forget(conn, who, address_hash(f"{name}@readers.example"))
