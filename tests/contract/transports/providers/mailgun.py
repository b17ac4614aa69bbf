"""Mailgun, read on 2026-11-28.

Pages: documentation.mailgun.com/docs/mailgun/user-manual/sending-messages/batch-sending,
/docs/mailgun/api-reference/send/mailgun/messages, /docs/mailgun/quickstart-guide/responses.
"""

from __future__ import annotations

import base64
import json
import re
from collections import defaultdict
from collections.abc import Collection
from urllib.parse import parse_qsl

from tests.contract.transports.parts import Sent
from tests.contract.transports.provider_server import Posted, Reply, replied
from tests.contract.transports.providers.provider import SECRET, Provider


def _form(posted: Posted) -> dict[str, list[str]]:
    assert posted.headers["content-type"] == "application/x-www-form-urlencoded"
    form: dict[str, list[str]] = defaultdict(list)
    for name, value in parse_qsl(posted.body.decode(), strict_parsing=True):
        form[name].append(value)
    return form


def _address(mailbox: str) -> str:
    return mailbox.rpartition("<")[2].rstrip(">")


def _read(posted: Posted) -> list[Sent]:
    assert posted.path == "/v3/news.example.org/messages"
    form = _form(posted)
    assert form["from"] == ["The Harbour Courier <news@courier.example>"]
    assert form["h:Reply-To"] == ["desk@courier.example"]
    options = sum(len(name + value) for name, values in form.items() if name[1:2] == ":" for value in values)
    assert options < 16_000
    variables = json.loads(form["recipient-variables"][0])
    addresses = [_address(to) for to in form["to"]]
    assert sorted(variables) == sorted(addresses)
    return [_copy(form, address, variables[address]) for address in addresses]


def _copy(form: dict[str, list[str]], address: str, variables: dict[str, str]) -> Sent:
    def filled(name: str) -> str:
        (text,) = form[name]
        return re.sub(r"%recipient\.(\w+)%", lambda mark: variables[mark[1]], text)

    assert filled("v:tocsin_message").endswith("@courier.example")
    names = [name for name in form if name.startswith("h:") and name != "h:Reply-To"]
    return Sent(
        recipient=address,
        delivery=filled("v:tocsin_delivery"),
        subject=filled("subject"),
        text=filled("text"),
        html=filled("html"),
        headers={name.removeprefix("h:"): filled(name) for name in names},
    )


def _answer(posted: Posted, refused: Collection[str]) -> Reply:
    """Take all under one id, or nobody, not saying who is wrong."""
    if {_address(to) for to in _form(posted)["to"]} & set(refused):
        return replied(400, {"message": "to parameter is not a valid address. please check documentation"})
    return replied(200, {"id": "<20261128201515.1.AF2B@news.example.org>", "message": "Queued. Thank you."})


_LOGIN = base64.b64encode(f"api:{SECRET}".encode()).decode()

PROVIDER = Provider(
    dsn=f"mailgun://{SECRET}@news.example.org?region=eu",
    secrets=(SECRET, _LOGIN),
    read=_read,
    answer=_answer,
    is_authorised=lambda posted: posted.headers["authorization"] == f"Basic {_LOGIN}",
    limited=replied(429, {"message": "Too many requests"}, Retry_After="15"),
    limited_s=15,
    unauthorised=Reply(status=401, body=b"Forbidden"),
    ours=replied(400, {"message": "from parameter is missing"}),
    most=1000,
)
