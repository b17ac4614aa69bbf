"""Changing, pausing, leaving: by whoever holds a link from the reader's mail."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from worker.errors import InputError
from worker.model import Cadence, SubscriberId, SubscriberStatus
from worker.signup.consent import Evidence
from worker.signup.run import come_back
from worker.signup.run_preferences import change_preferences, ending_with, unsubscribe
from worker.signup.wishes import Change, Follow, Preferences, Rhythm
from worker.store import people
from worker.store.database import now

from .conftest import check_query, hash_address

S = SubscriberStatus
JO = "jo@example.org"


def change(readers, reader, **wanted):
    preferences = Preferences.model_validate({"timezone": "Asia/Seoul", **wanted})
    return change_preferences(readers.database, reader, preferences, check_query=check_query)


def test_a_new_rhythm_is_reckoned_in_the_readers_zone(readers):
    reader = readers.joins(JO, "oman", timezone="Asia/Seoul")
    one = readers.follows(JO)["oman"]
    change(readers, reader, changes=(Change(subscription_id=one.id, rhythm=Rhythm(times=("18:30",))),))
    assert readers.follows(JO)["oman"].next_due_at.astimezone(UTC).strftime("%H:%M") == "09:30"


def test_moving_house_moves_every_subscription(readers):
    reader = readers.joins(JO, "oman", "russia", timezone="Asia/Seoul")
    change(readers, reader, timezone="Europe/London", locale="ko")
    assert readers.reader(JO).locale == "ko"
    assert {one.next_due_at.strftime("%H:%M") for one in readers.follows(JO).values()} <= {"06:00", "07:00"}


def test_saving_without_a_change_does_not_lose_a_run_that_is_due_this_minute(readers):
    reader = readers.joins(JO, "oman", timezone="Asia/Seoul")
    readers.passes(days=1, minutes=1)
    before = readers.follows(JO)
    with readers.database.read() as conn:
        assert before["oman"].next_due_at < now(conn)
    change(readers, reader, changes=(Change(subscription_id=before["oman"].id, rhythm=Rhythm()),))
    assert readers.follows(JO) == before


def test_topics_and_queries_are_added(readers):
    reader = readers.joins(JO, "oman")
    more = (Follow(topic="russia", rhythm=Rhythm(cadence=Cadence.IMMEDIATE)), Follow(query="Quake  Akita"))
    change(readers, reader, follows=more)
    assert set(readers.follows(JO)) == {"oman", "russia", "Quake  Akita"}


def test_a_pause_ends_by_itself_at_the_readers_midnight(readers):
    reader = readers.joins(JO, "oman", timezone="Asia/Seoul")
    day = (datetime.now(UTC) + timedelta(days=7)).date()
    change(readers, reader, paused_until=day)
    assert readers.status(JO) is S.PAUSED
    assert readers.reader(JO).paused_until == datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=9)
    readers.passes(days=8)
    assert readers.status(JO) is S.ACTIVE


def test_a_pause_can_be_ended_early(readers):
    reader = readers.joins(JO, "oman")
    change(readers, reader, paused_until=(datetime.now(UTC) + timedelta(days=7)).date())
    change(readers, reader)
    assert readers.status(JO) is S.ACTIVE


def test_a_pause_into_the_past_is_refused_and_changes_nothing(readers):
    reader = readers.joins(JO, "oman")
    before = readers.reader(JO)
    with pytest.raises(InputError, match="has begun already") as refused:
        change(readers, reader, paused_until=date(2020, 1, 1), locale="ko")
    assert refused.value.where == "paused_until"
    assert readers.reader(JO) == before


def test_nobody_changes_what_somebody_else_follows(readers):
    mallory = readers.joins("mallory@example.org", "russia")
    readers.joins(JO, "oman")
    theirs = readers.follows(JO)["oman"]
    change(readers, mallory, changes=(Change(subscription_id=theirs.id, end=True),))
    assert readers.follows(JO) == {"oman": theirs}


def test_who_ends_the_last_subscription_has_left(readers):
    reader = readers.joins(JO, "oman", "russia")
    follows = readers.follows(JO)
    assert not change(readers, reader, changes=(Change(subscription_id=follows["oman"].id, end=True),)).has_left
    assert change(readers, reader, changes=(Change(subscription_id=follows["russia"].id, end=True),)).has_left
    assert readers.status(JO) is S.LEFT
    assert readers.reader(JO).left_at is not None


def test_who_swaps_the_last_subscription_for_another_has_not_left(readers):
    reader = readers.joins(JO, "oman")
    ending = Change(subscription_id=readers.follows(JO)["oman"].id, end=True)
    assert not change(readers, reader, changes=(ending,), follows=(Follow(topic="russia"),)).has_left
    assert readers.status(JO) is S.ACTIVE


@pytest.mark.parametrize("joined", [True, False])
def test_who_is_not_subscribed_has_nothing_to_change(readers, joined):
    if joined:
        unsubscribe(readers.database, readers.joins(JO, "oman"))
    else:
        readers.signs_up(JO, "oman")
    with pytest.raises(InputError, match="not subscribed"):
        change(readers, readers.reader(JO).id)


def test_one_click_ends_what_that_mail_serves_and_nothing_else(readers):
    reader = readers.joins(JO, "oman", "russia")
    mail = readers.gets_mail(JO, readers.follows(JO)["oman"].id)
    with readers.database.read() as conn:
        assert [one.slug for one in ending_with(conn, reader, mail)] == ["oman"]
    assert not unsubscribe(readers.database, reader, delivery_id=mail).has_left
    assert set(readers.follows(JO)) == {"russia"}
    assert readers.status(JO) is S.ACTIVE


def test_one_click_again_changes_nothing_more(readers):
    reader = readers.joins(JO, "oman", "russia")
    mail = readers.gets_mail(JO, readers.follows(JO)["oman"].id)
    unsubscribe(readers.database, reader, delivery_id=mail)
    assert unsubscribe(readers.database, reader, delivery_id=mail).ended == ()
    assert set(readers.follows(JO)) == {"russia"}


def test_one_click_on_the_last_subscription_is_a_farewell(readers):
    reader = readers.joins(JO, "oman")
    mail = readers.gets_mail(JO, readers.follows(JO)["oman"].id)
    assert unsubscribe(readers.database, reader, delivery_id=mail).has_left
    assert readers.status(JO) is S.LEFT


def test_one_click_on_a_mail_that_serves_no_subscription_ends_everything(readers):
    reader = readers.joins(JO, "oman", "russia")
    assert unsubscribe(readers.database, reader, delivery_id=readers.gets_mail(JO)).has_left
    assert readers.follows(JO) == {}


def test_a_pending_reader_who_says_no_is_asked_no_more(readers):
    readers.signs_up(JO, "oman")
    unsubscribe(readers.database, readers.reader(JO).id)
    assert readers.status(JO) is S.LEFT
    assert readers.reader(JO).confirmation_due_at is None


def test_leaving_ends_a_pause_so_that_coming_back_is_heard(readers):
    reader = readers.joins(JO, "oman")
    change(readers, reader, paused_until=(datetime.now(UTC) + timedelta(days=7)).date())
    unsubscribe(readers.database, reader)
    assert readers.reader(JO).paused_until is None


def test_what_one_mails_link_ended_the_same_link_restarts(readers):
    reader = readers.joins(JO, "oman", "russia", rhythm={"times": ("18:30",)})
    mail = readers.gets_mail(JO, readers.follows(JO)["oman"].id)
    unsubscribe(readers.database, reader, delivery_id=mail)
    come_back(
        readers.database, reader, delivery_id=mail, evidence=Evidence(how="unsubscribe page"), hash_address=hash_address
    )
    follows = readers.follows(JO)
    assert set(follows) == {"oman", "russia"}
    assert follows["oman"].times == ("18:30",)
    assert follows["oman"].next_due_at is not None


def test_leaving_a_forgotten_reader_is_no_error(readers):
    reader = readers.joins(JO, "oman")
    with readers.database.write() as conn:
        people.change_reader(conn, reader, status=S.ERASED, email=None, address_hash=None)
    assert unsubscribe(readers.database, reader).ended == ()
    assert unsubscribe(readers.database, SubscriberId(4711)).ended == ()
