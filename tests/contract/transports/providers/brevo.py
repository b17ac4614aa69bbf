"""Brevo, read on 2026-11-28.

Pages: developers.brevo.com/reference/send-transac-email, /docs/heterogenous-versions-batch-emails (keys),
/docs/how-it-works (errors), /docs/limit-headers.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Collection

from tests.contract.transports.parts import Sent
from tests.contract.transports.provider_server import Posted, Reply, replied
from tests.contract.transports.providers.provider import SECRET, Provider


def _read(posted: Posted) -> list[Sent]:
    assert posted.path == "/v3/smtp/email"
    said = posted.json
    assert said["sender"] == {"name": "The Harbour Courier", "email": "news@courier.example"}
    assert said["replyTo"] == {"email": "desk@courier.example"}
    (to,) = said["to"]
    headers = dict(said["headers"])
    key = headers.pop("idempotencyKey")
    assert str(uuid.UUID(key)) == key
    custom = json.loads(headers.pop("X-Mailin-custom"))
    assert custom["tocsin_message"].endswith("@courier.example")
    return [
        Sent(
            recipient=to["email"],
            delivery=custom["tocsin_delivery"],
            subject=_templated(said["subject"], said["params"]),
            text=_templated(said["textContent"], said["params"]),
            html=_templated(said["htmlContent"], said["params"]),
            headers=headers,
        )
    ]


def _templated(text: str, params: dict[str, str]) -> str:
    """Do what the template language does with a variable; anything else would fail, or show what it should not."""
    variable = r"\{\{ params\.(\w+) \}\}"
    assert not re.search(r"\{[{%#]", re.sub(variable, "", text))
    return re.sub(variable, lambda found: params[found[1]], text)


def _answer(posted: Posted, refused: Collection[str]) -> Reply:
    if posted.json["to"][0]["email"] in refused:
        return replied(400, {"code": "invalid_parameter", "message": "email is not valid in to"})
    return replied(201, {"messageId": "<202611282015.63491234567@smtp-relay.mailin.fr>"})


PROVIDER = Provider(
    dsn=f"brevo://{SECRET}@default",
    read=_read,
    answer=_answer,
    is_authorised=lambda posted: posted.headers["api-key"] == SECRET,
    limited=replied(
        429,
        {"code": "too_many_requests", "message": "The expected rate limit is exceeded."},
        x_sib_ratelimit_limit="1000",
        x_sib_ratelimit_remaining="0",
        x_sib_ratelimit_reset="45",
    ),
    limited_s=45,
    unauthorised=replied(401, {"code": "unauthorized", "message": "Key not found"}),
    ours=replied(400, {"code": "missing_parameter", "message": "subject is missing"}),
    key_of=lambda posted: str(posted.json["headers"]["idempotencyKey"]),
    duplicate=replied(400, {"code": "duplicate_parameter", "message": "idempotencyKey already used"}),
)
