"""A webhook of your own: `webhook+https://SECRET@mail.example.org/send`. docs/providers.md has the contract.

What it takes and answers is ours to say, so that it says all that we need: a result a delivery, who is to blame, when
to come again, and whether it honours keys (`keys_s=86400`). Signed as Standard Webhooks has it, so that its libraries
can check it: github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, as of 2026-11-28.
"""

from __future__ import annotations

import hmac
import json
import time
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

from worker.adapters.events.proving import standard_key
from worker.adapters.transports.http import HttpTransport
from worker.adapters.transports.http_replies import Reply, bounded_wait_s
from worker.adapters.transports.http_wire import Posting
from worker.adapters.transports.http_words import address_of, parts_of
from worker.adapters.transports.spec import TransportSpec
from worker.errors import Blame, ConfigurationError, OutcomeUnknown, SendError
from worker.model import OutgoingMessage
from worker.ports import Answer


class WebhookTransport(HttpTransport):
    """Posts JSON, signed by HMAC-SHA256 over key, time and body."""

    unsent = frozenset({503})

    def __init__(self, spec: TransportSpec) -> None:
        super().__init__(spec)
        self.keys_honoured_s = float(spec.own.get("keys_s", 0))
        try:
            standard_key(spec.password)
        except ConfigurationError as error:
            raise ConfigurationError(f"transport {spec.name}: {error}") from error

    def build(self, messages: Sequence[OutgoingMessage], key: str) -> Posting:
        """Write and sign a list of whole messages."""
        content = json.dumps({"version": 1, "key": key, "messages": [_item(message) for message in messages]}).encode()
        moment = str(int(time.time()))
        signature = hmac.digest(standard_key(self.spec.password), f"{key}.{moment}.".encode() + content, "sha256")
        return Posting(
            path="",
            headers={
                "Content-Type": "application/json",
                "Idempotency-Key": key,
                "webhook-id": key,
                "webhook-timestamp": moment,
                "webhook-signature": f"v1,{b64encode(signature).decode()}",
            },
            content=content,
        )

    def parse(self, reply: Reply, messages: Sequence[OutgoingMessage]) -> Sequence[Answer]:
        """Read the results by delivery; 202 and 204 without a body accept all."""
        if reply.status in (202, 204) and not reply.body:
            return [self.receipt(reply)] * len(messages)
        results = {str(result["delivery"]): result for result in reply.json()["results"]}
        return [self._answer(reply, results.get(str(message.delivery_id), {})) for message in messages]

    def _answer(self, reply: Reply, result: dict[str, Any]) -> Answer:
        text = self.shown(str(result.get("reason", "")))
        match result.get("status"):
            case "accepted":
                return self.receipt(reply, str(result.get("id", "")), text)
            case "refused":
                blame = Blame.RECIPIENT if result.get("about") == "recipient" else Blame.US
                return SendError(text, permanent=True, blame=blame, code=reply.status)
            case "deferred":
                wait_s = bounded_wait_s(result.get("retry_after_s"))
                return SendError(text, permanent=False, code=reply.status, retry_after_s=wait_s)
        return OutcomeUnknown("the webhook says nothing of this delivery")


def _item(message: OutgoingMessage) -> dict[str, Any]:
    parts = parts_of(message)
    return {
        "delivery": str(message.delivery_id),
        "message_id": message.message_id,
        "envelope_from": message.envelope_from,
        "from": {"name": parts.from_name, "address": parts.from_address},
        "reply_to": parts.reply_to,
        "to": {"name": parts.to_name, "address": address_of(message)},
        "subject": parts.subject,
        "text": parts.text,
        "html": parts.html,
        "headers": [[name, value] for name, value in parts.headers],
    }
