"""What single providers say in words of their own, apart from what all of them are tested for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.contract.transports.parts import message
from tests.contract.transports.playing import PROVIDERS, Play, request, transport_of
from tests.contract.transports.provider_server import ProviderServer, replied
from tests.contract.transports.scripted_server import run
from worker.adapters.transports.aws_signature import signed
from worker.adapters.transports.http import HttpTransport
from worker.adapters.transports.http_replies import Reply, UnwillingError
from worker.errors import Blame, OutcomeUnknown, SendError
from worker.model import Receipt


def transport(name: str) -> HttpTransport:
    return transport_of(PROVIDERS[name], "http://127.0.0.1:9")


def reply(status: int, body: object = "", headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status=status, headers=headers or {}, body=replied(status, body).body)


@pytest.mark.parametrize(
    ("code", "words", "kind", "blame"),
    [
        (300, "Invalid 'To' address: 'a@b'.", SendError, Blame.RECIPIENT),
        (300, "Error parsing 'To': Illegal email domain 'b' in address 'a@b'.", SendError, Blame.RECIPIENT),
        (300, "Invalid 'From' address: 'x'.", SendError, Blame.US),
        (406, "You tried to send to recipient(s) that have been marked as inactive.", SendError, Blame.RECIPIENT),
        (405, "Not allowed to send", UnwillingError, Blame.US),
        (412, "Your account is pending approval", UnwillingError, Blame.US),
        (100, "Maintenance", UnwillingError, Blame.US),
        (1234, "Something new", SendError, Blame.US),
    ],
)
@pytest.mark.parametrize("whole", [False, True])
def test_postmark_tells_by_code_in_an_item_and_in_a_422(code, words, kind, blame, whole):
    said = {"ErrorCode": code, "Message": words}
    if whole:
        answer = transport("postmark").refuse(reply(422, said))
    else:
        (answer,) = transport("postmark").parse(reply(200, [said]), [message(1)])
    assert type(answer) is kind
    assert isinstance(answer, SendError)
    assert answer.blame is blame
    assert answer.permanent is (kind is SendError)


def test_postmark_may_leave_the_code_of_a_delayed_acceptance_out():
    said = [{"Message": "Message accepted, but delivery may be delayed.", "MessageID": "m-1"}]
    (answer,) = transport("postmark").parse(reply(200, said), [message(1)])
    assert isinstance(answer, Receipt)
    assert answer.provider_message_id == "m-1"


@pytest.mark.parametrize("name", ["invalid_idempotent_request", "concurrent_idempotent_requests"])
def test_a_conflict_of_keys_leaves_the_outcome_open(name):
    answer = transport("resend").refuse(reply(409, {"statusCode": 409, "name": name, "message": "Same key."}))
    assert isinstance(answer, OutcomeUnknown)


def test_resend_counts_what_it_refused_and_what_it_took():
    said = {"data": [{"id": "a"}], "errors": [{"index": 0, "message": "Missing `from` field."}]}
    first, second = transport("resend").parse(reply(200, said), [message(1), message(2)])
    assert isinstance(first, SendError)
    assert first.blame is Blame.US
    assert isinstance(second, Receipt)
    assert second.provider_message_id == "a"
    with pytest.raises(ValueError, match="more ids"):
        transport("resend").parse(reply(200, {"data": [{"id": "a"}, {"id": "b"}]}), [message(1)])


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("AccountSuspendedException", "Your account is suspended"),
        ("SendingPausedException", "Sending is paused"),
        ("MailFromDomainNotVerifiedException", "..."),
        ("LimitExceededException", "Daily message quota exceeded"),
        ("MessageRejected", "Email address is not verified. The following identities failed the check in region"),
    ],
)
def test_what_ses_says_of_the_account_is_for_the_operator(error, words):
    said = reply(400, {"message": words}, {"x-amzn-errortype": f"{error}:http://internal.amazon.com/"})
    assert isinstance(transport("ses").refuse(said), UnwillingError)


@pytest.mark.parametrize("headers", [{}, {"x-amzn-errortype": "BadRequestException"}])
def test_what_ses_says_of_the_message_is_ours(headers):
    answer = transport("ses").refuse(reply(400, {"message": "Header name is illegal"}, headers))
    assert isinstance(answer, SendError)
    assert (answer.permanent, answer.blame) == (True, Blame.US)


def test_brevo_answers_a_key_that_it_knows_with_a_receipt():
    answer = transport("brevo").refuse(reply(400, {"code": "duplicate_parameter", "message": "..."}))
    assert isinstance(answer, Receipt)
    for other in (reply(400, []), Reply(status=400, headers={}, body=b"no JSON"), reply(402, {"code": "x"})):
        assert isinstance(transport("brevo").refuse(other), SendError)


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ({"status": "accepted", "id": "q1"}, ("receipt", "q1")),
        ({"status": "refused", "about": "recipient", "reason": "gone"}, (True, Blame.RECIPIENT, None)),
        ({"status": "refused", "about": "us", "reason": "spam"}, (True, Blame.US, None)),
        ({"status": "refused"}, (True, Blame.US, None)),
        ({"status": "deferred", "retry_after_s": 60}, (False, Blame.US, 60.0)),
        ({"status": "deferred"}, (False, Blame.US, None)),
        ({"status": "deferred", "retry_after_s": None}, (False, Blame.US, None)),
        ({"status": "deferred", "retry_after_s": "soon"}, (False, Blame.US, None)),
        ({"status": "deferred", "retry_after_s": float("inf")}, (False, Blame.US, None)),
        ({"status": "deferred", "retry_after_s": float("nan")}, (False, Blame.US, None)),
        ({"status": "deferred", "retry_after_s": -1}, (False, Blame.US, None)),
        ({"status": "deferred", "retry_after_s": 1e300}, (False, Blame.US, 86_400.0)),
        ({"status": "perhaps"}, "unknown"),
        (None, "unknown"),
    ],
)
def test_a_webhook_says_what_became_of_each_delivery(result, expected):
    results = [{"delivery": 1001, **result}] if result else []
    (answer,) = transport("webhook").parse(reply(200, {"results": results}), [message(1)])
    got: Any = "unknown"
    if isinstance(answer, Receipt):
        got = ("receipt", answer.provider_message_id)
    elif isinstance(answer, SendError):
        got = (answer.permanent, answer.blame, answer.retry_after_s)
    assert got == expected


@pytest.mark.parametrize("status", [202, 204])
def test_a_webhook_may_accept_all_without_a_word(status):
    answers = transport("webhook").parse(Reply(status=status, headers={}, body=b""), [message(1), message(2)])
    assert all(isinstance(answer, Receipt) for answer in answers)


def test_one_wrong_address_among_a_hundred_is_found_in_few_requests():
    async def test():
        messages = [message(number) for number in range(100)]
        play = Play(PROVIDERS["mailgun"], refused={messages[41].recipient})
        async with play.server as server:
            way = transport_of(PROVIDERS["mailgun"], server.url)
            answers = await way.send(request(*messages))
            await way.close()
        assert [place for place, answer in enumerate(answers) if isinstance(answer, SendError)] == [41]
        assert len(server.posted) <= 15

    run(test())


def test_all_whom_sendgrid_names_are_left_out_at_once():
    async def test():
        messages = [message(number) for number in range(100)]
        play = Play(PROVIDERS["sendgrid"], refused={one.recipient for one in messages[::2]})
        async with play.server as server:
            way = transport_of(PROVIDERS["sendgrid"], server.url)
            answers = await way.send(request(*messages))
            await way.close()
        assert [isinstance(answer, SendError) for answer in answers] == [True, False] * 50
        assert len(server.posted) == 2

    run(test())


def test_a_refusal_of_postmarks_whole_batch_blames_only_whom_it_is_about():
    async def test():
        messages = [message(number) for number in range(8)]
        wrong = messages[5].recipient
        said = {"ErrorCode": 300, "Message": f"Invalid 'To' address: '{wrong}'."}

        def whole(posted):
            return replied(422, said) if wrong.encode() in posted.body else PROVIDERS["postmark"].answer(posted, ())

        async with ProviderServer(whole) as server:
            way = transport_of(PROVIDERS["postmark"], server.url)
            answers = await way.send(request(*messages))
            await way.close()
        assert [place for place, answer in enumerate(answers) if isinstance(answer, SendError)] == [5]

    run(test())


NOW = datetime(2026, 11, 28, 20, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"retry-after": "120"}, 120),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "Sat, 28 Nov 2026 20:01:00 GMT"}, 60),
        ({"retry-after": "Sat, 28 Nov 2026 20:01:00 -0000"}, 60),
        ({"retry-after": "Sat, 28 Nov 2026 19:01:00 GMT"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Sat, 28 Nov 99999999999999999999 20:01:00 GMT"}, None),
        ({"retry-after": "Sat, 28 Nov 2026 20:01:00 +99999999999999999999"}, None),
        ({"retry-after": "soon", "ratelimit-reset": "7"}, 7),
        ({"retry-after": "999999999"}, 86_400),
        ({"x-ratelimit-reset": "1795896030"}, 30),
        ({"x-ratelimit-reset": "1795896030000"}, 30),
        ({"x-sib-ratelimit-reset": "45"}, 45),
    ],
)
def test_how_long_a_provider_asks_us_to_wait(headers, expected):
    assert Reply(status=429, headers=headers, body=b"").wait_s(NOW) == expected


def test_a_request_is_signed_as_aws_has_it_in_its_test_suite():
    """The suite's post-vanilla and post-x-www-form-urlencoded."""
    key = {"key_id": "AKIDEXAMPLE", "secret": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
    at, scope = datetime(2015, 8, 30, 12, 36, tzinfo=UTC), ("us-east-1", "service")
    plain = signed("https://example.amazonaws.com/", {}, b"", scope=scope, at=at, **key)
    assert plain["Authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        "SignedHeaders=host;x-amz-date, Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
    )
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    filled = signed("https://example.amazonaws.com/", form, b"Param1=value1", scope=scope, at=at, **key)
    assert filled["Authorization"].endswith("ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a")
