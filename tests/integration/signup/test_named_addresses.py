"""Addresses that are not a reader's, or not any more: nobody learns of them, floods them, or is left with them."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.builders import deliveries_of
from worker.hearsay import EventKind, FeedbackEvent
from worker.lifecycle import State
from worker.model import LetterKind
from worker.planning.run import plan
from worker.signup import run_erasure
from worker.signup.address import normalise
from worker.signup.decide_moving import Move
from worker.signup.run_own_letters import forget_letters, tell_all
from worker.store import events, people
from worker.store.database import now
from worker.store.schema import Delivery, Event

from .conftest import hash_address
from .posting import ADA, BEN, NEW, POLICY, Post, everything, heard, statements


@pytest.fixture
def post(database, readers):
    return Post(database, readers)


@pytest.fixture
def ada(readers):
    return readers.joins(ADA, "oman")


@pytest.fixture
def database_url(make_url):
    """SQLite is enough: none of it rests on locks."""
    return make_url("sqlite")


def erased(database, written):
    address = normalise(written)
    return run_erasure.erase(database, address, hash_address(address.key), actor="operator", suppress=False)


def told_to(database, post, reader):
    """Return what a reader reads of their mails and of what mail systems said."""
    assert post.asks(reader, LetterKind.DATA).is_due
    told = tell_all(database, reader, post.last(LetterKind.DATA, reader))
    assert told is not None
    return [mail["recipient"] for mail in told["deliveries"]], [event["kind"] for event in told["events"]]


@pytest.mark.parametrize("later", [timedelta(minutes=11), timedelta(days=9)])
@pytest.mark.parametrize("address", [NEW, BEN])
def test_own_data_do_not_tell_whether_an_address_that_was_named_is_a_reader_s(database, post, ada, address, later):
    post.readers.joins(BEN, "oman")
    letter = post.begins(ada)
    assert post.names(ada, letter, address) in {Move.ASK, Move.WARN}
    plan(database, POLICY)
    heard(database, address, EventKind.DELIVERED)
    post.readers.passes(seconds=later.total_seconds())
    forget_letters(database)
    assert told_to(database, post, ada) == ([ADA], [])


def test_what_was_said_of_mail_to_their_own_addresses_is_told(database, post, readers, ada):
    mail = readers.gets_mail(ADA)
    heard(database, ADA, EventKind.DELIVERED)
    post.moves(ada, NEW)
    plan(database, POLICY)
    heard(database, NEW, EventKind.DELIVERED)
    readers.passes(minutes=11)
    recipients, kinds = told_to(database, post, ada)
    assert (set(recipients), kinds) == ({ADA, NEW}, ["delivered", "delivered"])
    with database.read() as conn:
        assert mail in {row.id for row in deliveries_of(conn)}


def named_by(post, readers, victim, number):
    """Let a stranger with a subscription of their own name spellings of somebody's mailbox; return what was done."""
    stranger = readers.joins(f"stranger{number}@evil.example", "oman")
    letter = post.begins(stranger)
    return stranger, [post.names(stranger, letter, f"{victim}+{number}.{turn}@readers.example") for turn in range(4)]


@pytest.mark.parametrize("act", ["agree", "confirm", "erase"])
def test_nothing_that_strangers_do_gives_a_mailbox_they_named_its_budget_back(database, post, readers, act):
    asked = []
    for number in range(3):
        stranger, done = named_by(post, readers, "victim", number)
        asked += done
        if act == "agree":
            assert post.names(stranger, post.last(LetterKind.MOVE, stranger), f"own{number}@evil.example") is Move.ASK
            assert post.agrees(stranger) is Move.CHANGE
        elif act == "confirm":
            readers.joins(f"stranger{number}@evil.example", "russia")
        else:
            erased(database, f"stranger{number}@evil.example")
    assert asked.count(Move.ASK) == 5
    assert not readers.signs_up("victim@readers.example", "oman").asked


def test_whoever_moved_long_ago_is_forgotten_with_the_address_of_then(database, post, readers, ada):
    readers.gets_mail(ADA)
    post.moves(ada, NEW)
    readers.passes(days=40)
    forget_letters(database)
    with database.write() as conn:
        stray = FeedbackEvent(provider="returned mail", event_id="1", kind=EventKind.UNKNOWN, occurred_at=now(conn))
        told = FeedbackEvent(provider="mailgun", event_id="2", kind=EventKind.COMPLAINED, occurred_at=now(conn))
        numbers = events.put(conn, [(stray, f"from {ADA}"), (told, json.dumps({"to": ADA}))], received_at=now(conn))
        ours = sa.update(Event).where(Event.id == numbers[1])
        conn.execute(ours.values(address_hash=hash_address(ADA), settled_at=now(conn)))
    assert erased(database, NEW).spellings >= {ADA, NEW}
    left = everything(database)
    assert ADA not in left
    assert hash_address(ADA) not in left


def test_an_address_that_was_a_reader_s_once_can_be_forgotten_by_itself(database, post, readers, ada):
    mail = readers.gets_mail(ADA)
    with database.write() as conn:
        conn.execute(sa.update(Delivery).where(Delivery.id == mail).values(state=State.ACCEPTED))
    post.moves(ada, NEW)
    assert not erased(database, ADA).was_known
    assert ADA not in everything(database)
    assert post.address(ada) == NEW
    assert set(readers.follows(NEW)) == {"oman"}


def test_what_a_mail_system_said_of_a_wrong_address_goes_with_it(database, post, readers, ada):
    letter = post.begins(ada)
    assert post.names(ada, letter, "wrong@elsewhere.example") is Move.ASK
    plan(database, POLICY)
    heard(database, "wrong@elsewhere.example", EventKind.DELIVERED)
    readers.passes(days=9)
    forget_letters(database)
    assert "wrong@" not in everything(database)


def test_a_reader_is_forgotten_by_number_too(database, post, ada):
    post.moves(ada, NEW)
    done = run_erasure.erase_reader(database, ada, actor="a program", suppress=True)
    assert (done.was_known, done.spellings >= {ADA, NEW}) == (True, True)
    assert "ada@" not in everything(database)
    with database.read() as conn:
        assert people.is_suppressed(conn, hash_address(NEW)) is not None
    assert not run_erasure.erase_reader(database, ada, actor="a program", suppress=True).was_known


def test_naming_an_address_costs_the_same_work_whosever_it_is(database, post, readers, ada):
    readers.joins(BEN, "oman")
    readers.signs_up("unproven@readers.example", "oman")
    with database.write() as conn:
        people.suppress(conn, hash_address("gone@readers.example"), reason="bounced")
    said = {}
    for name in ("free", "unproven", "gone", "ben"):
        letter = post.begins(ada)
        with statements(database) as told:
            post.names(ada, letter, f"{name}@readers.example")
        said[name] = told
    assert len(said["free"]) > 9
    assert said == dict.fromkeys(said, said["free"])
