"""Letters about a reader's own business, and changes of address: who may what, and what becomes of their mail."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from tests.builders import deliveries_of
from worker.hearsay import EventKind
from worker.letter_links import good_for
from worker.lifecycle import State
from worker.model import LetterKind, SubscriberStatus
from worker.planning.run import plan
from worker.signup import run_erasure
from worker.signup.address import normalise
from worker.signup.decide_moving import Move, Paper
from worker.signup.run_own_letters import forget_by_letter, tell_all
from worker.signup.run_preferences import part
from worker.store import endpoints, own_letters, people
from worker.store.schema import Audit, Delivery, Suppression, WebhookMessage
from worker.tidings import Tiding

from .conftest import hash_address
from .posting import ADA, BEN, FLAGS, NEW, POLICY, Post, heard


@pytest.fixture
def post(database, readers):
    return Post(database, readers)


@pytest.fixture
def ada(readers):
    return readers.joins(ADA, "oman", "russia")


@pytest.fixture
def database_url(make_url):
    """SQLite is enough for most of it; `test_own_letters` has what differs."""
    return make_url("sqlite")


def test_who_has_left_may_see_their_data_and_be_forgotten_but_has_no_mail_to_move(database, post, readers, ada):
    with database.write() as conn:
        part(conn, ada, None)
    assert readers.status(ADA) is SubscriberStatus.LEFT
    assert not post.asks(ada, LetterKind.MOVE).is_due
    assert post.asks(ada, LetterKind.DATA).is_due
    readers.passes(minutes=10)
    assert post.asks(ada, LetterKind.FORGET).is_due


def test_nothing_is_mailed_to_a_suppressed_address(database, post, ada):
    with database.write() as conn:
        people.suppress(conn, hash_address(ADA), reason="bounced")
    assert not post.asks(ada, LetterKind.DATA).is_due
    assert post.letters() == []


def test_a_letter_opens_nothing_for_another_reader_or_purpose(database, post, readers, ada):
    ben = readers.joins(BEN, "oman")
    assert post.asks(ada, LetterKind.DATA).is_due
    letter = post.last(LetterKind.DATA, ada)
    assert post.paper(LetterKind.DATA, ada) is Paper.OPEN
    assert post.paper(LetterKind.FORGET, ada, letter) is Paper.GONE
    assert tell_all(database, ben, letter) is None
    assert forget_by_letter(database, ada, letter, suppress=False) is None
    assert post.names(ada, letter, NEW) is Move.NOTHING


def test_the_old_address_is_free_afterwards_and_not_suppressed(database, post, readers, ada):
    post.moves(ada, NEW)
    with database.read() as conn:
        assert conn.execute(sa.select(Suppression)).all() == []
    assert readers.joins(ADA, "oman") != ada


def test_agreeing_twice_changes_nothing_more(post, ada):
    post.moves(ada, NEW)
    before = post.letters()
    assert post.agrees(ada) is Move.NOTHING
    assert post.letters() == before


def test_the_last_address_named_is_the_one_that_counts(post, ada):
    letter = post.begins(ada)
    assert post.names(ada, letter, NEW) is Move.ASK
    first = post.last(LetterKind.NEW_ADDRESS, ada)
    assert post.names(ada, letter, "corrected@elsewhere.example") is Move.ASK
    assert post.agrees(ada, first) is Move.NOTHING
    assert post.agrees(ada) is Move.CHANGE
    assert post.address(ada) == "corrected@elsewhere.example"


def test_an_address_is_asked_once_in_ten_minutes_whoever_names_it_and_a_reader_names_five_a_day(post, readers, ada):
    ben = readers.joins(BEN, "oman")
    letters = {one: post.begins(one) for one in (ada, ben)}
    assert post.names(ada, letters[ada], NEW) is Move.ASK
    assert post.names(ben, letters[ben], NEW) is Move.NOTHING
    assert post.names(ada, letters[ada], NEW) is Move.NOTHING
    assert post.agrees(ada) is Move.CHANGE  # the question that was asked still stands
    named = [post.names(ben, letters[ben], f"number{n}@elsewhere.example") for n in range(6)]
    assert named == [Move.ASK] * 5 + [Move.NOTHING]


def test_another_reader_s_address_is_told_to_its_owner_only(database, post, readers, ada):
    """The one who named it gets the same rows as for any address, and so the same export."""
    ben = readers.joins(BEN, "oman")
    letter = post.begins(ada)
    assert post.names(ada, letter, "Ben@Readers.example") is Move.WARN
    assert post.agrees(ada) is Move.NOTHING
    assert post.address(ada) == ADA
    (told,) = post.letters(subscriber_id=ben)
    assert (told.kind, told.recipient) == (LetterKind.TAKEN, None)
    assert plan(database, POLICY).deliveries == 2  # Ada's first letter, and Ben's
    with database.read() as conn:
        assert {row.recipient for row in deliveries_of(conn)} == {ADA, BEN}
    for taken, free in zip(exported(database, ada), exported_after_naming_a_free_one(database, post, ada), strict=True):
        assert taken == free


def exported(database, reader):
    """Return what a reader's export tells of letters and mails, but for times and the address they named."""
    with database.read() as conn:
        found = people.by_id(conn, reader)
    assert found is not None
    told = run_erasure.export(database, normalise(found.email or ""), found.address_hash or "")
    letters = [(one["kind"], set(one) - {"voided_at"}) for one in told["letters"]][-1:]
    return letters, sorted({mail["recipient"] for mail in told["deliveries"]})


