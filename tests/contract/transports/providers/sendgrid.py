"""Twilio SendGrid, read on 2026-11-28.

Pages: twilio.com/docs/sendgrid/api-reference/mail-send/mail-send, /mail-send/errors, /mail-send/limitations,
/sendgrid/for-developers/sending-email/personalizations, /how-to-use-the-sendgrid-v3-api/responses and /rate-limits.
"""

from __future__ import annotations

import time
from collections.abc import Collection

from tests.contract.transports.parts import Sent
from tests.contract.transports.provider_server import Posted, Reply, replied
from tests.contract.transports.providers.provider import SECRET, Provider


def _substituted(text: str, substitutions: dict[str, str]) -> str:
    for mark, value in substitutions.items():
        text = text.replace(mark, value)
    return text


def _read(posted: Posted) -> list[Sent]:
    assert posted.path == "/v3/mail/send"
    said = posted.json
    assert said["from"] == {"email": "news@courier.example", "name": "The Harbour Courier"}
    assert said["reply_to"] == {"email": "desk@courier.example"}
    assert [part["type"] for part in said["content"]] == ["text/plain", "text/html"]
    addresses = [one["to"][0]["email"].lower() for one in said["personalizations"]]
    assert len(addresses) == len(set(addresses)) <= 1000
    assert sum(len(str(one["custom_args"])) for one in said["personalizations"]) < 10_000
    sent = []
    for one in said["personalizations"]:
        (to,) = one["to"]
        assert not set(to.get("name", "")) & set(",;")
        assert sum(map(len, one["substitutions"].values())) < 10_000
        headers = dict(one["headers"])
        assert headers.pop("Message-ID").endswith("@courier.example>")
        assert not {name.lower() for name in headers} & {"received", "to", "from", "subject", "reply-to", "cc", "bcc"}
        subject, text, html = (
            _substituted(whole, one["substitutions"])
            for whole in (said["subject"], said["content"][0]["value"], said["content"][1]["value"])
        )
        delivery = one["custom_args"]["tocsin_delivery"]
        sent.append(
            Sent(recipient=to["email"], delivery=delivery, subject=subject, text=text, html=html, headers=headers)
        )
    return sent


def _answer(posted: Posted, refused: Collection[str]) -> Reply:
    """Take all with an empty 202, or nobody, naming who is wrong."""
    wrong = [place for place, one in enumerate(posted.json["personalizations"]) if one["to"][0]["email"] in refused]
    if wrong:
        errors = [
            {
                "message": "Does not contain a valid address.",
                "field": f"personalizations.{place}.to.0.email",
                "help": "http://sendgrid.com/docs/API_Reference/Web_API_v3/Mail/errors.html#message.recipient-errors",
            }
            for place in wrong
        ]
        return replied(400, {"errors": errors})
    return Reply(status=202, headers={"X-Message-Id": "14c5d75ce93.dfd.64b469"})


PROVIDER = Provider(
    dsn=f"sendgrid://{SECRET}@default",
    read=_read,
    answer=_answer,
    is_authorised=lambda posted: posted.headers["authorization"] == f"Bearer {SECRET}",
    limited=replied(
        429,
        {"errors": [{"field": None, "message": "too many requests"}]},
        X_RateLimit_Limit="500",
        X_RateLimit_Remaining="0",
        X_RateLimit_Reset=str(int(time.time()) + 86_400),
    ),
    limited_s=86_400,  # which a whole run of the suite, begun at import, does not much diminish
    unauthorised=replied(
        401,
        {"errors": [{"message": "The provided authorization grant is invalid, expired, or revoked", "field": None}]},
    ),
    ours=replied(
        400, {"errors": [{"message": "The subject is required.", "field": "subject", "help": "http://sendgrid.com/"}]}
    ),
    unsent={503},
    says_ids=False,
    most=300,
)
