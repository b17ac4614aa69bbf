"""Letters that go unasked: a welcome, what was changed, a farewell. Each once, to whom it is for, while it is true."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from tests.builders import HOLDER, all_editions, deliveries_of, ids_of
from tests.databases import opened
from worker.content import ChangedContent, GoodbyeContent, WelcomeContent, thaw
from worker.hearsay import EventKind
from worker.lifecycle import State
from worker.model import Cadence, EditionKind, Lane, LetterKind, SubscriberStatus
from worker.planning.run import plan
from worker.signup import courtesies, run_erasure
from worker.signup.address import normalise
from worker.signup.consent import Evidence
from worker.signup.courtesies import MOST_CHANGED_A_DAY, Courtesies
from worker.signup.run import Answer, confirm
from worker.signup.run_narrowing import narrow
from worker.signup.run_preferences import change_preferences, unsubscribe
from worker.signup.run_subscribers import Changes, vouch
from worker.signup.run_subscribers import change as change_by_program
from worker.signup.wishes import Change, Follow, Preferences, Rhythm, Wish
from worker.store import last_check, leases, people
from worker.store.choices import choices_of
from worker.store.schema import EditionContent, OwnLetter

from .conftest import EVIDENCE, check_query, hash_address
from .posting import ADA, NEW, POLICY, Post, everything, heard

ALL = Courtesies()


@pytest.fixture
def post(database, readers):
    return Post(database, readers)


@pytest.fixture
def ada(readers):
    """A reader of two topics, who has had their welcome, or whose newspaper writes none."""
    return readers.joins(ADA, "oman", "russia", timezone="Asia/Seoul")


def yes(readers, *, after=ALL):
    reader = readers.reader(ADA)
    evidence = Evidence(how="confirm page")
    return confirm(readers.database, reader.id, question=reader.confirmations, evidence=evidence, courtesies=after)


def save(readers, reader, *, after=ALL, **wanted):
    preferences = Preferences.model_validate({"timezone": "Asia/Seoul", **wanted})
    return change_preferences(readers.database, reader, preferences, check_query=check_query, courtesies=after)


def rhythm(readers, slug, **values):
    one = readers.follows(ADA)[slug]
    return (Change(subscription_id=one.id, rhythm=Rhythm.model_validate(values)),)


def wishes_of(database, reader):
    with database.read() as conn:
        choices = choices_of(conn, reader)
    assert choices is not None
    return choices.wishes()


def planned(readers):
    return plan(readers.database, POLICY).deliveries


def written(readers):
    """Plan what is due, and return the contents of all unasked letters, oldest first."""
    planned(readers)
    with readers.database.read() as conn:
        bodies = conn.execute(sa.select(EditionContent.body).order_by(EditionContent.id)).scalars()
        contents = [thaw(body) for body in bodies if body]
    return [one for one in contents if isinstance(one, WelcomeContent | ChangedContent | GoodbyeContent)]


def committed(readers):
    """Try to send all that is planned; give the addresses that are written to, and why others are not."""
    with readers.database.write() as conn:
        for row in all_editions(conn):
            lease = leases.take(conn, row.id, 1, holder=HOLDER, lease_s=60)
            if lease is not None:
                ids = ids_of(conn, row.id)
                done = last_check.commit(conn, lease, ids)
                last_check.settle_held_back(conn, lease, set(ids) - done)
        rows = deliveries_of(conn)
    return [row.recipient for row in rows if row.state is State.COMMITTING], [row.reason for row in rows if row.reason]


# A welcome -----------------------------------------------------------------------------------------------------------


def test_a_yes_is_answered_by_one_welcome_in_the_reader_s_language(database, readers):
    readers.signs_up(ADA, "oman", "russia", locale="ko", timezone="Asia/Seoul")
    assert yes(readers) is Answer.CONFIRMED
    assert yes(readers) is Answer.ALREADY
    (letter,) = written(readers)[-1:]
    assert isinstance(letter, WelcomeContent)
    assert (letter.locale, letter.personal_to) == ("ko", readers.reader(ADA).id)
    assert [(one.name["ko"], one.cadence) for one in letter.choices.follows] == [
        ("오만", Cadence.DAILY),
        ("러시아", Cadence.DAILY),
    ]
    due = readers.follows(ADA)["oman"].next_due_at
    assert letter.choices.follows[0].next_at == due
    with database.read() as conn:
        row = all_editions(conn)[-1]
    assert (row.kind, row.lane, row.expires_at - row.due_at) == (EditionKind.SYSTEM, Lane.ALERTS, timedelta(days=1))
    assert planned(readers) == 0


def test_who_is_a_reader_already_is_not_welcomed_again(readers, ada):
    readers.passes(minutes=11)
    readers.signs_up(ADA, "north-korea")
    assert yes(readers) is Answer.ADDED
    assert written(readers) == []
    assert ada == readers.reader(ADA).id


def test_consent_that_a_program_brings_is_not_answered_by_mail(readers):
    wish = Wish(follows=(Follow(topic="oman"),))
    vouch(
        readers.database,
        address=normalise(ADA),
        wish=wish,
        evidence=EVIDENCE,
        hash_address=hash_address,
        check_query=check_query,
    )
    assert readers.status(ADA) is SubscriberStatus.ACTIVE
    assert written(readers) == []


def test_a_house_writes_only_the_letters_that_it_wants_to(readers):
    readers.signs_up(ADA, "oman")
    yes(readers, after=Courtesies(kinds=frozenset({LetterKind.GOODBYE})))
    reader = readers.reader(ADA).id
    save(readers, reader, after=Courtesies(kinds=frozenset()), locale="ko")
    unsubscribe(readers.database, reader, courtesies=Courtesies(kinds=frozenset()))
    readers.passes(hours=1)
    assert written(readers) == []


def test_a_welcome_that_is_a_day_late_is_not_sent(readers):
    readers.signs_up(ADA, "oman")
    yes(readers)
    planned(readers)
    readers.passes(hours=24, minutes=1)
    sent, _ = committed(readers)
    with readers.database.read() as conn:
        states = {row.state for row in deliveries_of(conn)}
    assert (sent, states) == ([], {State.EXPIRED})


# What was changed ----------------------------------------------------------------------------------------------------


def test_several_saves_are_told_in_one_letter_against_what_was_before_the_first(readers, ada):
    save(readers, ada, changes=rhythm(readers, "oman", times=("08:00",)))
    readers.passes(minutes=4)
    save(readers, ada, follows=(Follow(topic="north-korea"),))
    save(readers, ada, changes=rhythm(readers, "oman", cadence="weekly", weekday=5))
    assert written(readers) == []
    readers.passes(minutes=6)
    (letter,) = written(readers)
    assert isinstance(letter, ChangedContent)
    assert letter.personal_to == ada
    before, now = ({one.name["en"]: one for one in state.follows} for state in (letter.before, letter.now))
    assert set(now) - set(before) == {"North-Korea"}
    assert (before["Oman"].times, now["Oman"].times) == (("07:00",), ("07:00",))
    assert (before["Oman"].cadence, now["Oman"].cadence) == (Cadence.DAILY, Cadence.WEEKLY)
    readers.passes(hours=1)
    assert written(readers) == [letter]


def test_what_was_changed_back_is_not_told(database, readers, ada):
    for cadence in ("hourly", "daily"):
        save(readers, ada, changes=rhythm(readers, "oman", cadence=cadence))
    readers.passes(minutes=10)
    assert written(readers) == []
    with database.read() as conn:
        (row,) = conn.execute(sa.select(OwnLetter.__table__))
    assert (row.due_at, row.edition_id, row.before) == (None, None, None)


@pytest.mark.parametrize("wanted", [{}, {"locale": "en"}, {"changes": ()}])
def test_a_save_that_changes_nothing_is_not_told(database, readers, ada, wanted):
    save(readers, ada, **wanted)
    with database.read() as conn:
        assert conn.execute(sa.select(OwnLetter.id)).all() == []


def test_somebody_who_changes_it_all_day_long_makes_a_few_letters_and_hides_nothing(readers, ada):
    for number in range(100):
        save(readers, ada, changes=rhythm(readers, "oman", times=(f"{number % 24:02}:30",)))
        readers.passes(minutes=12)
        planned(readers)
    letters = [one for one in written(readers) if isinstance(one, ChangedContent)]
    assert len(letters) == MOST_CHANGED_A_DAY  # in twenty hours
    readers.passes(hours=5)
    *_, before_last, last = written(readers)
    assert last.before.wishes() == before_last.now.wishes()
    assert last.now.follows[0].times == ("03:30",)


def test_a_stranger_s_language_does_not_keep_the_letter_from_its_reader(readers, ada):
    save(readers, ada, locale="ko")
    readers.passes(minutes=10)
    (letter,) = written(readers)
    assert (letter.locale, letter.now.locale) == ("en", "ko")
    with readers.database.read() as conn:
        assert all_editions(conn)[-1].locale == "en"


def test_what_a_program_changes_is_told_by_whoever_runs_it(readers, ada):
    changes = Changes(locale="ko", values={"digest_floor": 3})
    change_by_program(
        readers.database, ada, changes, actor="api", expects=lambda _conn, _known: None, check_query=check_query
    )
    readers.passes(minutes=10)
    assert written(readers) == []


def test_a_narrower_search_is_told(readers):
    ada = readers.joins(ADA, query="oman or yemen")
    (one,) = readers.follows(ADA).values()
    narrow(
        readers.database,
        ada,
        one.id,
        query="oman not film",
        check_query=check_query,
        meet=lambda *_: [],
        courtesies=ALL,
    )
    readers.passes(minutes=10)
    (letter,) = written(readers)
    assert [one.name for one in letter.before.follows] == [{"en": "oman or yemen"}]
    assert [(one.name, one.is_own) for one in letter.now.follows] == [({"en": "oman not film"}, True)]


def test_what_a_button_in_one_mail_ends_is_told_and_a_mail_program_s_click_is_not(readers, ada):
    oman, russia = (readers.follows(ADA)[slug].id for slug in ("oman", "russia"))
    unsubscribe(readers.database, ada, delivery_id=readers.gets_mail(ADA, oman))
    readers.passes(minutes=10)
    assert written(readers) == []
    save(readers, ada, follows=(Follow(topic="oman"),))
    unsubscribe(readers.database, ada, delivery_id=readers.gets_mail(ADA, russia), courtesies=ALL)
    readers.passes(minutes=10)
    (letter,) = written(readers)
    assert [one.name["en"] for one in letter.before.follows] == ["Russia"]
    assert [one.name["en"] for one in letter.now.follows] == ["Oman"]


def test_no_change_is_lost_between_a_save_and_a_planner_that_meet(database_url, database, readers, ada, monkeypatch):
    monkeypatch.setattr(courtesies, "MOST_CHANGED_A_DAY", 1_000)
    at_once, done = Courtesies(changed_after=timedelta(0)), threading.Event()
    at_first = wishes_of(database, ada)

    def keep_planning():
        with opened(database_url) as own:
            while not done.is_set():
                plan(own, POLICY)

    with ThreadPoolExecutor(1) as pool:
        planning = pool.submit(keep_planning)
        for number in range(15):
            save(readers, ada, after=at_once, changes=rhythm(readers, "oman", times=(f"{number:02}:15",)))
        done.set()
        planning.result()
    letters = written(readers)
    states = [state.wishes() for one in letters for state in (one.before, one.now)]
    assert states[0] == at_first
    assert states[-1] == wishes_of(database, ada)
    assert states[1:-1:2] == states[2:-1:2]  # each begins where the one before has ended


# A farewell ----------------------------------------------------------------------------------------------------------


def test_who_leaves_by_a_button_is_told_so_once_though_they_get_no_mail_any_more(readers, ada):
    for _ in range(2):
        assert unsubscribe(readers.database, ada, courtesies=ALL).has_left
    assert written(readers) == [GoodbyeContent(locale="en")]
    assert committed(readers) == ([ADA], [])
    assert planned(readers) == 0


def test_who_ends_the_last_thing_that_they_follow_is_told_so(readers, ada):
    ends = tuple(Change(subscription_id=one.id, end=True) for one in readers.follows(ADA).values())
    assert save(readers, ada, changes=ends, locale="ko").has_left
    readers.passes(minutes=10)
    assert [type(one) for one in written(readers)] == [GoodbyeContent]


@pytest.mark.parametrize("kind", [EventKind.COMPLAINED, EventKind.UNSUBSCRIBED])
def test_neither_a_click_nor_a_provider_s_word_nor_a_program_nor_an_erasure_is_answered_by_mail(
    database, readers, kind
):
    clicked, left, forgotten = (readers.joins(f"{name}@readers.example", "oman") for name in ("ben", "cem", "dot"))
    unsubscribe(database, clicked, delivery_id=None)
    change_by_program(
        database, left, Changes(leaves=True), actor="api", expects=lambda *_: None, check_query=check_query
    )
    run_erasure.erase_reader(database, forgotten, actor="api", suppress=False)
    ada = readers.joins(ADA, "oman")
    save(readers, ada, locale="ko")
    readers.passes(minutes=10)
    assert [type(one) for one in written(readers)] == [ChangedContent]
    heard(database, ADA, kind)
    assert (readers.status(ADA) is SubscriberStatus.LEFT) == (kind is EventKind.UNSUBSCRIBED)  # or is suppressed
    assert planned(readers) == 0


def test_who_has_never_said_yes_is_not_written_to_again(readers):
    readers.signs_up(ADA, "oman")
    unsubscribe(readers.database, readers.reader(ADA).id, courtesies=ALL)
    assert readers.status(ADA) is SubscriberStatus.LEFT
    assert written(readers) == []


def test_what_was_to_be_told_to_a_subscriber_does_not_go_to_who_has_left(readers):
    readers.signs_up(ADA, "oman")
    yes(readers)
    planned(readers)
    ada = readers.reader(ADA).id
    save(readers, ada, locale="ko")
    unsubscribe(readers.database, ada)
    assert committed(readers) == ([], ["the reader has left"])
    readers.passes(minutes=10)
    assert planned(readers) == 0


def test_a_farewell_is_not_sent_to_who_has_come_back_meanwhile(readers, ada):
    unsubscribe(readers.database, ada, courtesies=ALL)
    planned(readers)
    readers.passes(minutes=11)
    readers.signs_up(ADA, "oman")
    yes(readers)
    with readers.database.read() as conn:
        (row,) = deliveries_of(conn)
    assert (row.state, row.reason) == (State.SUPPRESSED, "the reader has come back")
    planned(readers)
    assert committed(readers)[0] == [ADA]  # the welcome


# Nobody else ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_suppressed_address_gets_none_of_them(database, readers, ada, when):
    def suppress():
        with database.write() as conn:
            people.suppress(conn, hash_address(ADA), reason="bounced")

    if when == "before":
        suppress()
    unsubscribe(database, ada, courtesies=ALL)
    assert planned(readers) == (when == "after")
    suppress()
    assert committed(readers)[0] == []


def test_nothing_is_left_of_them_after_an_erasure(database, readers):
    readers.signs_up(ADA, "oman", query="my very own search")
    yes(readers)
    planned(readers)
    ada = readers.reader(ADA).id
    save(readers, ada, follows=(Follow(query="another of my searches"),))
    assert "my very own search" in everything(database)
    run_erasure.erase_reader(database, ada, actor="cli", suppress=False)
    said = everything(database)
    assert "my very own search" not in said
    assert "another of my" not in said
    readers.passes(minutes=10)
    assert planned(readers) == 0
    assert committed(readers) == ([], ["the reader was erased"])


def test_a_change_is_told_where_mail_goes_by_then_and_never_to_the_address_before(database, readers, post, ada):
    save(readers, ada, changes=rhythm(readers, "oman", times=("08:00",)))
    post.moves(ada, NEW)
    readers.passes(minutes=10)
    planned(readers)
    with database.read() as conn:
        kinds = dict(conn.execute(sa.select(OwnLetter.edition_id, OwnLetter.kind)).all())
        told = {row.recipient for row in deliveries_of(conn) if kinds.get(row.edition_id) is LetterKind.CHANGED}
    assert told == {NEW}
