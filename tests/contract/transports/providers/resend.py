"""Resend, read on 2026-11-28.

Pages: resend.com/docs/api-reference/emails/send-batch-emails, /docs/dashboard/emails/batch-validation-modes,
/docs/dashboard/emails/idempotency-keys, /docs/api-reference/errors, /docs/api-reference/rate-limit.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from tests.contract.transports.parts import Sent
from tests.contract.transports.provider_server import Posted, Reply, replied
from tests.contract.transports.providers.provider import SECRET, Provider

_WRONG = "Invalid `to` field. The email address needs to follow the `email@example.com` format."


def _address(item: dict[str, list[str]]) -> str:
    (mailbox,) = item["to"]
    return mailbox.rpartition("<")[2].rstrip(">")


def _read(posted: Posted) -> list[Sent]:
    assert posted.path == "/emails/batch"
    assert len(posted.headers["idempotency-key"]) <= 256
    for item in posted.json:
        assert item["from"] == "The Harbour Courier <news@courier.example>"
        assert item["reply_to"] == "desk@courier.example"
        assert all(re.fullmatch(r"[A-Za-z0-9_-]+", word) for tag in item["tags"] for word in tag.values())
    return [
        Sent(
            recipient=_address(item),
            delivery={tag["name"]: tag["value"] for tag in item["tags"]}["tocsin_delivery"],
            subject=item["subject"],
            text=item["text"],
            html=item["html"],
            headers=item["headers"],
        )
        for item in posted.json
    ]


def _answer(posted: Posted, refused: Collection[str]) -> Reply:
    """Answer as in permissive mode: `data` is of the good ones, in order; `errors` name the others by their place."""
    assert posted.headers["x-batch-validation"] == "permissive"
    wrong = [place for place, item in enumerate(posted.json) if _address(item) in refused]
    ids = [{"id": f"ae2014de-c168-4c61-8267-{place:012}"} for place in range(len(posted.json)) if place not in wrong]
    return replied(200, {"data": ids, "errors": [{"index": place, "message": _WRONG} for place in wrong]})


PROVIDER = Provider(
    dsn=f"resend://{SECRET}@default",
    read=_read,
    answer=_answer,
    is_authorised=lambda posted: posted.headers["authorization"] == f"Bearer {SECRET}",
    limited=replied(
        429,
        {"statusCode": 429, "name": "rate_limit_exceeded", "message": "Too many requests."},
        ratelimit_limit="2",
        ratelimit_remaining="0",
        ratelimit_reset="1",
        retry_after="1",
    ),
    limited_s=1,
    unauthorised=replied(403, {"statusCode": 403, "name": "invalid_api_key", "message": "API key is invalid."}),
    ours=replied(422, {"statusCode": 422, "name": "missing_required_field", "message": "Missing `subject` field."}),
    key_of=lambda posted: posted.headers["idempotency-key"],
    conflict=replied(
        409,
        {
            "statusCode": 409,
            "name": "invalid_idempotent_request",
            "message": "Same idempotency key used with a different request payload.",
        },
    ),
    most=100,
)
