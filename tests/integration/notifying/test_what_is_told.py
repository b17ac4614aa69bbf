"""What happens to readers is in the outbox in the transaction that made it happen, for whoever wants to hear it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.integration.signup.conftest import check_query, hash_address
from worker.feedback.run import Feedback
from worker.feedback.run_consequences import Means
from worker.hearsay import EventKind, FeedbackEvent
from worker.lifecycle import State
from worker.model import Cadence
from worker.notifying import run_endpoints
from worker.signup.address import normalise
from worker.signup.consent import Evidence
from worker.signup.run import come_back
from worker.signup.run_erasure import erase, export
from worker.signup.run_erasure import sweep as forget_late
from worker.signup.run_preferences import change_preferences, part, unsubscribe
from worker.signup.wishes import Change, Preferences, Rhythm
from worker.store import outbox
from worker.store.schema import Delivery, WebhookMessage
from worker.tidings import Tiding

JO = "jo@example.org"
EVIDENCE = Evidence(how="page")


def told(house):
    """Return types and data, the eldest first."""
    return [(row.type.removeprefix("subscriber."), row.data) for row in house.messages()]


def preferences(**values):
    return Preferences.model_validate({"locale": "en", "timezone": "UTC", **values})


def test_nobody_listens_and_nothing_is_kept(house, readers):
    readers.joins(JO, "oman")
    unsubscribe(house.database, readers.reader(JO).id)
    assert house.messages() == []


def test_a_reader_subscribes_confirms_and_leaves(house, readers):
    house.adds()
    readers.signs_up(JO, "oman", query="ferry strike", name="Jo", locale="ko", timezone="Asia/Seoul")
    readers.confirms(JO)
    reader = readers.reader(JO)
    unsubscribe(house.database, reader.id)
    (first, asked), (second, joined), (third, left) = told(house)
    assert (first, second, third) == ("subscribed", "confirmed", "unsubscribed")
    about = {"id": reader.id, "email": JO, "name": "Jo", "locale": "ko", "timezone": "Asia/Seoul"}
    assert {name: asked[name] for name in about} == about
    assert (asked["status"], asked["confirmed_at"], asked["subscriptions"]) == ("pending", None, [])
    assert asked["asked_for"] == [{"topic": "oman"}, {"own_query": True}]
    assert (joined["status"], left["status"], left["left"]) == ("active", "left", True)
    rhythm = {"cadence": "daily", "times": ["07:00"], "weekday": None}
    assert joined["subscriptions"] == [{"topic": "oman", **rhythm}, {"own_query": True, **rhythm}]
    assert joined["confirmed_at"].endswith("Z")
    assert left["ended"] == asked["asked_for"]
    assert "ferry" not in repr(told(house))


def test_what_is_repeated_or_changes_nothing_is_told_once(house, readers):
    house.adds()
    readers.signs_up(JO, "oman")
    readers.signs_up(JO, "oman")  # asked not long ago
    readers.confirms(JO)
    readers.confirms(JO)
    reader = readers.reader(JO)
    for _ in range(2):
        unsubscribe(house.database, reader.id)
    assert [kind for kind, _ in told(house)] == ["subscribed", "confirmed", "unsubscribed"]


def test_a_stranger_who_is_refused_is_not_told_of(house, readers):
    house.adds()
    readers.joins(JO, "oman")
    erase(house.database, normalise(JO), hash_address(JO), actor="a test", suppress=True)
    before = len(told(house))
    assert not readers.signs_up(JO, "oman").asked
    assert len(told(house)) == before


def test_a_pending_reader_who_says_no_has_unsubscribed(house, readers):
    house.adds("unsubscribed")
    readers.signs_up(JO, "oman")
    unsubscribe(house.database, readers.reader(JO).id)
    ((_, data),) = told(house)
    assert (data["status"], data["left"], data["ended"]) == ("left", True, [])


def test_an_endpoint_hears_only_what_it_wants_and_addresses_only_if_it_may(house, readers):
    house.adds("confirmed")
    house.adds("subscribed", "confirmed", with_addresses=False)
    readers.joins(JO, "oman", name="Jo")
    rows = [(row.endpoint_id, row.type, "email" in row.data, "name" in row.data) for row in house.messages()]
    first, second = house.endpoint(1).id, house.endpoint(2).id
    assert rows == [
        (second, "subscriber.subscribed", False, False),
        (first, "subscriber.confirmed", True, True),
        (second, "subscriber.confirmed", False, False),
    ]


def test_an_endpoint_that_is_off_is_kept_nothing_for(house, readers):
    endpoint, _ = house.adds()
    run_endpoints.switch_off(house.database, endpoint.id, actor="a test")
    readers.joins(JO, "oman")
    assert house.messages() == []


def test_changed_preferences_say_what_is_other_than_it_was(house, readers):
    house.adds("preferences_changed", "unsubscribed")
    reader_id = readers.joins(JO, "oman", "russia", locale="en", timezone="UTC")
    oman = readers.follows(JO)["oman"]

    def changes(**values):
        change_preferences(house.database, reader_id, preferences(**values), check_query=check_query)

    changes()
    assert told(house) == []  # saved as it was
    changes(timezone="Asia/Seoul")
    weekly = Change(subscription_id=oman.id, rhythm=Rhythm(cadence=Cadence.WEEKLY, times=("08:00",), weekday=5))
    changes(timezone="Asia/Seoul", changes=(weekly,))
    changes(timezone="Asia/Seoul", paused_until=date(2030, 1, 1))
    kinds = [(kind, data["changed"]) for kind, data in told(house)]
    assert kinds == [
        ("preferences_changed", ["timezone"]),
        ("preferences_changed", ["subscriptions"]),
        ("preferences_changed", ["paused_until"]),
    ]
    last = told(house)[-1][1]
    assert (last["status"], last["paused_until"]) == ("paused", "2029-12-31T15:00:00Z")
    assert last["subscriptions"][0] == {"topic": "oman", "cadence": "weekly", "times": ["08:00"], "weekday": 5}


def test_one_subscription_ends_and_comes_back(house, readers):
    house.adds("unsubscribed", "preferences_changed")
    reader_id = readers.joins(JO, "oman", "russia")
    mail = readers.gets_mail(JO, readers.follows(JO)["oman"].id)
    unsubscribe(house.database, reader_id, delivery_id=mail)
    come_back(house.database, reader_id, delivery_id=mail, evidence=EVIDENCE, hash_address=hash_address)
    (ended, gone), (back, again) = told(house)
    assert (ended, gone["ended"], gone["left"], gone["status"]) == (
        "unsubscribed",
        [{"topic": "oman"}],
        False,
        "active",
    )
    assert (back, again["changed"]) == ("preferences_changed", ["subscriptions"])


def test_who_has_left_and_comes_back_subscribes_anew(house, readers):
    house.adds("subscribed")
    reader_id = readers.joins(JO, "oman")
    unsubscribe(house.database, reader_id)
    readers.passes(hours=1)
    assert come_back(house.database, reader_id, evidence=EVIDENCE, hash_address=hash_address).asked
    assert [data["asked_for"] for _, data in told(house)] == [[{"topic": "oman"}]] * 2


# Feedback ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def hears(house):
    """Hear of events, and draw their consequences."""

    def hash_of(address):
        return hash_address(normalise(address).key)

    feedback = Feedback(house.database, Means(hash_address=hash_of, unsubscribe=part, threshold=3))
    numbers = iter(range(1_000))

    def hear(kind, *, provider="ses", **said):
        at = datetime.now(UTC)
        event = FeedbackEvent(provider=provider, event_id=f"{kind} {next(numbers)}", kind=kind, occurred_at=at, **said)
        feedback.store([(event, "{}")])
        while feedback.settle():
            pass

    return hear


@pytest.fixture
def mail(house, readers):
    """A mail to Jo that was accepted."""
    readers.joins(JO, "oman", name="Jo")
    delivery = readers.gets_mail(JO, readers.follows(JO)["oman"].id)
    with house.database.write() as conn:
        values = {"state": State.ACCEPTED, "provider": "ses", "next_attempt_at": None}
        conn.execute(sa.update(Delivery).where(Delivery.id == delivery).values(**values))
    return delivery


def test_a_bounce_and_a_complaint_are_told_once_each(house, readers, mail, hears):
    house.adds("bounced", "complained")
    for _ in range(2):
        hears(EventKind.BOUNCED, delivery_id=mail, status="5.1.1", reason=f"<{JO}> no such user")
    hears(EventKind.COMPLAINED, delivery_id=mail)
    (first, bounced), (second, complained) = told(house)
    assert (first, second) == ("bounced", "complained")
    assert bounced["id"] == complained["id"] == readers.reader(JO).id
    assert {name: bounced[name] for name in ("delivery", "hard", "smtp_status", "suppressed", "reason")} == {
        "delivery": mail,
        "hard": True,
        "smtp_status": "5.1.1",
        "suppressed": True,
        "reason": f"<{JO}> no such user",
    }
    assert complained["suppressed"] is True


def test_what_a_server_said_is_not_told_where_addresses_are_not(house, mail, hears):
    house.adds("bounced", with_addresses=False)
    hears(EventKind.BOUNCED, delivery_id=mail, status="5.1.1", reason=f"<{JO}> no such user")
    ((_, data),) = told(house)
    assert "reason" not in data
    assert JO not in repr(data)


@pytest.mark.parametrize(
    ("said", "hard"),
    [
        ({"kind": EventKind.BOUNCED, "status": "4.2.2"}, False),
        ({"kind": EventKind.BOUNCED, "status": "5.0.0"}, True),
        ({"kind": EventKind.REJECTED, "hard": True}, True),
        ({"kind": EventKind.BOUNCED, "status": "5.7.1"}, None),  # about us
        ({"kind": EventKind.REJECTED}, None),
        ({"kind": EventKind.DELIVERED}, None),
        ({"kind": EventKind.DEFERRED}, None),
        ({"kind": EventKind.AUTORESPONDED}, None),
    ],
)
def test_only_bounces_that_are_about_the_address_are_told(house, mail, hears, said, hard):
    house.adds("bounced", "complained")
    hears(delivery_id=mail, **said)
    assert [data["hard"] for _, data in told(house)] == ([] if hard is None else [hard])


def test_a_provider_that_names_the_address_alone_is_believed_and_a_mail_is_not(house, readers, hears):
    house.adds("bounced", "complained")
    reader_id = readers.joins(JO, "oman")
    hears(EventKind.COMPLAINED, provider="mail", recipient=JO)
    hears(EventKind.COMPLAINED, recipient="nobody@example.org")
    assert told(house) == []
    hears(EventKind.COMPLAINED, recipient=JO)
    ((kind, data),) = told(house)
    assert (kind, data["id"], data["delivery"]) == ("complained", reader_id, None)


def test_a_farewell_by_a_provider_is_told(house, mail, hears):
    house.adds("unsubscribed")
    hears(EventKind.UNSUBSCRIBED, delivery_id=mail)
    ((_, data),) = told(house)
    assert (data["left"], data["ended"]) == (True, [{"topic": "oman"}])


# Erasure -------------------------------------------------------------------------------------------------------------


def test_erasure_empties_the_outbox_and_is_told_by_number_alone(house, readers):
    house.adds()
    reader_id = readers.joins(JO, "oman", name="Jo")
    whose = normalise(JO), hash_address(JO)
    held = export(house.database, *whose)["webhooks"]
    assert [(one["type"], one["data"]["email"], one["endpoint"]) for one in held] == [
        ("subscriber.subscribed", JO, house.receiver.url),
        ("subscriber.confirmed", JO, house.receiver.url),
    ]
    erase(house.database, *whose, actor="a test", suppress=False)
    blank = {"id": reader_id, "erased": True}
    assert told(house) == [("subscribed", blank), ("confirmed", blank), ("erased", blank)]
    assert export(house.database, *whose)["webhooks"] == []
    house.sweeps()
    assert [post.told["data"] for post in house.receiver.posts] == [blank] * 3


def test_what_was_written_down_beside_the_erasure_is_forgotten_soon(house, readers):
    """Feedback takes no reader's lock: on PostgreSQL its word may be committed just after the erasure."""
    house.adds("bounced")
    reader_id = readers.joins(JO, "oman")
    with house.database.write() as conn:
        outbox.tell(conn, Tiding.BOUNCED, reader_id, reason=f"<{JO}>")
    ((_, late),) = told(house)
    erase(house.database, normalise(JO), hash_address(JO), actor="a test", suppress=False)
    with house.database.write() as conn:
        conn.execute(sa.update(WebhookMessage).values(data=late))
    assert JO in repr(told(house))
    forget_late(house.database)
    assert JO not in repr(told(house))


def test_the_word_and_the_act_are_one_transaction(house, readers, monkeypatch):
    house.adds()
    readers.signs_up(JO, "oman")
    tell = outbox.tell

    def tell_and_fail(*arguments, **more):
        tell(*arguments, **more)
        raise RuntimeError("the machine goes off")

    monkeypatch.setattr(outbox, "tell", tell_and_fail)
    with pytest.raises(RuntimeError):
        readers.confirms(JO)
    monkeypatch.undo()
    assert readers.status(JO) == "pending"
    assert [kind for kind, _ in told(house)] == ["subscribed"]


def test_times_are_those_of_the_one_clock(house, readers):
    house.adds("subscribed")
    house.passes(days=2)
    readers.signs_up(JO, "oman")
    (row,) = house.messages()
    assert timedelta(hours=47) < row.occurred_at - datetime.now(UTC) < timedelta(hours=49)
