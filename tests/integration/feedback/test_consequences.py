"""What an event leads to in the database: for its delivery, its address, its reader; once, and whoever comes first."""

from __future__ import annotations

import dataclasses
import threading
from datetime import timedelta

import pytest

from tests import builders
from worker.errors import UnprovenError
from worker.hearsay import EventKind
from worker.lifecycle import State
from worker.model import Receipt
from worker.store import breakers, deliveries, people, suppressions

from .listening import Listening


def test_a_delivery_takes_its_provider_at_its_word(listening):
    first, second, third = listening.deliveries(3)
    listening.hears(
        listening.event(EventKind.DELIVERED, delivery_id=first),
        listening.event(EventKind.BOUNCED, delivery_id=second, status="4.4.1", hard=False, reason="gave up"),
        listening.event(EventKind.COMPLAINED, delivery_id=third),
    )
    assert [listening.state(one) for one in (first, second, third)] == ["delivered", "bounced", "complained"]
    assert "gave up" in listening.row(second).reason
    assert listening.row(first).reason == ""


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ({"kind": EventKind.BOUNCED, "status": "5.1.1"}, "bounce"),
        ({"kind": EventKind.BOUNCED, "status": "5.1.10"}, "bounce"),
        ({"kind": EventKind.BOUNCED, "status": "5.2.1"}, "bounce"),
        ({"kind": EventKind.BOUNCED, "hard": True}, "bounce"),
        ({"kind": EventKind.COMPLAINED}, "complaint"),
        ({"kind": EventKind.REJECTED, "hard": True}, "provider"),
        ({"kind": EventKind.REJECTED}, None),
        ({"kind": EventKind.FAILED}, None),
        ({"kind": EventKind.BOUNCED, "hard": False}, None),
        ({"kind": EventKind.BOUNCED, "status": "5.2.2", "hard": True}, None),
        ({"kind": EventKind.BOUNCED, "status": "5.7.515", "hard": True}, None),
        ({"kind": EventKind.BOUNCED, "status": "5.0.0"}, None),
        ({"kind": EventKind.AUTORESPONDED}, None),
        ({"kind": EventKind.UNSUBSCRIBED}, None),
        ({"kind": EventKind.UNKNOWN, "hard": True}, None),
    ],
)
def test_only_what_is_about_the_address_suppresses_it(listening, said, cause):
    (delivery,) = listening.deliveries()
    listening.hears(listening.event(delivery_id=delivery, **said))
    assert listening.cause(listening.recipient(delivery)) == cause


@pytest.mark.parametrize("state", [State.UNKNOWN, State.COMMITTING])
@pytest.mark.parametrize(
    ("kind", "then"),
    [
        (EventKind.SENT, State.ACCEPTED),
        (EventKind.QUEUED, State.ACCEPTED),
        (EventKind.DEFERRED, State.ACCEPTED),
        (EventKind.DELIVERED, State.DELIVERED),
        (EventKind.BOUNCED, State.BOUNCED),
        (EventKind.REJECTED, State.BOUNCED),
        (EventKind.COMPLAINED, State.COMPLAINED),
        (EventKind.UNKNOWN, None),
        (EventKind.AUTORESPONDED, None),
    ],
)
def test_an_event_settles_a_delivery_that_nobody_knew_about_and_its_edition(listening, state, kind, then):
    (delivery,) = listening.deliveries(state=state)
    listening.hears(listening.event(kind, delivery_id=delivery, provider_message_id="id of theirs"))
    row = listening.row(delivery)
    assert row.state == (then or state)
    assert (row.accepted_at is not None) is (then is not None)
    assert row.provider_message_id == ("id of theirs" if then else "")
    assert listening.edition_status(delivery) == ("finished" if then else "planned")


def test_our_own_receipt_that_comes_after_the_event_is_noted_and_changes_nothing(listening):
    (delivery,) = listening.deliveries(state=State.COMMITTING)
    listening.hears(listening.event(EventKind.DELIVERED, delivery_id=delivery))
    receipt = Receipt(provider="relay", code=250, provider_message_id="late")
    late = deliveries.outcome_of(receipt, delivery_id=delivery, fence=0)
    with listening.database.write() as conn:
        at = listening.row(delivery).planned_at
        deliveries.record(conn, [late, late._replace(number=1, started_at=at)])
    assert listening.state(delivery) is State.DELIVERED
    with listening.database.read() as conn:
        assert [row.outcome for row in builders.attempts_of(conn, delivery)] == ["accepted", "accepted"]