def exported_after_naming_a_free_one(database, post, reader):
    letter = post.begins(reader)
    assert post.names(reader, letter, "free@elsewhere.example") is Move.ASK
    plan(database, POLICY)
    return exported(database, reader)


def test_an_address_that_may_get_nothing_is_not_written_to(database, post, ada):
    with database.write() as conn:
        people.suppress(conn, hash_address(NEW), reason="bounced")
    letter = post.begins(ada)
    assert post.names(ada, letter, NEW) is Move.NOTHING
    assert [one.due_at for one in post.letters(kind="new_address")] == [None]
    assert post.agrees(ada) is Move.NOTHING
    assert post.address(ada) == ADA


def test_two_readers_may_not_swap_into_each_other(post, readers, ada):
    ben = readers.joins(BEN, "oman")
    for one, other in ((ada, BEN), (ben, ADA)):
        assert post.names(one, post.begins(one), other) is Move.WARN
        assert post.agrees(one) is Move.NOTHING
    assert (post.address(ada), post.address(ben)) == (ADA, BEN)


def test_what_comes_back_from_the_old_address_does_not_touch_the_new_one(database, post, readers, ada):
    mail = readers.gets_mail(ADA)
    with database.write() as conn:
        conn.execute(sa.update(Delivery).where(Delivery.id == mail).values(state=State.ACCEPTED))
    post.moves(ada, NEW)
    heard(database, ADA, EventKind.COMPLAINED)
    assert set(readers.follows(NEW)) == {"oman", "russia"}
    with database.read() as conn:
        assert people.is_suppressed(conn, hash_address(NEW)) is None


def test_the_newspaper_s_programs_hear_of_a_change_and_not_of_what_came_back_from_elsewhere(database, post, ada):
    with database.write() as conn:
        wanted = [Tiding.PREFERENCES_CHANGED, Tiding.BOUNCED, Tiding.COMPLAINED]
        endpoints.add(conn, url="https://crm.example/hook", types=wanted, secret="whsec_dGVzdA==", **FLAGS)
    letter = post.begins(ada)
    assert post.names(ada, letter, "wrong@elsewhere.example") is Move.ASK
    plan(database, POLICY)
    heard(database, "wrong@elsewhere.example", EventKind.COMPLAINED)
    assert post.names(ada, letter, NEW) is Move.ASK
    assert post.agrees(ada) is Move.CHANGE
    with database.read() as conn:
        (told,) = conn.execute(sa.select(WebhookMessage.type, WebhookMessage.data)).all()
    assert (told.type, told.data["changed"], told.data["email"]) == (Tiding.PREFERENCES_CHANGED, ["email"], NEW)


