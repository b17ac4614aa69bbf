"""Brevo: `brevo://KEY@default`.

Pages, as of 2026-11-28: developers.brevo.com/reference/send-transac-email, /docs/batch-send-transactional-emails,
/docs/heterogenous-versions-batch-emails (keys), /docs/limit-headers. Never run live.

One message a request: the versions of its batch have no headers of their own, so that a batch's readers would share one
List-Unsubscribe. A key must be a UUID; a repeat is answered `duplicate_parameter`, and then it was accepted before. One
page says that keys last 30 minutes, another 15: we trust them for less.

It reads subject and texts as its own template language (help.brevo.com, article 4402386448530), so a headline about
`{{ templates }}` must not look like one.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Collection, Sequence
from typing import Any, Final

from worker.adapters.provider_words import DELIVERY_ARGUMENT, MESSAGE_ARGUMENT
from worker.adapters.transports.http import HttpTransport
from worker.adapters.transports.http_replies import Reply
from worker.adapters.transports.http_wire import Posting
from worker.adapters.transports.http_words import address_of, parts_of
from worker.model import OutgoingMessage
from worker.ports import Answer

_LONGEST_NAME: Final = 70
_LIKE_A_TAG: Final = re.compile(r"\{(?=[{%#])")
_BRACE: Final = "{{ params.brace }}"


class BrevoTransport(HttpTransport):
    """Brevo's transactional endpoint."""

    keys_honoured_s = 14 * 60.0

    def build(self, messages: Sequence[OutgoingMessage], key: str) -> Posting:
        """Write one message."""
        (message,) = messages
        parts = parts_of(message)
        ours = {DELIVERY_ARGUMENT: str(message.delivery_id), MESSAGE_ARGUMENT: message.message_id}
        said: dict[str, Any] = {
            "sender": _person(parts.from_name, parts.from_address),
            "to": [_person(parts.to_name, address_of(message))],
            "subject": _LIKE_A_TAG.sub(_BRACE, parts.subject),
            "textContent": _LIKE_A_TAG.sub(_BRACE, parts.text),
            "htmlContent": _LIKE_A_TAG.sub("&#123;", parts.html),
            "params": {"brace": "{"},
            "headers": {
                **dict(parts.headers),
                "X-Mailin-custom": json.dumps(ours),
                "idempotencyKey": str(uuid.uuid5(uuid.NAMESPACE_OID, key)),
            },
        }
        if parts.reply_to:
            said["replyTo"] = {"email": parts.reply_to}
        return Posting(
            path="/v3/smtp/email",
            headers={"api-key": self.spec.password, "Content-Type": "application/json"},
            content=json.dumps(said).encode(),
        )

    def parse(self, reply: Reply, messages: Sequence[OutgoingMessage]) -> Sequence[Answer]:  # noqa: ARG002  there is one
        """Read the id."""
        return [self.receipt(reply, reply.json()["messageId"].strip("<>"))]

    def refuse(self, reply: Reply) -> Answer:
        """Take the word that this key was used for what it is: a receipt."""
        if _error(reply).get("code") == "duplicate_parameter":
            return self.receipt(reply, text="accepted before, under the same key")
        return super().refuse(reply)

    def culprits(self, reply: Reply, messages: Sequence[OutgoingMessage]) -> Collection[int]:  # noqa: ARG002  there is one
        """Recognise a recipient that Brevo finds malformed."""
        told = _error(reply)
        about_to = told.get("code") == "invalid_parameter" and "not valid in to" in str(told.get("message"))
        return (0,) if about_to else ()


def _person(name: str, address: str) -> dict[str, str]:
    return {"email": address} | ({"name": name[:_LONGEST_NAME]} if name else {})


def _error(reply: Reply) -> dict[str, Any]:
    """Return what a 400 says, if it is Brevo that says it."""
    try:
        told = reply.json() if reply.status == 400 else {}
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
