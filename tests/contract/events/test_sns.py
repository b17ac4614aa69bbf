"""What is SNS's own: whose certificate, whose topic, whose first words."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import partial

import pytest

from worker.adapters.events.ses import SesEvents
from worker.errors import FetchError, UnprovenError
from worker.hearsay import Post

from .speakers import CERTIFICATE_URL, NOW, SUBSCRIBE_URL, TOPICS, amazon, envelope, fetched, posted


@pytest.fixture
def parser():
    """A parser that has fetched no certificate yet."""
    fetched.clear()
    return SesEvents(TOPICS[:1], fetch=partial(amazon))


def sent(message: str = '{"eventType": "Send"}', topic: str = TOPICS[0], **values: str) -> Post:
    return posted(json.dumps(envelope(message, topic, NOW, **values)).encode())


def confirmation(**values: str) -> Post:
    facts = {"Type": "SubscriptionConfirmation", "Token": "2336412f37", "SubscribeURL": SUBSCRIBE_URL}
    return sent("You have chosen to subscribe to the topic.", **(facts | values))


@pytest.mark.parametrize("version", ["1", "2"])
def test_both_versions_of_the_signature_are_read(parser, version):
    assert parser.open(sent(SignatureVersion=version)).items


def test_a_subject_is_signed_too(parser):
    assert parser.open(sent(Subject="Amazon SES Email Event Notification")).items


def test_the_certificate_is_fetched_once(parser):
    for _ in range(3):
        parser.open(sent())
    assert fetched == [CERTIFICATE_URL]


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-west-1.amazonaws.com/a.pem",
        "https://sns.eu-west-1.amazonaws.com.evil.example/a.pem",
        "https://evil.example/sns.eu-west-1.amazonaws.com/a.pem",
        "https://sns.eu-west-1.amazonaws.com@evil.example/a.pem",
        "https://evil.example#sns.eu-west-1.amazonaws.com/a.pem",
        "https://sns.eu-west-1.amazonaws.com:8443/a.pem",
        "https://evilsns.eu-west-1.amazonaws.com/a.pem",
        "https://bucket.s3.amazonaws.com/a.pem",
        "https://sns.eu-west-1.amazonaws.com/a.txt",
        "https://sns.a.b.amazonaws.com/a.pem",
        "https://[::1]/a.pem",
        "https://[/a.pem",
        "//sns.eu-west-1.amazonaws.com/a.pem",
        "",
    ],
)
def test_a_certificate_that_does_not_lie_with_amazon_is_never_fetched(parser, url):
    with pytest.raises(UnprovenError):
        parser.open(sent(SigningCertURL=url))
    assert fetched == []


def test_a_certificate_that_cannot_be_had_now_is_worth_a_repetition(parser):
    with pytest.raises(FetchError):
        parser.open(sent(SigningCertURL=CERTIFICATE_URL.replace("0123", "3210")))


def test_a_page_that_is_no_certificate_proves_nothing():
    parser = SesEvents(TOPICS[:1], fetch=lambda _url: b"<html>")
    with pytest.raises(UnprovenError, match="no certificate"):
        parser.open(sent())


def test_an_expired_certificate_proves_nothing(parser):
    late = NOW + timedelta(days=30)
    post = Post(body=json.dumps(envelope("{}", TOPICS[0], late)).encode(), headers={}, received_at=late)
    with pytest.raises(UnprovenError, match="not valid now"):
        parser.open(post)


def test_anothers_topic_is_refused_before_anything_is_fetched(parser):
    with pytest.raises(UnprovenError, match="strangers"):
        parser.open(sent(topic=TOPICS[2]))
    with pytest.raises(UnprovenError):
        parser.open(posted(b"{}"))
    assert fetched == []


def test_a_subscription_to_our_topic_is_confirmed_by_itself(parser):
    assert parser.open(confirmation()).items == ()
    assert fetched == [CERTIFICATE_URL, SUBSCRIBE_URL]


@pytest.mark.parametrize("url", ["https://evil.example/", "https://sns.eu-west-1.amazonaws.com/x", ""])
def test_a_confirmation_leads_nowhere_but_to_amazon(parser, url):
    with pytest.raises(UnprovenError):
        parser.open(confirmation(SubscribeURL=url))
    assert fetched == [CERTIFICATE_URL]


def test_what_is_no_event_is_taken_and_let_go(parser):
    first_words = "Successfully validated SNS topic for Amazon SES event publishing."
    assert parser.open(sent(first_words)).items == ()
    assert parser.open(sent("[1]")).items == ()
    end = {"Type": "UnsubscribeConfirmation", "Token": "t", "SubscribeURL": SUBSCRIBE_URL}
    assert parser.open(sent("You have chosen to leave.", **end)).items == ()
    assert SUBSCRIBE_URL not in fetched


def test_what_sns_does_not_sign_is_refused(parser):
    for values in ({"Type": "Gossip"}, {"SignatureVersion": "3"}):
        with pytest.raises(UnprovenError, match="not a message that SNS signs"):
            parser.open(sent(**values))
