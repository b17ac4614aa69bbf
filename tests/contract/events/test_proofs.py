"""What a forger tries who has one signature, or an operator's mistake, to begin with."""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import json
from datetime import timedelta

import pytest

from worker.adapters.events.build import build_parsers, read_keys
from worker.errors import ConfigurationError, UnprovenError

from .speakers import NOW, SPEAKERS, envelope, samples


def test_mailguns_token_cannot_be_cut_elsewhere_to_look_unused():
    """Time and token are signed with nothing between them: `...772` `e0b5` is `...772e0` `b5`, and the same time."""
    speaker = SPEAKERS["mailgun"]
    at, token = str(int(NOW.timestamp())), "e0b5477167110d68991efc6b9f89f0a11066af27834600e123"
    signature = hmac.new(speaker.keys[0].encode(), f"{at}{token}".encode(), hashlib.sha256).hexdigest()

    def post(cut: int):
        joint = f"{at}{token}"
        signed = {"timestamp": joint[:cut], "token": joint[cut:], "signature": signature}
        body = json.dumps({"signature": signed, "event-data": samples("mailgun")[0]["says"]}).encode()
        return dataclasses.replace(speaker.post(samples("mailgun")[0]["says"]), body=body)

    assert speaker.parser().open(post(len(at))).once == token
    for cut in (*range(len(at)), *range(len(at) + 1, len(at) + 6)):
        with pytest.raises(UnprovenError):
            speaker.parser().open(post(cut))


@pytest.mark.parametrize("into", ["MessageId", "Message", "TopicArn", "Subject"])
@pytest.mark.parametrize("subject", [{}, {"Subject": "bounce"}])
def test_an_old_message_of_sns_does_not_come_again_by_hiding_its_time(into, subject):
    """SNS signs names and values as lines: a value may hold the lines of a field that is then left out."""
    speaker, says = SPEAKERS["ses"], json.dumps(samples("ses")[0]["says"])
    signed = envelope(says, speaker.keys[0], NOW - timedelta(days=30), **subject)
    if into not in signed:
        return
    names = [name for name in ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type") if name in signed]
    held = names[names.index(into) + 1 : names.index("Timestamp") + 1]
    lines = "".join(f"\n{name}\n{signed[name]}" for name in held)
    forged = {name: value for name, value in signed.items() if name not in held} | {into: signed[into] + lines}
    post = dataclasses.replace(speaker.post(samples("ses")[0]["says"]), body=json.dumps(forged).encode())
    with pytest.raises(UnprovenError):
        speaker.parser().open(post)


def test_no_event_has_an_address_in_its_id():
    """An id outlives its reader: what else would tell a repetition?"""
    bounce = {"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": f"{who}@example.org"} for who in "ab"]}
    raw = json.dumps({"MessageId": "m-1", "Message": {"eventType": "Bounce", "bounce": bounce, "mail": {}}})
    first, second = SPEAKERS["ses"].parser().read(raw, received_at=NOW)
    assert (first.recipient, second.recipient) == ("a@example.org", "b@example.org")
    assert first.event_id != second.event_id
    assert "example.org" not in first.event_id + second.event_id


@pytest.mark.parametrize("name", ["resend", "webhook"])
def test_a_secret_without_a_single_byte_is_no_secret(name):
    """`resend=whsec_$SECRET`, with the variable unset: anybody could sign with it."""
    with pytest.raises(ConfigurationError, match=name):
        build_parsers(read_keys(f"{name}=whsec_"))