@pytest.mark.parametrize("kind", [EventKind.REJECTED, EventKind.FAILED])
@pytest.mark.parametrize("state", [State.PLANNED, State.DEFERRED, State.LEASED])
def test_what_is_due_to_go_out_again_is_not_ended_by_a_provider_that_did_not_send_it(listening, kind, state):
    (delivery,) = listening.deliveries(state=state)
    listening.hears(listening.event(kind, delivery_id=delivery))
    assert listening.state(delivery) is state


def test_a_delivery_is_found_by_whatever_the_provider_gives_back(listening):
    argument, theirs, brackets, ours = (listening.deliveries()[0] for _ in range(4))
    shared = listening.deliveries(3, provider_message_id="one id for all")
    with listening.database.write() as conn:
        for delivery, known in ((theirs, "theirs"), (brackets, "<bracketed@provider>")):
            conn.exec_driver_sql(f"UPDATE delivery SET provider_message_id = '{known}' WHERE id = {delivery}")
    message_id = listening.row(ours).message_id
    listening.hears(
        listening.event(EventKind.DELIVERED, delivery_id=argument),
        listening.event(EventKind.DELIVERED, provider_message_id="theirs"),
        listening.event(EventKind.DELIVERED, provider_message_id="bracketed@provider", recipient="another@example.org"),
        listening.event(EventKind.DELIVERED, provider_message_id="unknown", message_id=f"<{message_id}>"),
        listening.event(
            EventKind.DELIVERED,
            provider_message_id="one id for all",
            recipient=listening.recipient(shared[1]).upper(),
        ),
        listening.event(EventKind.DELIVERED, provider_message_id="one id for all"),
        listening.event(EventKind.DELIVERED, delivery_id=10**12),
        listening.event(EventKind.DELIVERED),
    )
    assert [listening.state(one) for one in (argument, theirs, brackets, ours)] == ["delivered"] * 4
    assert [listening.state(one) for one in shared] == ["accepted", "delivered", "accepted"]
    assert listening.outcomes().count("about no delivery of ours") == 3


def test_an_event_about_no_delivery_of_ours_still_suppresses_its_address(listening):
    listening.hears(listening.event(EventKind.COMPLAINED, recipient="Jo@Example.org"))
    assert listening.cause("jo@example.org") == "complaint"


def test_the_address_of_the_delivery_counts_not_the_one_that_it_was_passed_on_to(listening):
    (delivery,) = listening.deliveries()
    listening.hears(
        listening.event(EventKind.BOUNCED, delivery_id=delivery, status="5.1.1", recipient="passed@elsewhere.example")
    )
    assert listening.cause(listening.recipient(delivery)) == "bounce"
    assert listening.cause("passed@elsewhere.example") is None


def test_an_event_is_stored_once_and_its_consequences_are_drawn_once(listening):
    (delivery,) = listening.deliveries()
    event = listening.event(EventKind.BOUNCED, delivery_id=delivery, status="5.1.1")
    assert listening.feedback.store([(event, "{}")]) == 1
    assert listening.feedback.store([(event, "{}"), (event, "{}")]) == 0
    assert listening.feedback.settle() == 1
    assert listening.feedback.settle() == 0
    assert listening.feedback.store([(event, "{}")]) == 0
    assert listening.feedback.settle() == 0


