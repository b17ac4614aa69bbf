"""What the newspaper's own programs do to readers, on both databases: changes under lock, farewells, consent."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest

from worker.errors import InputError
from worker.model import Cadence, SubscriberId, SubscriberStatus
from worker.signup.address import normalise
from worker.signup.consent import Consent, Evidence
from worker.signup.run_subscribers import Changes, change, vouch
from worker.signup.wishes import Follow, Rhythm, Wish
from worker.store import people

from .conftest import check_query, hash_address

GIVEN = Evidence(how="checkout page", at=datetime(2026, 1, 5, 10, tzinfo=UTC))


def anything(*_seen):
    """Expect nothing of what was seen."""


def changes(readers, address, expects=anything, **wanted):
    return change(
        readers.database,
        readers.reader(address).id,
        Changes(**wanted),
        actor="a test",
        expects=expects,
        check_query=check_query,
    )


def vouches(readers, address, *topics, query=None):
    follows = [Follow(topic=topic) for topic in topics] + ([Follow(query=query)] if query else [])
    return vouch(
        readers.database,
        address=normalise(address),
        wish=Wish(follows=tuple(follows), timezone="Asia/Seoul"),
        evidence=GIVEN,
        hash_address=hash_address,
        check_query=check_query,
    )


def test_what_stays_keeps_its_row_and_its_run_and_the_rest_ends_or_begins(readers):
    readers.joins("jo@example.org", "oman", "russia", query="ferry")
    before = {one.slug or one.query: one for one in readers.follows("jo@example.org").values()}
    wanted = (
        Follow(topic="oman"),
        Follow(query="FERRY", rhythm=Rhythm(cadence=Cadence.WEEKLY)),
        Follow(topic="north-korea"),
    )
    changed = changes(readers, "jo@example.org", follows=wanted).known
    assert changed
    after = {one.slug or one.canonical: one for one in changed.followings}
    assert set(after) == {"oman", "ferry", "north-korea"}
    assert after["oman"] == before["oman"]
    assert (after["ferry"].id, after["ferry"].cadence) == (before["ferry"].id, "weekly")


def test_of_two_who_have_seen_the_same_reader_one_is_refused(readers):
    readers.joins("jo@example.org", "oman")
    seen = readers.reader("jo@example.org").name

    class StaleError(Exception):
        pass

    def expects(_conn, known):
        if known.reader.name != seen:
            raise StaleError

    def attempt(name):
        try:
            changes(readers, "jo@example.org", expects, name=name)
        except StaleError:
            return "stale"
        return name

    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(attempt, ("a", "b", "c", "d")))
    assert told.count("stale") == 3
    assert readers.reader("jo@example.org").name in told


def test_a_reader_who_gets_no_mail_has_nothing_to_change_but_may_leave(readers):
    readers.signs_up("jo@example.org", "oman")
    assert "pending" in changes(readers, "jo@example.org", name="Jo").refused
    left = changes(readers, "jo@example.org", leaves=True).known
    assert left
    assert left.standing is SubscriberStatus.LEFT
    assert "left" in changes(readers, "jo@example.org", pause=(None,)).refused


def test_a_pause_ends_on_the_morning_of_the_readers_own_day(readers):
    readers.joins("jo@example.org", "oman", timezone="Asia/Seoul")
    paused = changes(readers, "jo@example.org", pause=(date(2999, 1, 1),)).known
    assert paused
    assert paused.standing is SubscriberStatus.PAUSED
    assert paused.reader.paused_until == datetime(2998, 12, 31, 15, tzinfo=UTC)
    with pytest.raises(InputError, match="has begun already"):
        changes(readers, "jo@example.org", pause=(date(2020, 1, 1),))


def test_there_is_nobody_of_an_unknown_number(readers):
    unknown = SubscriberId(99)
    told = change(
        readers.database, unknown, Changes(name="x"), actor="a test", expects=anything, check_query=check_query
    )
    assert told.known is None


def test_consent_that_somebody_brings_makes_a_reader_and_keeps_when_it_was_given(readers):
    done = vouches(readers, "jo@example.org", "oman", query="ferry")
    assert (done.is_new, done.asked) == (True, False)
    reader = readers.reader("jo@example.org")
    assert (reader.id, reader.status) == (done.subscriber_id, SubscriberStatus.ACTIVE)
    assert Consent.read(reader.consent).given == (GIVEN,)
    again = vouches(readers, "jo@example.org", "russia")
    assert (again.subscriber_id, again.is_new) == (reader.id, False)
    assert len(Consent.read(readers.reader("jo@example.org").consent).given) == 2


def test_who_has_left_is_asked_whoever_vouches_for_them(readers):
    readers.joins("jo@example.org", "oman")
    changes(readers, "jo@example.org", leaves=True)
    done = vouches(readers, "jo@example.org", "oman")
    assert (done.subscriber_id, done.asked) == (None, True)
    assert readers.reader("jo@example.org").status is SubscriberStatus.PENDING
    assert vouches(readers, "jo@example.org", "oman").asked is False  # so soon after
    assert readers.reader("jo@example.org").status is SubscriberStatus.PENDING


def test_a_suppressed_address_is_left_alone(readers):
    with readers.database.write() as conn:
        people.suppress(conn, hash_address("jo@example.org"), reason="asked by phone")
    assert vouches(readers, "jo@example.org", "oman").subscriber_id is None
    with readers.database.read() as conn:
        assert people.by_address(conn, hash_address("jo@example.org")) is None


def test_of_many_who_vouch_at_once_all_end_in_one_reader(readers):
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda topic: vouches(readers, "jo@example.org", topic), ("oman", "russia") * 4))
    assert len({one.subscriber_id for one in done}) == 1
    assert sum(one.is_new for one in done) == 1
    assert set(readers.follows("jo@example.org")) == {"oman", "russia"}
