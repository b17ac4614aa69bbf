"""Amazon SES v2: `ses://KEY_ID:SECRET@eu-west-1?configuration_set=news`.

Pages, as of 2026-11-28: docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html and CommonErrors.html,
docs.aws.amazon.com/ses/latest/dg/troubleshoot-error-messages.html and manual-dkim.html. Never run live.

One message a request. SES writes Date and Message-ID anew, which breaks a DKIM signature over them: ours is left out,
and SES signs for the domain itself (Easy DKIM). Our delivery's id comes back in events of a configuration set.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from worker.adapters.provider_words import DELIVERY_ARGUMENT
from worker.adapters.transports.aws_signature import signed
from worker.adapters.transports.http import HttpTransport
from worker.adapters.transports.http_replies import Reply, UnwillingError
from worker.adapters.transports.http_wire import Posting
from worker.adapters.transports.http_words import address_of
from worker.model import Form, OutgoingMessage
from worker.ports import Answer

_PATH: Final = "/v2/email/outbound-emails"
_SIGNATURES: Final = re.compile(rb"^DKIM-Signature:.*\r\n(?:[ \t].*\r\n)*", re.IGNORECASE | re.MULTILINE)
# 400 to all that is wrong with our account or domain, and to a daily limit: nothing that a message could help.
_UNWILLING: Final = frozenset(
    {
        "AccountSuspendedException",
        "LimitExceededException",
        "MailFromDomainNotVerifiedException",
        "SendingPausedException",
        "ThrottlingException",
    }
)
_UNVERIFIED: Final = "address is not verified"
_ABOUT_AN_ADDRESS: Final = re.compile(
    r"illegal address|missing final '@domain'|(domain|local address) (contains|starts|ends)", re.IGNORECASE
)


class SesTransport(HttpTransport):
    """SES's SendEmail with raw content."""

    form = Form.MIME
    most_bytes = 40_000_000
    unsent = frozenset({503})  # "the request has failed"; of 500 it says that nobody knows why

    def build(self, messages: Sequence[OutgoingMessage], key: str) -> Posting:  # noqa: ARG002  SES knows no keys
        """Write and sign the request."""
        (message,) = messages
        content = json.dumps(self._said(message)).encode()
        headers = signed(
            self.spec.base_url + _PATH,
            {"Content-Type": "application/json"},
            content,
            key_id=self.spec.user,
            secret=self.spec.password,
            scope=(self.spec.place, "ses"),
            at=datetime.now(UTC),
        )
        return Posting(path=_PATH, headers=headers, content=content)

    def parse(self, reply: Reply, messages: Sequence[OutgoingMessage]) -> Sequence[Answer]:  # noqa: ARG002  there is one
        """Read the id."""
        return [self.receipt(reply, reply.json()["MessageId"])]

    def refuse(self, reply: Reply) -> Answer:
        """Tell what is wrong with the account from what is wrong with the message."""
        if reply.status == 400 and (_error(reply) in _UNWILLING or _UNVERIFIED in reply.text):
            return UnwillingError(self.shown(f"{_error(reply)} {reply.text}"), code=reply.status)
        return super().refuse(reply)

    def culprits(self, reply: Reply, messages: Sequence[OutgoingMessage]) -> Collection[int]:  # noqa: ARG002  there is one
        """Recognise an address that SES finds malformed."""
        return (0,) if reply.status == 400 and _ABOUT_AN_ADDRESS.search(reply.text) else ()

    def _said(self, message: OutgoingMessage) -> dict[str, Any]:
        head, gap, body = message.data.partition(b"\r\n\r\n")
        data = _SIGNATURES.sub(b"", head + b"\r\n") + gap.removeprefix(b"\r\n") + body
        said: dict[str, Any] = {
            "Content": {"Raw": {"Data": b64encode(data).decode()}},
            "Destination": {"ToAddresses": [address_of(message)]},
            "FeedbackForwardingEmailAddress": message.envelope_from,
            "EmailTags": [{"Name": DELIVERY_ARGUMENT, "Value": str(message.delivery_id)}],
        }
        chosen = self.spec.own.get("configuration_set")
        return said | ({"ConfigurationSetName": chosen} if chosen else {})


def _error(reply: Reply) -> str:
    """Return the name of the exception, which stands before a colon in a header."""
    return reply.headers.get("x-amzn-errortype", "").partition(":")[0]
