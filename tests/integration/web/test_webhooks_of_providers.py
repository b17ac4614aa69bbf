"""Every provider's own requests over real sockets: taken, repeated, replayed with another content, and confirmed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import partial

import pytest
import sqlalchemy as sa

from tests.builders import set_clock
from tests.contract.events.speakers import (
    CERTIFICATE_URL,
    NOW,
    SPEAKERS,
    SUBSCRIBE_URL,
    TOPICS,
    amazon,
    envelope,
    fetched,
    samples,
)
from worker.adapters.events.ses import SesEvents
from worker.errors import FetchError
from worker.store.schema import Event

SECRET = "the-secret-of-all-webhooks"


@pytest.fixture
def newspaper(open_newspaper):
    """A newspaper at the moment at which the speakers sign, with all their keys."""
    newspaper = open_newspaper(webhook_secrets=SECRET)
    set_clock(newspaper.house.database, ahead=NOW - datetime.now(UTC))
    newspaper.house.__dict__["event_parsers"] = {name: speaker.parser() for name, speaker in SPEAKERS.items()}
    return newspaper


def tell(newspaper, name, post):
    return newspaper.post(f"/webhooks/{name}/{SECRET}", content=post.body, headers=dict(post.headers))


def stored(newspaper):
    with newspaper.house.database.read() as conn:
        return conn.execute(sa.select(Event.__table__).order_by(Event.id)).all()


@pytest.mark.parametrize("name", SPEAKERS)
def test_all_that_a_provider_says_is_kept_and_nothing_twice(newspaper, name):
    speaker, said = SPEAKERS[name], samples(name)
    wanted = [one for sample in said for one in sample["means"] if one["kind"] not in {"opened", "clicked"}]
    posts = [speaker.post(sample["says"]) for sample in said]
    for post in [*posts, *reversed(posts)]:
        answer = tell(newspaper, name, post)
        assert (answer.status_code, answer.text) == (200, "ok\n")
    assert sorted(event.kind for event in stored(newspaper)) == sorted(one["kind"] for one in wanted)
    while newspaper.house.feedback.settle():
        pass
    assert [event.outcome for event in stored(newspaper) if event.outcome.startswith("failed")] == []


def test_mailguns_signature_cannot_be_used_for_another_event(newspaper):
    delivered, *_, other = samples("mailgun")
    post = SPEAKERS["mailgun"].post(delivered["says"])
    assert tell(newspaper, "mailgun", post).status_code == 200
    signed = json.loads(post.body)["signature"]
    forged = json.dumps({"signature": signed, "event-data": other["says"]}).encode()
    answer = newspaper.post(f"/webhooks/mailgun/{SECRET}", content=forged)
    assert answer.status_code == 403
    assert len(stored(newspaper)) == 1
    assert tell(newspaper, "mailgun", post).status_code == 200


def test_a_provider_comes_again_when_its_certificate_could_not_be_had(newspaper):
    trouble = [True]

    def fetch(url: str) -> bytes:
        if trouble and trouble.pop():
            raise FetchError("Amazon does not answer")
        return amazon(url)

    newspaper.house.event_parsers["ses"] = SesEvents(TOPICS[:1], fetch=fetch)
    post = SPEAKERS["ses"].post(samples("ses")[0]["says"])
    answer = tell(newspaper, "ses", post)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert stored(newspaper) == []
    assert tell(newspaper, "ses", post).status_code == 200
    assert len(stored(newspaper)) == 1


def test_a_subscription_of_sns_is_confirmed_over_the_wire(newspaper):
    facts = {"Type": "SubscriptionConfirmation", "Token": "2336412f37", "SubscribeURL": SUBSCRIBE_URL}
    fetched.clear()
    body = json.dumps(envelope("You have chosen to subscribe.", TOPICS[0], NOW, **facts)).encode()
    newspaper.house.event_parsers["ses"] = SesEvents(TOPICS[:1], fetch=partial(amazon))
    assert newspaper.post(f"/webhooks/ses/{SECRET}", content=body).status_code == 200
    assert fetched == [CERTIFICATE_URL, SUBSCRIBE_URL]
    assert stored(newspaper) == []
