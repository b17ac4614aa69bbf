"""Postmark: `postmark://TOKEN@default?stream=broadcast`.

Pages, as of 2026-11-28: postmarkapp.com/developer/api/email-api (batch: 500 messages, 50 MB; answers stand in the
messages' order, with HTTP 200 although some failed) and /api/overview (statuses and error codes). Never run live.

It writes a Message-ID of its own. It knows no keys: a lost answer stays in doubt until one of its events tells.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from worker.adapters.provider_words import DELIVERY_ARGUMENT
from worker.adapters.transports.http import HttpTransport
from worker.adapters.transports.http_replies import Reply, UnwillingError
from worker.adapters.transports.http_wire import Posting
from worker.adapters.transports.http_words import parts_of, reader, sender
from worker.errors import Blame, SendError
from worker.model import OutgoingMessage
from worker.ports import Answer

_INACTIVE: Final = 406  # the address bounced for good or complained, says Postmark
_INVALID: Final = 300
_ABOUT_TO: Final = re.compile(r"(invalid|error parsing) 'to'", re.IGNORECASE)
# Token, maintenance, sender signature, permission, account, rate: nothing that a message could help.
_UNWILLING: Final = frozenset({10, 100, 400, 401, 405, 412, 413, 429})


class PostmarkTransport(HttpTransport):
    """Postmark's batch endpoint."""

    most_bytes = 50_000_000
    unsent = frozenset({503})  # "during planned service outages"; of 500 it says: "in most cases the message is lost"

    def build(self, messages: Sequence[OutgoingMessage], key: str) -> Posting:  # noqa: ARG002  Postmark knows no keys
        """Write a list of whole messages."""
        return Posting(
            path="/email/batch",
            headers={"X-Postmark-Server-Token": self.spec.password, "Content-Type": "application/json"},
            content=json.dumps([self._item(message) for message in messages]).encode(),
        )

    def parse(self, reply: Reply, messages: Sequence[OutgoingMessage]) -> Sequence[Answer]:  # noqa: ARG002  it answers in order
        """Read one answer a message."""
        return [self._answer(reply, item) for item in reply.json()]

    def refuse(self, reply: Reply) -> Answer:
        """Read the error code that comes with 422."""
        return self._whole(reply) or super().refuse(reply)

    def culprits(self, reply: Reply, messages: Sequence[OutgoingMessage]) -> Collection[int]:
        """Learn that somebody's address is why all were refused, though not whose."""
        told = self._whole(reply)
        return range(len(messages)) if told and told.blame is Blame.RECIPIENT else ()

    def _whole(self, reply: Reply) -> SendError | None:
        """Read what a 422 says of all messages of its request."""
        try:
            return self._error(reply, reply.json()) if reply.status == 422 else None
        except (ValueError, LookupError, TypeError):
            return None

    def _item(self, message: OutgoingMessage) -> dict[str, Any]:
        parts = parts_of(message)
        item = {
            "From": sender(parts),
            "To": reader(message),
            "Subject": parts.subject,
            "TextBody": parts.text,
            "HtmlBody": parts.html,
            "Headers": [{"Name": name, "Value": value} for name, value in parts.headers],
            "Metadata": {DELIVERY_ARGUMENT: str(message.delivery_id)},
            "MessageStream": self.spec.own.get("stream", "outbound"),
        }
        return item | ({"ReplyTo": parts.reply_to} if parts.reply_to else {})

    def _answer(self, reply: Reply, item: dict[str, Any]) -> Answer:
        if item.get("ErrorCode", 0) == 0:
            return self.receipt(reply, item["MessageID"], item.get("Message", ""))
        return self._error(reply, item)

    def _error(self, reply: Reply, item: dict[str, Any]) -> SendError:
        code, text = int(item["ErrorCode"]), self.shown(f"{item['ErrorCode']} {item['Message']}")
        if code in _UNWILLING:
            return UnwillingError(text, code=reply.status, retry_after_s=reply.wait_s(datetime.now(UTC)))
        about_reader = code == _INACTIVE or (code == _INVALID and bool(_ABOUT_TO.match(item["Message"])))
        blame = Blame.RECIPIENT if about_reader else Blame.US
        return SendError(text, permanent=True, blame=blame, code=reply.status)
