"""`tocsin webhooks` and what `tocsin doctor` says of endpoints, as an operator types them."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from worker.cli import endpoint_state
from worker.health import Health
from worker.notifying import run_endpoints
from worker.store import newsletters, outbox
from worker.store.schema import Audit, WebhookEndpoint, WebhookMessage
from worker.tidings import MessageState, Tiding


@pytest.fixture
def tells(house, readers):
    reader_id = readers.joins("jo@example.org", "oman")

    def tell():
        with house.database.write() as conn:
            outbox.tell(conn, Tiding.CONFIRMED, reader_id)

    return tell


@pytest.fixture
def database_url(make_url):
    """SQLite is enough for what commands do; the telling itself is tried on both databases."""
    return make_url("sqlite")


def findings(house):
    """Return what the doctor finds of endpoints."""
    asked: Any = SimpleNamespace(database=house.database)  # all that it looks at
    return list(endpoint_state.endpoints(asked))


def test_an_endpoint_comes_is_tried_and_goes(house, tocsin):
    url = house.receiver.url
    status, secret, err = tocsin("webhooks", "add", url, "--event", "confirmed", "--event", "bounced", "--private")
    assert status == 0, err
    assert secret.startswith("whsec_")
    assert " is told of subscriber.confirmed, subscriber.bounced; its secret" in err
    (listed,) = tocsin.ask("webhooks", "list")
    assert (listed["url"], listed["state"], listed["addresses"], listed["private"]) == (url, "on", True, True)
    assert listed["events"] == ["subscriber.confirmed", "subscriber.bounced"]
    assert "whsec_" not in json.dumps(listed)
    (tried,) = tocsin.ask("webhooks", "test", listed["id"])
    assert tried == {"id": listed["id"], "taken": True, "code": 204, "error": ""}
    (post,) = house.receiver.posts
    assert post.verified(secret.strip())["type"] == "webhook.test"
    assert tocsin("webhooks", "remove", listed["id"])[0] == 0
    assert tocsin.ask("webhooks", "list") == []


def test_a_try_that_is_not_taken_is_a_failure(house, tocsin):
    (added,) = tocsin.ask("webhooks", "add", house.receiver.url, "--private")
    house.receiver.otherwise = 500
    status, out, err = tocsin("webhooks", "test", added["id"])
    assert (status, out) == (1, "")
    assert f"endpoint {added['id']} answers 500" in err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["add", "http://crm.example.org/"], "HTTPS"),
        (["add", "https://127.0.0.1/"], "not on the public internet"),
        (["add", "https://crm.example.org/", "--event", "born"], "events are subscribed, confirmed"),
        (["test", "7"], "there is no endpoint 7"),
        (["rotate", "7"], "there is no endpoint 7"),
        (["retry", "7"], "there is no endpoint 7"),
        (["disable", "7"], "there is no endpoint 7"),
        (["remove", "7"], "there is no endpoint 7"),
        (["retry", "7", "--since", "noon"], "write 2026-11-29T05:00:00Z"),
        (["log", "7", "--state", "lost"], "write pending, delivered, failed"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(tocsin, words, says):
    status, out, err = tocsin("webhooks", *words)
    assert (status, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1


def test_a_secret_is_rotated_with_and_without_grace(house, tocsin):
    (added,) = tocsin.ask("webhooks", "add", house.receiver.url, "--private")
    (rotated,) = tocsin.ask("webhooks", "rotate", added["id"])
    tocsin("webhooks", "test", added["id"])
    (post,) = house.receiver.posts
    assert post.verified(added["secret"]) == post.verified(rotated["secret"])
    (last,) = tocsin.ask("webhooks", "rotate", added["id"], "--at-once")
    tocsin("webhooks", "test", added["id"])
    assert house.receiver.posts[-1].headers["webhook-signature"].count("v1,") == 1
    assert house.receiver.posts[-1].verified(last["secret"])
    with house.database.read() as conn:
        acts = conn.execute(sa.select(Audit.action).order_by(Audit.id)).scalars().all()
    assert acts == ["webhook add", "webhook rotate", "webhook rotate"]


def test_what_was_not_taken_is_listed_and_sent_once_more(house, tocsin, tells):
    (added,) = tocsin.ask("webhooks", "add", house.receiver.url, "--private")
    house.receiver.otherwise = 500
    tells()
    house.sweeps()
    (row,) = tocsin.ask("webhooks", "log", added["id"])
    assert (row["type"], row["state"], row["attempts"], row["code"]) == ("subscriber.confirmed", "pending", 1, 500)
    assert "jo@example.org" not in json.dumps(row)
    assert tocsin.ask("webhooks", "log", added["id"], "--state", "failed") == []
    assert tocsin.ask("webhooks", "retry", added["id"], "--since", "2999-01-01") == [{"id": added["id"], "messages": 0}]
    house.receiver.otherwise = 204
    assert tocsin.ask("webhooks", "retry", added["id"]) == [{"id": added["id"], "messages": 1}]
    assert tocsin.rung[-1] == "sweep_webhooks"
    house.sweeps()
    (listed,) = tocsin.ask("webhooks", "list")
    assert (listed["delivered"], listed["pending"], listed["failed"]) == (1, 0, 0)


def test_doctor_tells_of_endpoints_that_fail_are_off_or_have_missed_something(house, tells):
    assert [one.says for one in findings(house)] == ["no webhook of yours is told anything"]
    endpoint, _ = house.adds()
    assert [(one.health, one.says) for one in findings(house)] == [(Health.WELL, "one is told what happens to readers")]
    house.receiver.otherwise = 500
    tells()
    house.sweeps()
    (failing,) = findings(house)
    assert failing.health is Health.ILL
    assert failing.says.endswith("it answered 500")
    with house.database.write() as conn:
        conn.execute(sa.update(WebhookMessage).values(state=MessageState.FAILED, next_attempt_at=None))
    assert "given up" in findings(house)[-1].says
    run_endpoints.switch_off(house.database, endpoint.id, actor="somebody")
    assert (findings(house)[0].health, "off since" in findings(house)[0].says) == (Health.NOTE, True)
    with house.database.write() as conn:
        conn.execute(sa.update(WebhookEndpoint).values(disabled_reason="it answered 410: it is gone"))
    assert findings(house)[0].health is Health.ILL


def test_doctor_tells_of_an_endpoint_that_nobody_tells(house, tocsin, tells):
    house.adds()
    tells()
    house.passes(minutes=10)
    lines = tocsin("doctor", "--no-dns", "--json")[1].splitlines()
    (late,) = [found for found in map(json.loads, lines) if found["part"] == "endpoints"]
    assert "waits for 10 minutes" in late["says"]
    assert "is a worker for control running?" in late["advice"]


@pytest.fixture
def imported(house, tocsin, tmp_path):
    """A reader whom an operator has brought, with an endpoint there already: whoever brings a list has it."""
    house.adds()
    (tmp_path / "readers.csv").write_text("email,name,locale,timezone,topics,cadence,at\njo@example.org,,,,oman,,\n")
    assert tocsin("subscribers", "import", tmp_path / "readers.csv", "--confirmed")[0] == 0
    assert house.messages() == []


@pytest.mark.usefixtures("imported")
def test_what_an_operator_does_to_one_reader_is_told(house, tocsin):
    assert tocsin("subscribers", "set", "jo@example.org", "--floor", "3")[0] == 0
    assert tocsin("subscribers", "set", "jo@example.org", "--floor", "3")[0] == 0  # as it is
    (row,) = house.messages()
    assert (row.data["email"], row.data["changed"]) == ("jo@example.org", ["digest_floor"])


@pytest.mark.usefixtures("imported")
def test_a_newsletter_that_an_operator_gives_and_takes_is_told(house, tocsin):
    newsletter = {"name": "Top", "sender_name": "Top", "sender_address": "top@courier.example", "locale": "en"}
    with house.database.write() as conn:
        newsletters.put(conn, {"slug": "top", "timezone": "UTC", "schedule": "FREQ=DAILY;BYHOUR=7", **newsletter})
    assert tocsin("newsletters", "follow", "top", "jo@example.org")[0] == 0
    for _ in range(2):
        tocsin("newsletters", "unfollow", "top", "jo@example.org")
    first, second = house.messages()
    assert (first.data["changed"], first.data["subscriptions"][-1]) == (["subscriptions"], {"newsletter": "top"})
    assert (second.type, second.data["ended"], second.data["left"]) == (
        "subscriber.unsubscribed",
        [{"newsletter": "top"}],
        False,
    )
