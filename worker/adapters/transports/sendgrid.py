"""Twilio SendGrid: `sendgrid://KEY@default`.

Pages, as of 2026-11-28: twilio.com/docs/sendgrid/api-reference/mail-send (personalizations, limitations, errors) and
/how-to-use-the-sendgrid-v3-api (responses, rate limits). Never run live.

A batch says what readers share once, and gives each a personalization with headers, substitutions and our delivery's id
of its own. Custom arguments may have 10,000 bytes in all, hence 300 messages though it takes 1,000. It answers 202
without ids for the messages: its events name the delivery.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Hashable, Sequence
from typing import Any, Final

from worker.adapters.provider_words import DELIVERY_ARGUMENT
from worker.adapters.transports.http import HttpTransport
from worker.adapters.transports.http_replies import Reply
from worker.adapters.transports.http_wire import Posting
from worker.adapters.transports.http_words import address_of, marked, parts_of, shared, values_of
from worker.model import MessageParts, OutgoingMessage
from worker.ports import Answer

_REFUSED_READER: Final = re.compile(r"personalizations\.(\d{1,4})\.to\b")
_NOT_IN_NAMES: Final = re.compile(r"[,;]")  # says "limitations"


class SendGridTransport(HttpTransport):
    """SendGrid's mail send endpoint."""

    most_bytes = 19_000_000
    once_each = True
    unsent = frozenset({503})  # "the SendGrid v3 Web API is not available"

    def together(self, message: OutgoingMessage) -> Hashable:
        """Sort by what is said once."""
        return shared(parts_of(message))

    def build(self, messages: Sequence[OutgoingMessage], key: str) -> Posting:  # noqa: ARG002  SendGrid knows no keys
        """Write what is shared, and a personalization a message."""
        parts = parts_of(messages[0])
        mark = _mark(parts)
        said: dict[str, Any] = {
            "personalizations": [_personalization(message) for message in messages],
            "from": {"email": parts.from_address, "name": parts.from_name},
            "subject": marked(parts.composition.subject, mark, "t"),
            "content": [
                {"type": "text/plain", "value": marked(parts.composition.text, mark, "t")},
                {"type": "text/html", "value": marked(parts.composition.html, mark, "h")},
            ],
        }
        if parts.reply_to:
            said["reply_to"] = {"email": parts.reply_to}
        return Posting(
            path="/v3/mail/send",
            headers={"Authorization": f"Bearer {self.spec.password}", "Content-Type": "application/json"},
            content=json.dumps(said).encode(),
        )

    def parse(self, reply: Reply, messages: Sequence[OutgoingMessage]) -> Sequence[Answer]:
        """Take 202 for all: SendGrid accepts a request whole or not at all."""
        if reply.status != 202:
            raise ValueError("SendGrid accepts with 202")
        return [self.receipt(reply, text=reply.headers.get("x-message-id", ""))] * len(messages)

    def culprits(self, reply: Reply, messages: Sequence[OutgoingMessage]) -> Collection[int]:  # noqa: ARG002  it names places
        """Read which personalizations were refused because of whom they are to."""
        return {int(place) for place in _REFUSED_READER.findall(reply.whole_text)} if reply.status == 400 else ()


def _personalization(message: OutgoingMessage) -> dict[str, Any]:
    parts = parts_of(message)
    to = {"email": address_of(message)} | ({"name": _NOT_IN_NAMES.sub(" ", parts.to_name)} if parts.to_name else {})
    return {
        "to": [to],
        "headers": {**dict(parts.headers), "Message-ID": f"<{message.message_id}>"},
        "substitutions": {_mark(parts).format(name): value for name, value in values_of(parts).items()},
        "custom_args": {DELIVERY_ARGUMENT: str(message.delivery_id)},
    }


def _mark(parts: MessageParts) -> str:
    """Return how the place of a value is marked: as no title can have it, for it would have to know its mail's hash."""
    return f"-tocsin.{parts.composition.key[:16]}.{{}}-"
