"""Resend: `resend://KEY@default`.

Pages, as of 2026-11-28: resend.com/docs/api-reference/emails/send-batch-emails (100 messages),
/docs/dashboard/emails/batch-validation-modes, /docs/dashboard/emails/idempotency-keys (24 hours),
/docs/api-reference/errors and /rate-limit. Never run live.

It writes a Message-ID of its own. Of 409, "concurrent" means that the first request still runs, and "invalid" that
something else went under this key: either way, what became of our messages is open.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from worker.adapters.provider_words import DELIVERY_ARGUMENT
from worker.adapters.transports.http import HttpTransport
from worker.adapters.transports.http_replies import Reply
from worker.adapters.transports.http_wire import Posting
from worker.adapters.transports.http_words import parts_of, reader, sender
from worker.errors import Blame, SendError
from worker.model import OutgoingMessage
from worker.ports import Answer

_KEYS_LAST_S: Final = 24 * 3600.0
_MARGIN_S: Final = 3600.0  # their clock is not ours


class ResendTransport(HttpTransport):
    """Resend's batch endpoint, in the mode that takes the good messages of a batch and names the others."""

    most_bytes = 40_000_000
    keys_honoured_s = _KEYS_LAST_S - _MARGIN_S

    def build(self, messages: Sequence[OutgoingMessage], key: str) -> Posting:
        """Write a list of whole messages."""
        return Posting(
            path="/emails/batch",
            headers={
                "Authorization": f"Bearer {self.spec.password}",
                "Content-Type": "application/json",
                "Idempotency-Key": key,
                "x-batch-validation": "permissive",
            },
            content=json.dumps([_item(message) for message in messages]).encode(),
        )

    def parse(self, reply: Reply, messages: Sequence[OutgoingMessage]) -> Sequence[Answer]:
        """Read which were refused, by their place; the ids are those of the others, in order."""
        told = reply.json()
        refused = {error["index"]: self._refusal(reply, error["message"]) for error in told.get("errors", ())}
        ids = iter(told["data"])
        answers = [refused.get(place) or self.receipt(reply, next(ids)["id"]) for place in range(len(messages))]
        if next(ids, None) is not None:
            raise ValueError("more ids than messages")
        return answers

    def _refusal(self, reply: Reply, message: str) -> SendError:
        blame = Blame.RECIPIENT if "`to`" in message else Blame.US
        return SendError(self.shown(message), permanent=True, blame=blame, code=reply.status)


def _item(message: OutgoingMessage) -> dict[str, Any]:
    parts = parts_of(message)
    item = {
        "from": sender(parts),
        "to": [reader(message)],
        "subject": parts.subject,
        "text": parts.text,
        "html": parts.html,
        "headers": dict(parts.headers),
        "tags": [{"name": DELIVERY_ARGUMENT, "value": str(message.delivery_id)}],
    }
    return item | ({"reply_to": parts.reply_to} if parts.reply_to else {})