def test_many_who_settle_at_once_draw_each_consequence_once(listening):
    ids = listening.deliveries(40)
    told = [listening.event(EventKind.BOUNCED, delivery_id=one, hard=True) for one in ids]
    listening.feedback.store([(event, "{}") for event in told])
    drawn: list[int] = []
    threads = [threading.Thread(target=lambda: drawn.append(listening.feedback.settle())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    while left := listening.feedback.settle():
        drawn.append(left)
    assert sum(drawn) == 40
    assert [listening.state(one) for one in ids] == ["bounced"] * 40


def test_a_word_signed_once_comes_again_only_with_what_it_came_with(listening):
    first, second = listening.event(EventKind.DELIVERED), listening.event(EventKind.COMPLAINED, recipient="a@b.example")
    assert listening.feedback.store([(first, "{}")], once="token") == 1
    assert listening.feedback.store([(first, "{}")], once="token") == 0
    with pytest.raises(UnprovenError):
        listening.feedback.store([(second, "{}")], once="token")
    assert len(listening.events()) == 1
    assert listening.feedback.store([(second, "{}")], once="another") == 1


def test_a_word_that_came_with_what_is_not_kept_is_used_all_the_same(listening):
    (delivery,) = listening.deliveries()
    opened = listening.event(EventKind.OPENED, delivery_id=delivery)
    for _ in range(2):
        assert listening.feedback.store([(opened, "{}")], once="mailgun token") == 0
    with pytest.raises(UnprovenError):
        listening.feedback.store([(listening.event(EventKind.COMPLAINED), "{}")], once="mailgun token")
    assert listening.events() == []


def test_a_farewell_that_the_provider_brings_ends_what_the_mail_served_and_suppresses_nobody(listening):
    with listening.database.write() as conn:
        reader = builders.reader(conn)
        served, other = (builders.follow(conn, reader, builders.topic(conn, slug)) for slug in ("oman", "russia"))
        edition = builders.edition(conn, [reader], served={reader: (served,)})
        (delivery,) = builders.ids_of(conn, edition)
    farewell = listening.event(EventKind.UNSUBSCRIBED, delivery_id=delivery)
    listening.hears(farewell)
    with listening.database.read() as conn:
        assert [one.id for one in people.followings(conn, reader)] == [other]
    listening.hears(listening.event(EventKind.UNSUBSCRIBED, recipient=listening.recipient(delivery)))
    with listening.database.read() as conn:
        assert people.followings(conn, reader) == []
        left = people.by_id(conn, reader)
    assert left is not None
    assert left.status == "left"
    assert listening.cause(listening.recipient(delivery)) is None


def test_who_opens_and_clicks_is_not_kept_unless_asked_for(database):
    private, curious = Listening(database), Listening(database, keeps_engagement=True)
    for kind in (EventKind.OPENED, EventKind.CLICKED, EventKind.INBOUND):
        private.hears(private.event(kind))
    assert private.events() == []
    for kind in (EventKind.OPENED, EventKind.CLICKED, EventKind.INBOUND):
        curious.hears(curious.event(kind))
    assert [row.kind for row in curious.events()] == ["opened", "clicked"]


def test_a_defect_with_one_event_holds_up_no_other(listening, caplog):
    first, second, third = listening.deliveries(3)
    means = listening.feedback._means
    poisoned = listening.recipient(second)

    def fail_for_one(address: str) -> str | None:
        if address == poisoned:
            raise ZeroDivisionError
        found: str | None = means.hash_address(address)
        return found

    listening.feedback._means = type(means)(
        hash_address=fail_for_one, unsubscribe=means.unsubscribe, threshold=means.threshold
    )
    listening.hears(*(listening.event(EventKind.BOUNCED, delivery_id=one) for one in (first, second, third)))
    assert [listening.state(one) for one in (first, second, third)] == ["bounced", "accepted", "bounced"]
    assert listening.outcomes()[1] == "failed: ZeroDivisionError"
    assert poisoned not in caplog.text


def test_an_event_that_comes_after_an_erasure_is_kept_without_a_name(listening):
    (delivery,) = listening.deliveries()
    with listening.database.write() as conn:
        conn.exec_driver_sql(f"UPDATE delivery SET recipient = NULL WHERE id = {delivery}")
    bounce = listening.event(
        EventKind.BOUNCED, delivery_id=delivery, recipient="gone@example.org", reason="<gone@example.org> unknown"
    )
    listening.feedback.store([(bounce, '{"email": "gone@example.org"}')])
    listening.feedback.settle()
    (row,) = listening.events()
    assert "gone@" not in repr(tuple(row))
    assert listening.state(delivery) is State.BOUNCED


def test_a_mail_that_names_no_delivery_may_be_forged_and_only_scores(listening):
    (delivery,) = listening.deliveries()
    address = listening.recipient(delivery)
    forged = {"provider": "mail", "recipient": address}
    for kind in (EventKind.COMPLAINED, EventKind.UNSUBSCRIBED, EventKind.BOUNCED):
        listening.hears(dataclasses.replace(listening.event(kind, hard=True, status="5.1.1"), **forged))
    assert listening.cause(address) is None
    for days in range(1, 13):  # by its Date, which is the forger's own
        bounce = listening.event(EventKind.BOUNCED, hard=True, days_ago=days)
        listening.hears(dataclasses.replace(bounce, **forged))
    assert listening.cause(address) is None
    for days in (3, 4):
        listening.hears(listening.event(EventKind.BOUNCED, delivery_id=delivery, status="5.0.0", days_ago=days))
    assert listening.cause(address) == "score"  # beside two days that are proved, all of them count a point
    proved = listening.event(EventKind.COMPLAINED, delivery_id=delivery)
    listening.hears(dataclasses.replace(proved, provider="mail"))
    assert listening.cause(address) == "complaint"


def test_a_mail_that_names_no_delivery_lifts_nothing(listening):
    (delivery,) = listening.deliveries()
    address = listening.recipient(delivery)
    for days in (20, 21, 22):
        listening.hears(listening.event(EventKind.BOUNCED, delivery_id=delivery, status="5.0.0", days_ago=days))
    assert listening.cause(address) == "score"
    for kind, days in ((EventKind.DELIVERED, 1), (EventKind.BOUNCED, -20), (EventKind.BOUNCED, 0)):
        told = listening.event(kind, recipient=address, status="5.0.0", days_ago=days)
        listening.hears(dataclasses.replace(told, provider="mail"))
        assert listening.cause(address) == "score"
    listening.hears(listening.event(EventKind.DELIVERED, delivery_id=delivery, days_ago=1))
    assert listening.cause(address) is None


def test_who_was_erased_silences_nobody_by_an_old_return_path(listening):
    (delivery,) = listening.deliveries()
    with listening.database.write() as conn:
        conn.exec_driver_sql(f"UPDATE delivery SET recipient = NULL WHERE id = {delivery}")
    for kind in (EventKind.BOUNCED, EventKind.COMPLAINED):
        told = listening.event(kind, delivery_id=delivery, recipient="victim@example.org", status="5.1.1")
        listening.hears(dataclasses.replace(told, provider="mail"))
    assert listening.cause("victim@example.org") is None
    assert listening.state(delivery) is State.COMPLAINED


@pytest.mark.parametrize(
    "theirs", [{"message_id": "7.9.1795896030@staging.example"}, {"provider_message_id": "another"}], ids=str
)
@pytest.mark.parametrize("kind", [EventKind.COMPLAINED, EventKind.DELIVERED])
def test_another_house_on_the_same_account_has_deliveries_of_the_same_number(listening, theirs, kind):
    (delivery,) = listening.deliveries(provider_message_id="ours")
    told = {"delivery_id": delivery, "recipient": "theirs@example.org", **theirs}
    listening.hears(listening.event(kind, **told))
    assert listening.state(delivery) is State.ACCEPTED
    assert listening.cause(listening.recipient(delivery)) is None
    assert listening.outcomes()[0].startswith("about no delivery of ours")
    listening.hears(listening.event(kind, **{**told, "recipient": listening.recipient(delivery).upper()}))
    assert listening.state(delivery) == kind


def test_a_refusal_that_is_about_us_shuts_the_way_and_suppresses_nobody(listening):
    first, second = listening.deliveries(2)
    listening.hears(listening.event(EventKind.BOUNCED, delivery_id=first, status="5.7.515", hard=True, reason="DMARC"))
    with listening.database.read() as conn:
        shut = breakers.load(conn)
    assert [(way.provider, way.stream, way.domain) for way in shut] == [("relay", "digest", "readers.example")]
    assert listening.cause(listening.recipient(first)) is None
    assert listening.outcomes() == ["the delivery is bounced; digest to readers.example waits"]
    listening.hears(listening.event(EventKind.DELIVERED, delivery_id=second))
    assert listening.state(second) is State.DELIVERED


def test_events_are_let_go_when_they_are_old_and_suppressions_stay(database):
    listening = Listening(database)
    (delivery,) = listening.deliveries()
    address = listening.recipient(delivery)
    listening.hears(listening.event(EventKind.COMPLAINED, delivery_id=delivery), listening.event(EventKind.UNKNOWN))
    with database.write() as conn:
        suppressions.lift(conn, builders.address_hash("al@readers.example"), reason="none", actor="test")
    assert listening.feedback.let_go() == 0
    builders.set_clock(database, ahead=timedelta(days=181))
    assert listening.feedback.let_go(limit=1) == 1
    assert listening.feedback.let_go() == 1
    assert listening.events() == []
    assert listening.cause(address) == "complaint"


# Scores --------------------------------------------------------------------------------------------------------------


def soft(listening, delivery, days_ago):
    return listening.event(EventKind.BOUNCED, delivery_id=delivery, hard=False, days_ago=days_ago)


def test_six_days_of_soft_bounces_suppress_and_five_do_not(listening):
    (delivery,) = listening.deliveries()
    address = listening.recipient(delivery)
    listening.hears(*(soft(listening, delivery, days) for days in range(10, 5, -1) for _ in range(3)))
    assert listening.cause(address) is None
    listening.hears(soft(listening, delivery, 5))
    assert listening.cause(address) == "score"


def test_a_delivery_resets_the_score_and_lifts_what_rests_on_it(listening):
    (delivery,) = listening.deliveries()
    address = listening.recipient(delivery)
    listening.hears(*(soft(listening, delivery, days) for days in range(10, 4, -1)))
    assert listening.cause(address) == "score"
    listening.hears(listening.event(EventKind.DELIVERED, recipient=address, days_ago=7))
    assert listening.cause(address) is None
    listening.hears(*(soft(listening, delivery, days) for days in (4, 3, 2)))
    assert listening.cause(address) is None
    listening.hears(soft(listening, delivery, 1))
    assert listening.cause(address) == "score"


def test_a_delivery_lifts_neither_a_complaint_nor_an_operators_word(listening):
    first, second = listening.deliveries(2)
    listening.hears(listening.event(EventKind.COMPLAINED, delivery_id=first, days_ago=2))
    with listening.database.write() as conn:
        people.suppress(conn, builders.address_hash(listening.recipient(second)), reason="asked by telephone")
    for one in (first, second):
        listening.hears(listening.event(EventKind.DELIVERED, delivery_id=one))
    assert listening.cause(listening.recipient(first)) == "complaint"
    assert listening.cause(listening.recipient(second)) == "operator"


def test_no_event_takes_the_place_of_a_stronger_cause(listening):
    (delivery,) = listening.deliveries()
    address = listening.recipient(delivery)
    for kind, cause in ((EventKind.REJECTED, "provider"), (EventKind.COMPLAINED, "complaint")):
        listening.hears(listening.event(kind, delivery_id=delivery, hard=True))
        assert listening.cause(address) == cause
    listening.hears(listening.event(EventKind.BOUNCED, delivery_id=delivery, hard=True))
    assert listening.cause(address) == "complaint"


def test_what_was_said_before_a_suppression_was_lifted_counts_no_longer(listening):
    (delivery,) = listening.deliveries()
    address = listening.recipient(delivery)
    hashed = builders.address_hash(address)
    listening.hears(*(soft(listening, delivery, days) for days in range(10, 4, -1)))
    with listening.database.write() as conn:
        assert suppressions.lift(conn, hashed, reason="the mailbox works again", actor="operator")
        assert not suppressions.lift(conn, hashed, reason="twice", actor="operator")
    listening.hears(
        soft(listening, delivery, 3), listening.event(EventKind.BOUNCED, hard=True, recipient=address, days_ago=1)
    )
    assert listening.cause(address) is None
    listening.hears(listening.event(EventKind.BOUNCED, hard=True, recipient=address))
    assert listening.cause(address) == "bounce"
