"""Mailgun: `mailgun://KEY@news.example.org?region=eu`; the place is the sending domain.

Pages, as of 2026-11-28: documentation.mailgun.com/docs/mailgun/user-manual/sending-messages/batch-sending and
/api-reference/send/mailgun/messages, /quickstart-guide/responses. Never run live.

A batch says what readers share once, headers too, with `%recipient.name%` where they differ. Mailgun takes it whole or
not at all, has one id for all its messages, and does not say whose address is wrong: then halves are tried. Of 500 it
says that a retry is recommended, not that nothing was sent.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Collection, Hashable, Sequence
from typing import Final
from urllib.parse import urlencode

from worker.adapters.provider_words import DELIVERY_ARGUMENT, MESSAGE_ARGUMENT
from worker.adapters.transports.http import HttpTransport
from worker.adapters.transports.http_replies import Reply
from worker.adapters.transports.http_wire import Posting
from worker.adapters.transports.http_words import address_of, marked, parts_of, reader, sender, shared, values_of
from worker.model import OutgoingMessage, Pieces
from worker.ports import Answer

_MARK: Final = "%recipient.{}%"
_LIKE_A_MARK: Final = re.compile(r"%(?=[\w.]+(?:%|\Z))")  # %unsubscribe_url% and others would be filled in, too
_PERCENT: Final = _MARK.format("percent")
_ABOUT_TO: Final = re.compile(r"\bto\b.{0,20} is not a valid address", re.IGNORECASE)


class MailgunTransport(HttpTransport):
    """Mailgun's messages endpoint with recipient variables."""

    most_bytes = 25_000_000
    once_each = True

    @property
    def _login(self) -> str:
        return b64encode(f"api:{self.spec.password}".encode()).decode()

    def secrets(self) -> Sequence[str]:
        """Return the key, alone and as a login."""
        return self.spec.password, self._login

    def together(self, message: OutgoingMessage) -> Hashable:
        """Sort by what is said once, the headers' names included."""
        parts = parts_of(message)
        return shared(parts), tuple(name for name, _ in parts.headers)

    def build(self, messages: Sequence[OutgoingMessage], key: str) -> Posting:  # noqa: ARG002  Mailgun knows no keys
        """Write a form: what is shared, and each reader's variables."""
        parts = parts_of(messages[0])
        form = [
            ("from", sender(parts)),
            *(("to", reader(message)) for message in messages),
            ("subject", marked(_tamed(parts.composition.subject, _PERCENT), _MARK, "t")),
            ("text", marked(_tamed(parts.composition.text, _PERCENT), _MARK, "t")),
            ("html", marked(_tamed(parts.composition.html, "&#37;"), _MARK, "h")),
            *((f"h:{name}", _MARK.format(f"header{place}")) for place, (name, _) in enumerate(parts.headers)),
            *(((("h:Reply-To", parts.reply_to),)) if parts.reply_to else ()),
            (f"v:{DELIVERY_ARGUMENT}", _MARK.format("delivery")),
            (f"v:{MESSAGE_ARGUMENT}", _MARK.format("message")),
            ("recipient-variables", json.dumps({address_of(message): _variables(message) for message in messages})),
        ]
        return Posting(
            path=f"/v3/{self.spec.place}/messages",
            headers={"Authorization": f"Basic {self._login}", "Content-Type": "application/x-www-form-urlencoded"},
            content=urlencode(form).encode(),
        )

    def parse(self, reply: Reply, messages: Sequence[OutgoingMessage]) -> Sequence[Answer]:
        """Read the one id."""
        told = reply.json()
        return [self.receipt(reply, told["id"].strip("<>"), told["message"])] * len(messages)

    def culprits(self, reply: Reply, messages: Sequence[OutgoingMessage]) -> Collection[int]:
        """Learn that somebody's address is wrong, though not whose."""
        return range(len(messages)) if reply.status == 400 and _ABOUT_TO.search(reply.text) else ()


def _tamed(pieces: Pieces, percent: str) -> Pieces:
    """Write the percent sign of whatever Mailgun would take for a mark in another way."""
    literals = tuple(_LIKE_A_MARK.sub(percent, literal) for literal in pieces.literals)
    return Pieces(literals=literals, holes=pieces.holes)


def _variables(message: OutgoingMessage) -> dict[str, str]:
    parts = parts_of(message)
    headers = {f"header{place}": value for place, (_, value) in enumerate(parts.headers)}
    return {
        **values_of(parts),
        **headers,
        "percent": "%",
        "delivery": str(message.delivery_id),
        "message": message.message_id,
    }
