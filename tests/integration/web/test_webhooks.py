"""`POST /webhooks/{provider}/{secret}` over real sockets: who is let in, what is answered, what is stored by then."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import time

import pytest
import sqlalchemy as sa

from worker.store.schema import Delivery, Event

NEW, OLD = "the-new-secret-of-webhooks", "the-old-secret-of-webhooks"
SIGNING = "whsec_" + base64.b64encode(b"a key of the gateway's, 32 bytes").decode()


@pytest.fixture
def newspaper(open_newspaper):
    return open_newspaper(
        webhook_secrets=f"{NEW} {OLD}", webhook_keys=f"postmark=post:mark webhook={SIGNING} webhook={SIGNING}"
    )


@pytest.fixture
def sent(newspaper):
    """The number of a mail that has been sent to a reader."""
    newspaper.joins("jo@example.org", "oman")
    delivery = newspaper.mails("jo@example.org")
    with newspaper.house.database.write() as conn:
        conn.execute(sa.update(Delivery).values(state="accepted"))
    return delivery


def bounce(delivery, **values):
    record = {"RecordType": "Bounce", "Type": "HardBounce", "ID": 42, "Email": "jo@example.org"}
    return record | {"Metadata": {"tocsin_delivery": str(delivery)}, "Details": "smtp;550 5.1.1 unknown"} | values


def stored(newspaper):
    with newspaper.house.database.read() as conn:
        return conn.execute(sa.select(Event.__table__).order_by(Event.id)).all()


def signed(body: bytes) -> dict[str, str]:
    at = str(int(time.time()))
    key = base64.b64decode(SIGNING.removeprefix("whsec_"))
    signature = base64.b64encode(hmac.digest(key, f"msg_1.{at}.".encode() + body, hashlib.sha256)).decode()
    return {"webhook-id": "msg_1", "webhook-timestamp": at, "webhook-signature": f"v1a,xx v1,{signature}"}


@pytest.mark.parametrize("secret", [NEW, OLD])
def test_a_bounce_is_stored_by_the_time_it_is_answered_and_a_bell_is_rung(newspaper, sent, secret):
    newspaper.house.rung.clear()
    answer = newspaper.post(f"/webhooks/postmark/{secret}", json=bounce(sent), auth=("post", "mark"))
    assert (answer.status_code, answer.text) == (200, "ok\n")
    (event,) = stored(newspaper)
    assert (event.provider, event.kind, event.settled_at) == ("postmark", "bounced", None)
    assert json.loads(event.raw)["Type"] == "HardBounce"
    assert newspaper.house.rung == [("settle_feedback",)]
    assert newspaper.house.feedback.settle() == 1
    suppressed = newspaper.post("/subscribe", data={"email": "jo@example.org", "topics": "oman"})
    assert suppressed.status_code == 200
    with newspaper.house.database.read() as conn:
        assert conn.execute(sa.select(Delivery.state)).scalar() == "bounced"


def test_what_is_told_again_is_taken_again_and_kept_once(newspaper, sent):
    for _ in range(2):
        answer = newspaper.post(f"/webhooks/postmark/{NEW}", json=bounce(sent), auth=("post", "mark"))
        assert answer.status_code == 200
    assert len(stored(newspaper)) == 1


def test_a_monitor_sees_what_waits_and_who_gets_nothing(newspaper, sent):
    newspaper.post(f"/webhooks/postmark/{NEW}", json=bounce(sent), auth=("post", "mark"))
    assert 'tocsin_events{state="unsettled"} 1' in newspaper.get("/metrics").text
    newspaper.house.feedback.settle()
    told = newspaper.get("/metrics").text
    assert 'tocsin_events{state="unsettled"} 0' in told
    assert 'tocsin_suppressions{cause="bounce"} 1' in told


@pytest.mark.parametrize(
    "path",
    [
        "/webhooks/postmark/a-secret-that-was-guessed",
        "/webhooks/postmark/",
        "/webhooks/postmark",
        "/webhooks/nobody/" + NEW,
        "/webhooks/mailgun/" + NEW,  # has no key here
        f"/webhooks/postmark/{NEW}/more",
        f"/webhooks/postmark/{NEW[:-1]}",
        "/webhooks/postmark/%ff%fe",
    ],
)
def test_a_wrong_address_tells_nothing(newspaper, path):
    answer = newspaper.post(path, json=bounce(1), auth=("post", "mark"))
    assert (answer.status_code, answer.text) == (404, "404 Not Found\n")
    assert stored(newspaper) == []


@pytest.mark.parametrize("auth", [None, ("post", "office"), ("mark", "post")])
def test_a_wrong_password_is_asked_for_again(newspaper, auth):
    answer = newspaper.post(f"/webhooks/postmark/{NEW}", json=bounce(1), auth=auth)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic")
    assert stored(newspaper) == []


def test_a_wrong_signature_is_refused(newspaper):
    body = b'{"kind": "complained", "recipient": "jo@example.org"}'
    tampered = body.replace(b"jo@", b"al@")
    answer = newspaper.post(f"/webhooks/webhook/{NEW}", content=tampered, headers=signed(body))
    assert answer.status_code == 403
    assert newspaper.post(f"/webhooks/webhook/{NEW}", content=body).status_code == 403
    assert stored(newspaper) == []
    assert newspaper.post(f"/webhooks/webhook/{NEW}", content=body, headers=signed(body)).status_code == 200
    assert len(stored(newspaper)) == 1


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[1, 2]", b'"x"', b"\xff\xfe", b"[" * 100_000, b"{}x", b"null"])
def test_garbage_is_no_fault_of_ours(newspaper, body):
    answer = newspaper.post(f"/webhooks/postmark/{NEW}", content=body, auth=("post", "mark"))
    assert answer.status_code == 400
    assert stored(newspaper) == []


def test_a_batch_is_taken_whole_with_what_nobody_understands(newspaper, sent):
    batch = [bounce(sent, ID=number) for number in range(300)] + [{}, {"RecordType": "Tomorrow"}, {"ID": ["x"]}]
    answer = newspaper.post(f"/webhooks/postmark/{NEW}", json=batch, auth=("post", "mark"))
    assert answer.status_code == 200
    kinds = [event.kind for event in stored(newspaper)]
    assert (kinds.count("bounced"), kinds.count("unknown")) == (300, 3)
    while newspaper.house.feedback.settle():
        pass
    assert all(event.settled_at for event in stored(newspaper))


def test_a_huge_body_is_refused_and_a_large_one_is_not(newspaper):
    large = [bounce(1, ID=number, Content="x" * 1_000) for number in range(1_000)]
    assert newspaper.post(f"/webhooks/postmark/{NEW}", json=large, auth=("post", "mark")).status_code == 200
    assert newspaper.post(f"/webhooks/postmark/{NEW}", content=b"x" * 2_000_001).status_code == 413


def test_nothing_of_a_webhook_gets_into_the_log(newspaper, sent, caplog):
    caplog.set_level(logging.DEBUG)
    newspaper.post(f"/webhooks/postmark/{NEW}", json=bounce(sent), auth=("post", "mark"))
    newspaper.post(f"/webhooks/postmark/{OLD}", json=bounce(sent), auth=("post", "guessed-one"))
    newspaper.post(f"/webhooks/mailgun/{OLD}", json=bounce(sent))
    told = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("worker"))
    assert "refused" in told
    for secret in (NEW, OLD, "jo@", "mark:", "guessed-one"):
        assert secret not in told


def test_a_house_without_secrets_has_made_one_of_its_own(open_newspaper):
    newspaper = open_newspaper()
    (made,) = newspaper.house.webhook_secrets
    assert newspaper.post(f"/webhooks/postmark/{made}", json=bounce(1)).status_code == 200
