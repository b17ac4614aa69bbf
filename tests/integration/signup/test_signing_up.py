"""Signing up, confirming, signing up again: nothing that a stranger types changes what anybody gets."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa

from worker.errors import InputError, QueryError
from worker.model import Cadence, SubscriberStatus
from worker.signup.consent import Consent, Evidence
from worker.signup.run import Answer, come_back, confirm
from worker.signup.run_preferences import unsubscribe
from worker.store import people
from worker.store.database import now
from worker.store.schema import Subscriber, Subscription, Topic

from .conftest import hash_address

S = SubscriberStatus


def count(readers, table):
    with readers.database.read() as conn:
        return conn.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def test_a_stranger_is_asked_and_follows_nothing_yet(readers):
    assert readers.signs_up("jo@example.org", "north-korea", locale="ko", timezone="Asia/Seoul", name="Jo").asked
    reader = readers.reader("JO@example.org")
    assert (reader.status, reader.email, reader.locale, reader.timezone) == (
        S.PENDING,
        "jo@example.org",
        "ko",
        "Asia/Seoul",
    )
    assert reader.confirmation_due_at is not None
    assert reader.confirmations == 1
    assert count(readers, Subscription) == 0


def test_the_question_tells_the_topics_by_name_and_in_order(readers):
    readers.signs_up("jo@example.org", "russia", "north-korea", query="oman -women")
    with readers.database.read() as conn:
        names = people.asked_for(conn, readers.reader("jo@example.org").id)
    assert [name["ko"] for name in names] == ["러시아", "북한"]


def test_a_yes_makes_subscriptions_that_begin_now(readers):
    readers.signs_up("jo@example.org", "north-korea", timezone="Asia/Seoul", rhythm={"times": ("07:00", "18:30")})
    readers.passes(hours=30)
    assert readers.confirms("jo@example.org") is Answer.CONFIRMED
    reader = readers.reader("jo@example.org")
    assert reader.status is S.ACTIVE
    assert reader.confirmation_due_at is None
    [one] = readers.follows("jo@example.org").values()
    with readers.database.read() as conn:
        at = now(conn)
    assert one.next_due_at is not None
    assert at < one.next_due_at
    assert (one.next_due_at - at).total_seconds() <= 12.5 * 3600


def test_an_immediate_subscription_waits_for_no_clock(readers):
    readers.joins("jo@example.org", "oman", rhythm={"cadence": "immediate"})
    assert readers.follows("jo@example.org")["oman"].next_due_at is None


def test_the_evidence_tells_when_where_and_with_which_words(readers):
    readers.joins("jo@example.org", "oman")
    asked, answered = Consent.read(readers.reader("jo@example.org").consent).given
    assert (asked.how, asked.page, asked.wording, asked.ip_prefix) == (
        "sign-up page",
        "/subscribe",
        "1",
        "203.0.113.0/24",
    )
    assert answered.how == "confirm page"
    assert asked.at is not None
    assert answered.at is not None
    assert asked.at <= answered.at


def test_confirming_twice_is_confirming_once(readers):
    readers.joins("jo@example.org", "oman")
    before = readers.reader("jo@example.org")
    assert readers.confirms("jo@example.org") is Answer.ALREADY
    assert readers.reader("jo@example.org") == before


def test_an_own_query_costs_the_engine_nothing_before_the_yes(readers):
    topics = count(readers, Topic)
    readers.signs_up("jo@example.org", query="Oman  -women")
    assert count(readers, Topic) == topics
    readers.confirms("jo@example.org")
    assert count(readers, Topic) == topics + 1
    one = readers.follows("jo@example.org")["Oman  -women"]
    assert one.canonical == "oman -women"


def test_readers_with_the_same_query_share_it(readers):
    readers.joins("jo@example.org", query="Oman -women")
    readers.joins("al@example.org", query="oman   -WOMEN")
    assert len({readers.follows(who).popitem()[1].topic_id for who in ("jo@example.org", "al@example.org")}) == 1


def test_a_second_sign_up_sends_no_second_question_at_once_but_its_wishes_count(readers):
    readers.signs_up("jo@example.org", "oman")
    assert not readers.signs_up("jo@example.org", "russia", locale="ko").asked
    assert readers.reader("jo@example.org").confirmations == 1
    readers.confirms("jo@example.org")
    assert set(readers.follows("jo@example.org")) == {"russia"}
    assert readers.reader("jo@example.org").locale == "ko"


def test_a_victim_gets_at_most_five_questions_a_day(readers):
    asked = 0
    for _ in range(150):
        asked += readers.signs_up("victim@example.org", "oman").asked
        readers.passes(minutes=10)
    assert asked == 10  # two days begun
    assert readers.reader("victim@example.org").confirmations == 10


def test_the_budget_holds_when_sign_ups_come_at_once(readers):
    asked = []
    go = threading.Barrier(8)

    def sign_up():
        go.wait()
        asked.append(readers.signs_up("victim@example.org", "oman").asked)

    threads = [threading.Thread(target=sign_up) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(asked) == [False] * 7 + [True]


def test_typing_an_active_readers_address_changes_nothing_for_them(readers):
    readers.joins("jo@example.org", "oman", name="Jo", timezone="Asia/Seoul")
    before, follows = readers.reader("jo@example.org"), readers.follows("jo@example.org")
    assert readers.signs_up("jo@example.org", "russia", locale="ko", timezone="UTC", name="Mallory").asked
    after = readers.reader("jo@example.org")
    assert (after.status, after.name, after.locale, after.timezone) == (S.ACTIVE, "Jo", before.locale, "Asia/Seoul")
    assert readers.follows("jo@example.org") == follows


def test_an_active_reader_who_says_yes_gets_what_was_asked_for(readers):
    readers.joins("jo@example.org", "oman")
    readers.signs_up("jo@example.org", "russia")
    assert readers.confirms("jo@example.org") is Answer.ADDED
    assert set(readers.follows("jo@example.org")) == {"oman", "russia"}


def test_an_old_confirmation_says_yes_to_no_newer_question(readers):
    readers.joins("jo@example.org", "oman")
    readers.signs_up("jo@example.org", "russia")
    assert readers.confirms("jo@example.org", question=1) is Answer.ALREADY
    assert set(readers.follows("jo@example.org")) == {"oman"}


def test_wishes_beyond_the_budget_do_not_slip_into_an_active_readers_question(readers):
    readers.joins("jo@example.org", "oman")
    readers.signs_up("jo@example.org", "russia")
    assert not readers.signs_up("jo@example.org", "north-korea").asked
    readers.confirms("jo@example.org")
    assert set(readers.follows("jo@example.org")) == {"oman", "russia"}


def test_who_has_left_may_come_back_by_the_same_door(readers):
    reader = readers.joins("jo@example.org", "oman")
    unsubscribe(readers.database, reader)
    assert readers.signs_up("jo@example.org", "russia").asked
    assert readers.status("jo@example.org") is S.PENDING
    assert readers.confirms("jo@example.org") is Answer.CONFIRMED
    assert set(readers.follows("jo@example.org")) == {"russia"}
    assert readers.reader("jo@example.org").left_at is None


def test_an_old_confirmation_does_not_undo_a_farewell(readers):
    reader = readers.joins("jo@example.org", "oman")
    unsubscribe(readers.database, reader)
    assert readers.confirms("jo@example.org") is Answer.LEFT
    assert readers.status("jo@example.org") is S.LEFT


def test_coming_back_from_an_old_mail_asks_first_and_brings_everything_back(readers):
    reader = readers.joins("jo@example.org", "oman", "russia", rhythm={"cadence": "weekly", "weekday": 5})
    unsubscribe(readers.database, reader)
    assert come_back(
        readers.database, reader, evidence=Evidence(how="unsubscribe page"), hash_address=hash_address
    ).asked
    assert readers.status("jo@example.org") is S.PENDING
    assert readers.follows("jo@example.org") == {}
    readers.confirms("jo@example.org")
    follows = readers.follows("jo@example.org")
    assert set(follows) == {"oman", "russia"}
    assert follows["oman"].cadence is Cadence.WEEKLY
    assert follows["oman"].weekday == 5


def test_a_suppressed_address_is_never_asked(readers):
    with readers.database.write() as conn:
        people.suppress(conn, hash_address("jo@example.org"), reason="bounced")
    assert not readers.signs_up("Jo@Example.org", "oman").asked
    assert count(readers, Subscriber) == 0


def test_an_unknown_topic_is_refused_before_anything_is_stored(readers):
    with pytest.raises(InputError, match="did you mean north-korea"):
        readers.signs_up("jo@example.org", "nort-korea")
    assert count(readers, Subscriber) == 0


def test_a_refused_query_is_refused_before_anything_is_stored(readers, monkeypatch):
    def refuse(query):
        raise QueryError("an open bracket", offset=query.index("("))

    monkeypatch.setattr("tests.integration.signup.conftest.check_query", refuse)
    with pytest.raises(QueryError):
        readers.signs_up("jo@example.org", query="(oman")
    assert count(readers, Subscriber) == 0


def test_nobody_confirms_for_a_reader_who_is_forgotten(readers):
    reader = readers.joins("jo@example.org", "oman")
    with readers.database.write() as conn:
        people.change_reader(conn, reader, status=S.ERASED, email=None, address_hash=None, consent={})
    assert confirm(readers.database, reader, question=1, evidence=Evidence(how="x")) is Answer.GONE
    assert not come_back(
        readers.database,
        reader,
        evidence=Evidence(how="x"),
        hash_address=hash_address,
    ).asked
    assert readers.signs_up("jo@example.org", "oman").asked
    assert readers.reader("jo@example.org").id != reader
