"""A webhook as docs/providers.md describes it: the contract is our own."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Collection
from urllib.parse import quote

from tests.contract.transports.parts import Sent
from tests.contract.transports.provider_server import Posted, Reply, replied
from tests.contract.transports.providers.provider import Provider


def _read(posted: Posted) -> list[Sent]:
    assert posted.path == "/send"
    assert posted.json["version"] == 1
    assert posted.json["key"] == posted.headers["idempotency-key"]
    for one in posted.json["messages"]:
        assert one["from"] == {"name": "The Harbour Courier", "address": "news@courier.example"}
        assert one["reply_to"] == "desk@courier.example"
        assert one["message_id"].endswith("@courier.example")
        assert one["envelope_from"].startswith("b.")
    return [
        Sent(
            recipient=one["to"]["address"],
            delivery=one["delivery"],
            subject=one["subject"],
            text=one["text"],
            html=one["html"],
            headers=dict(one["headers"]),
        )
        for one in posted.json["messages"]
    ]


def _answer(posted: Posted, refused: Collection[str]) -> Reply:
    results = [
        {"delivery": one["delivery"], "status": "refused", "about": "recipient", "reason": "no such mailbox"}
        if one["to"]["address"] in refused
        else {"delivery": one["delivery"], "status": "accepted", "id": f"q-{one['delivery']}"}
        for one in posted.json["messages"]
    ]
    return replied(200, {"results": results[::-1]})


_KEY = b"a throw-away key of 32 characters"
_SECRET = f"whsec_{base64.b64encode(_KEY).decode()}"


def _is_authorised(posted: Posted) -> bool:
    """Check the signature as Standard Webhooks has it."""
    key, moment = posted.headers["webhook-id"], posted.headers["webhook-timestamp"]
    assert key == posted.headers["idempotency-key"]
    assert abs(time.time() - int(moment)) < 300
    signature = hmac.new(_KEY, f"{key}.{moment}.".encode() + posted.body, hashlib.sha256).digest()
    return posted.headers["webhook-signature"] == f"v1,{base64.b64encode(signature).decode()}"


PROVIDER = Provider(
    dsn="webhook+{scheme}://" + quote(_SECRET, safe="") + "@{place}/send?keys_s=86400",
    secrets=(_SECRET,),
    read=_read,
    answer=_answer,
    is_authorised=_is_authorised,
    limited=Reply(status=429, headers={"Retry-After": "5"}),
    limited_s=5,
    unauthorised=Reply(status=401, body=b"wrong signature"),
    ours=Reply(status=400, body=b"unknown version"),
    unsent={503},
    key_of=lambda posted: posted.headers["idempotency-key"],
    conflict=Reply(status=409, body=b"this key was used for another request"),
    most=500,
)
