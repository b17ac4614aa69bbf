"""Amazon SES v2, read on 2026-11-28.

Pages: docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html and CommonErrors.html,
docs.aws.amazon.com/ses/latest/dg/troubleshoot-error-messages.html.
"""

from __future__ import annotations

import base64
import email
import email.policy
import re
from collections.abc import Collection
from datetime import UTC, datetime

import idna

from tests.contract.transports.parts import Sent
from tests.contract.transports.provider_server import Posted, Reply, replied
from tests.contract.transports.providers.provider import SECRET, Provider
from worker.adapters.transports.aws_signature import signed

_KEY_ID = "AKIDEXAMPLE"


def _read(posted: Posted) -> list[Sent]:
    assert posted.path == "/v2/email/outbound-emails"
    said = posted.json
    assert said["ConfigurationSetName"] == "news"
    assert said["FeedbackForwardingEmailAddress"].endswith("@courier.example")
    (recipient,) = said["Destination"]["ToAddresses"]
    (tag,) = said["EmailTags"]
    assert re.fullmatch(r"[\w-]{1,256}", tag["Name"] + tag["Value"], re.ASCII)
    data = base64.b64decode(said["Content"]["Raw"]["Data"], validate=True)
    mail = email.message_from_bytes(data, policy=email.policy.default)
    assert mail["DKIM-Signature"] is None
    assert mail["From"] == "The Harbour Courier <news@courier.example>"
    (to,) = re.findall(rb"^To: (.*)\r$", data, re.MULTILINE)
    local, _, domain = to.decode().rpartition("@")
    assert f"{local}@{domain if domain.isascii() else idna.encode(domain).decode()}" == recipient
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    number = int(tag["Value"]) - 1000
    assert mail["List-Unsubscribe"] == f"<https://news.example/unsubscribe/t{number}>"
    assert data.endswith(f"\r\n\r\nCopy {number}.\r\n".encode())
    assert tag["Name"] == "tocsin_delivery"
    return [Sent(recipient=recipient, delivery=tag["Value"], subject="", text="", html="", headers={})]


def _answer(posted: Posted, refused: Collection[str]) -> Reply:
    if _read(posted)[0].recipient in refused:
        return replied(
            400,
            {"message": "Domain contains illegal character"},
            x_amzn_ErrorType="BadRequestException:http://internal.amazon.com/coral/com.amazonaws.services.simpleemail/",
        )
    return replied(200, {"MessageId": "0102017f0a5d0c3d-000000"})


def _is_authorised(posted: Posted) -> bool:
    """Sign the request again, as it came in."""
    at = datetime.strptime(posted.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    assert abs((datetime.now(UTC) - at).total_seconds()) < 300
    scheme = {"Content-Type": posted.headers["content-type"]}
    url = f"http://{posted.headers['host']}{posted.path}"
    again = signed(url, scheme, posted.body, key_id=_KEY_ID, secret=SECRET, scope=("eu-west-1", "ses"), at=at)
    return posted.headers["authorization"] == again["Authorization"]


PROVIDER = Provider(
    dsn=f"ses://{_KEY_ID}:{SECRET}@eu-west-1?configuration_set=news",
    read=_read,
    answer=_answer,
    is_authorised=_is_authorised,
    limited=replied(429, {"message": "Maximum sending rate exceeded."}, x_amzn_ErrorType="TooManyRequestsException:"),
    limited_s=None,
    unauthorised=replied(
        403,
        {"message": "The security token included in the request is invalid."},
        x_amzn_ErrorType="UnrecognizedClientException",
    ),
    ours=replied(400, {"message": "Message contains a virus."}, x_amzn_ErrorType="MessageRejected:"),
    unsent={503},
    whole_mime=True,
)