def test_the_old_mailbox_may_take_it_back_for_good(post, readers, ada):
    post.moves(ada, NEW)
    mail = readers.gets_mail(NEW)
    assert post.takes_back(ada) is Move.RESTORE
    assert post.address(ada) == ADA
    assert post.takes_back(ada) is Move.NOTHING
    with post.database.read() as conn:
        assert {row.id: row.recipient for row in deliveries_of(conn)}[mail] == ADA


def test_taking_the_last_change_back_leaves_the_earlier_one_to_be_taken_back(post, ada):
    post.moves(ada, NEW)
    first = post.last(LetterKind.MOVED, ada)
    post.moves(ada, "third@elsewhere.example")
    assert post.takes_back(ada) is Move.RESTORE
    assert post.address(ada) == NEW
    assert post.takes_back(ada, first) is Move.RESTORE
    assert post.address(ada) == ADA


def test_links_that_were_mailed_to_the_stranger_are_worth_nothing_any_more(database, post, readers, ada):
    post.moves(ada, NEW)
    readers.passes(minutes=11)
    assert post.asks(ada, LetterKind.FORGET).is_due
    letter = post.begins(ada)
    assert post.names(ada, letter, "third@elsewhere.example") is Move.ASK
    assert post.takes_back(ada) is Move.RESTORE
    assert post.agrees(ada) is Move.NOTHING
    assert post.names(ada, letter, "fourth@elsewhere.example") is Move.NOTHING
    assert forget_by_letter(database, ada, post.last(LetterKind.FORGET, ada), suppress=False) is None
    assert post.address(ada) == ADA


def test_a_stranger_cannot_bar_the_way_back_by_signing_the_old_address_up(post, readers, ada):
    post.moves(ada, NEW)
    readers.signs_up(ADA, "oman")
    assert post.takes_back(ada) is Move.RESTORE
    assert readers.reader(ADA).id == ada


def test_who_has_subscribed_anew_with_the_old_address_keeps_it(post, readers, ada):
    post.moves(ada, NEW)
    anew = readers.joins(ADA, "oman")
    assert post.takes_back(ada) is Move.NOTHING
    assert (readers.reader(ADA).id, post.address(ada)) == (anew, NEW)


def test_what_was_taken_is_taken_back_though_the_stranger_has_unsubscribed_it(database, post, ada):
    post.moves(ada, NEW)
    with database.write() as conn:
        part(conn, ada, None)
    assert post.takes_back(ada) is Move.RESTORE
    assert post.address(ada) == ADA


def test_changes_are_written_down_without_an_address(database, post, ada):
    post.moves(ada, NEW)
    post.takes_back(ada)
    with database.read() as conn:
        rows = conn.execute(sa.select(Audit.actor, Audit.action, Audit.subject, Audit.detail)).all()
    assert [(row.actor, row.action, row.detail["why"]) for row in rows] == [
        ("the reader", "change address", "new_address"),
        ("the reader", "change address", "moved"),
    ]
    assert "@" not in repr(rows)


def test_an_export_by_letter_tells_everything_that_the_operator_s_does(database, post, ada):
    assert post.asks(ada, LetterKind.DATA).is_due
    told = tell_all(database, ada, post.last(LetterKind.DATA, ada))
    address = normalise(ADA)
    assert told == run_erasure.export(database, address, hash_address(address.key))
    assert told is not None
    assert told["letters"]
    assert good_for(LetterKind.MOVED) < own_letters.KEPT_FOR
