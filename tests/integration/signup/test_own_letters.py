"""Letters about a reader's own business, and changes of address, where it matters which database it is."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from tests.builders import HOLDER, deliveries_of
from tests.databases import opened
from worker.hearsay import EventKind
from worker.lifecycle import State
from worker.model import LetterKind, SubscriberStatus
from worker.planning.run import plan
from worker.signup import run_erasure
from worker.signup.address import normalise
from worker.signup.consent import Consent
from worker.signup.decide_moving import Move, Paper
from worker.signup.run_moving import agree
from worker.signup.run_own_letters import ask_letter, forget_by_letter, forget_letters
from worker.store import editions, last_check, leases, people
from worker.store.schema import Delivery

from .conftest import hash_address
from .posting import ADA, BEN, EVIDENCE, NEW, POLICY, Post, everything, heard


@pytest.fixture
def post(database, readers):
    return Post(database, readers)


@pytest.fixture
def ada(readers):
    return readers.joins(ADA, "oman", "russia")


def test_one_letter_in_ten_minutes_and_five_a_day(post, readers, ada):
    asked = []
    for _ in range(12):
        asked.append(post.asks(ada, LetterKind.DATA).is_due)
        readers.passes(minutes=5)
    assert asked == [True, False] * 5 + [False, False]
    readers.passes(hours=23, minutes=30)
    assert post.asks(ada, LetterKind.FORGET).is_due


def test_the_budget_is_exact_when_all_ask_at_once(database_url, post, ada):
    start = threading.Barrier(4)

    def work(kind):
        with opened(database_url) as own:
            start.wait()
            return ask_letter(own, ada, kind).is_due

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(work, [LetterKind.DATA, LetterKind.FORGET, LetterKind.MOVE, LetterKind.DATA])) == 1
    assert len(post.letters()) == 1


def test_mail_goes_to_the_new_address_once_both_mailboxes_have_agreed(post, readers, ada):
    letter = post.begins(ada)
    assert post.names(ada, letter, NEW) is Move.ASK
    assert post.address(ada) == ADA
    assert post.agrees(ada) is Move.CHANGE
    assert post.address(ada) == NEW
    reader = readers.reader(NEW)
    assert (reader.id, set(readers.follows(NEW))) == (ada, {"oman", "russia"})
    given = Consent.read(reader.consent).given
    assert [one.how for one in given] == ["sign-up page", "confirm page", "change of address"]
    assert given[-1].ip_prefix == "203.0.113.0/24"
    (notice,) = post.letters(kind="moved")
    assert (notice.recipient, notice.recipient_hash) == (ADA, hash_address(ADA))


def test_a_sign_up_that_nobody_confirmed_makes_way_for_the_owner_of_the_mailbox(database, post, readers, ada):
    readers.signs_up(NEW, "oman")
    stranger = readers.reader(NEW).id
    post.moves(ada, NEW)
    assert readers.reader(NEW).id == ada
    with database.read() as conn:
        gone = people.by_id(conn, stranger)
        assert gone is not None
        assert gone.status is SubscriberStatus.ERASED
    assert post.paper(LetterKind.NEW_ADDRESS, ada) is Paper.USED


def test_of_two_who_agree_to_one_address_at_once_one_gets_it(database_url, post, readers, ada):
    ben = readers.joins(BEN, "oman")
    for one in (ada, ben):
        assert post.names(one, post.begins(one), NEW) is Move.ASK
    start = threading.Barrier(2)

    def work(one):
        letter = post.last(LetterKind.NEW_ADDRESS, one)
        with opened(database_url) as own:
            start.wait()
            return agree(own, one, letter, evidence=EVIDENCE).does

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(work, (ada, ben))) == [Move.CHANGE, Move.NOTHING]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite has one writer at a time
def test_a_sign_up_of_the_address_at_the_same_moment_does_not_keep_its_owner_out(database_url, database, post, ada):
    letter = post.begins(ada)
    assert post.names(ada, letter, NEW) is Move.ASK
    answer = post.last(LetterKind.NEW_ADDRESS, ada)

    def work():
        with opened(database_url) as own:
            return agree(own, ada, answer, evidence=EVIDENCE).does

    with ThreadPoolExecutor(1) as pool:
        with database.write() as conn:
            values = {"address_hash": hash_address(NEW), "email": NEW, "status": SubscriberStatus.PENDING}
            people.add_reader(conn, **values, consent={})
            agreed = pool.submit(work)
            with pytest.raises(TimeoutError):
                agreed.result(timeout=2)
        assert agreed.result(timeout=30) is Move.CHANGE
    assert post.address(ada) == NEW


def test_unsent_mail_goes_to_the_new_address_and_sent_mail_stays_what_it_was(database, post, readers, ada):
    sent, unsent = readers.gets_mail(ADA), readers.gets_mail(ADA)
    with database.write() as conn:
        conn.execute(sa.update(Delivery).where(Delivery.id == sent).values(state=State.ACCEPTED))
    post.moves(ada, NEW)
    with database.read() as conn:
        rows = {row.id: row for row in deliveries_of(conn)}
        assert (rows[unsent].recipient, rows[unsent].domain) == (NEW, "elsewhere.example")
        assert rows[sent].recipient == ADA


def test_a_mail_in_a_worker_s_hands_is_taken_away_and_goes_to_the_new_address_later(database, post, readers, ada):
    """The worker has read the old address: what it would send must not be let through."""
    mail = readers.gets_mail(ADA)
    letter = post.begins(ada)
    assert post.names(ada, letter, NEW) is Move.ASK
    with database.write() as conn:
        edition_id = conn.execute(sa.select(Delivery.edition_id).where(Delivery.id == mail)).scalar_one()
        editions.close_edition(conn, edition_id)
        lease = leases.take(conn, edition_id, 1, holder=HOLDER, lease_s=600)
        assert lease is not None
    assert post.agrees(ada) is Move.CHANGE
    with database.write() as conn:
        assert last_check.commit(conn, lease, [mail]) == set()
        leases.release(conn, lease)
        again = leases.take(conn, edition_id, 1, holder=HOLDER, lease_s=600)
        assert again is not None
        assert last_check.commit(conn, again, [mail]) == {mail}
        assert [row.recipient for row in deliveries_of(conn)] == [NEW]


def test_a_stranger_who_reports_the_question_as_spam_ends_nothing_of_the_reader_s(database, post, readers, ada):
    letter = post.begins(ada)
    assert post.names(ada, letter, NEW) is Move.ASK
    plan(database, POLICY)
    heard(database, NEW, EventKind.COMPLAINED)
    assert set(readers.follows(ADA)) == {"oman", "russia"}
    with database.read() as conn:
        assert people.is_suppressed(conn, hash_address(ADA)) is None
        assert people.is_suppressed(conn, hash_address(NEW)) is not None
    assert post.agrees(ada) is Move.NOTHING


def test_taking_the_first_change_back_undoes_all_later_ones(post, ada):
    post.moves(ada, NEW)
    first = post.last(LetterKind.MOVED, ada)
    post.moves(ada, "third@elsewhere.example")
    later = post.last(LetterKind.MOVED, ada)
    assert post.takes_back(ada, first) is Move.RESTORE
    assert post.address(ada) == ADA
    assert post.paper(LetterKind.MOVED, ada, later) is Paper.VOID
    assert post.takes_back(ada, later) is Move.NOTHING
    assert post.address(ada) == ADA


def test_a_letter_s_link_forgets_its_reader_with_all_former_addresses(database, post, readers, ada):
    readers.gets_mail(ADA)
    post.moves(ada, NEW)
    plan(database, POLICY)
    readers.passes(minutes=11)
    assert post.asks(ada, LetterKind.FORGET).is_due
    plan(database, POLICY)
    done = forget_by_letter(database, ada, post.last(LetterKind.FORGET, ada), suppress=True)
    assert done is not None
    assert done.was_known
    assert {ADA, NEW} <= done.spellings
    told = everything(database)
    assert "elsewhere" not in told
    assert "ada@" not in told
    assert not readers.signs_up(NEW, "oman").asked


def test_an_address_that_somebody_named_is_forgotten_in_their_letters_too(database, post, ada):
    letter = post.begins(ada)
    assert post.names(ada, letter, NEW) is Move.ASK
    plan(database, POLICY)
    assert "elsewhere" in everything(database)
    address = normalise(NEW)
    told = run_erasure.export(database, address, hash_address(address.key))
    assert [one["kind"] for one in told["letters"]] == [LetterKind.NEW_ADDRESS]
    run_erasure.erase(database, address, hash_address(address.key), actor="operator", suppress=False)
    assert "elsewhere" not in everything(database)
    assert post.agrees(ada) is Move.NOTHING
    assert post.address(ada) == ADA


def test_letters_are_let_go_after_a_week_with_the_addresses_that_came_to_nothing(database, post, readers, ada):
    letter = post.begins(ada)
    assert post.names(ada, letter, "wrong@elsewhere.example") is Move.ASK
    plan(database, POLICY)
    readers.passes(hours=2)
    with database.write() as conn:
        conn.execute(sa.update(Delivery).values(state=State.ACCEPTED))
    post.moves(ada, NEW)
    readers.passes(days=7)
    assert forget_letters(database) == 0
    assert post.paper(LetterKind.MOVED, ada) is Paper.OPEN
    readers.passes(days=2)
    assert forget_letters(database) == 3
    assert [row.recipient for row in post.letters()] == [NEW, ADA]  # without them nobody could forget her wholly
    assert "wrong@" not in everything(database)
    assert post.address(ada) == NEW
