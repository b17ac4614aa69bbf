"""Each provider's side of a webhook: how it wraps and signs what it says. Asserts nothing.

The items themselves are in `payloads/`, made by hand after the providers' documentation; each file names page and date.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

from worker.adapters.events.brevo import BrevoEvents
from worker.adapters.events.build import PROVIDERS
from worker.adapters.events.mailgun import MailgunEvents
from worker.adapters.events.postmark import PostmarkEvents
from worker.adapters.events.resend import ResendEvents
from worker.adapters.events.sendgrid import SendgridEvents
from worker.adapters.events.ses import SesEvents
from worker.adapters.events.webhook import WebhookEvents
from worker.errors import FetchError
from worker.hearsay import Post
from worker.ports import EventParser

PAYLOADS: Final = Path(__file__).parent / "payloads"
NOW: Final = datetime(2026, 11, 28, 12, tzinfo=UTC)
Item = dict[str, Any]


@dataclass(frozen=True)
class Speaker:
    """One provider. `keys` are two of its keys, as an operator sets them; `stranger` is a third that nobody has set."""

    name: str
    make: Callable[[tuple[str, ...]], EventParser]
    keys: tuple[str, str]
    stranger: str
    say: Callable[[Sequence[Item], str, datetime], Post]  # items, key, when it is signed
    signs_time: bool = True
    signs_body: bool = True
    most_items: int = 1_000
    most_age: timedelta = timedelta(minutes=5)

    def parser(self, *keys: str) -> EventParser:
        return self.make(keys or self.keys)

    def post(self, *items: Item, key: str | None = None, at: datetime = NOW) -> Post:
        return self.say(items, key or self.keys[0], at)


def samples(provider: str) -> list[Item]:
    """Return the provider's sample items: `says`, and `means`, which is what must be made of them."""
    found: list[Item] = json.loads((PAYLOADS / f"{provider}.json").read_text())["samples"]
    return found


def posted(body: bytes, **headers: str) -> Post:
    """Return a request that comes now, whenever it was signed."""
    return Post(body=body, headers={name.replace("_", "-"): value for name, value in headers.items()}, received_at=NOW)


def body_of(items: Sequence[Item]) -> bytes:
    return json.dumps(items[0] if len(items) == 1 else list(items)).encode()


# Passwords -----------------------------------------------------------------------------------------------------------


def with_password(items: Sequence[Item], key: str, _at: datetime) -> Post:
    return posted(body_of(items), authorization="Basic " + base64.b64encode(key.encode()).decode())


# Standard Webhooks ---------------------------------------------------------------------------------------------------


def standard(prefix: str) -> Callable[[Sequence[Item], str, datetime], Post]:
    def say(items: Sequence[Item], key: str, at: datetime) -> Post:
        body, seconds, number = body_of(items), str(int(at.timestamp())), "msg_" + secrets.token_hex(8)
        signed = f"{number}.{seconds}.".encode() + body
        signature = hmac.digest(base64.b64decode(key.removeprefix("whsec_")), signed, hashlib.sha256)
        names = {"id": number, "timestamp": seconds, "signature": "v1," + base64.b64encode(signature).decode()}
        return posted(body, **{f"{prefix}_{name}": value for name, value in names.items()})

    return say


def standard_key() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()


# Mailgun -------------------------------------------------------------------------------------------------------------


def mailgun(items: Sequence[Item], key: str, at: datetime) -> Post:
    seconds, token = str(int(at.timestamp())), secrets.token_hex(25)
    signature = hmac.new(key.encode(), f"{seconds}{token}".encode(), hashlib.sha256).hexdigest()
    signed = {"timestamp": seconds, "token": token, "signature": signature}
    return posted(json.dumps({"signature": signed, "event-data": items[0]}).encode())


# SendGrid ------------------------------------------------------------------------------------------------------------

_CURVE_KEYS: dict[str, ec.EllipticCurvePrivateKey] = {}


def curve_key() -> str:
    """Make a pair of keys; the public one is what an operator copies."""
    private = ec.generate_private_key(ec.SECP256R1())
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    public = base64.b64encode(private.public_key().public_bytes(serialization.Encoding.DER, spki)).decode()
    _CURVE_KEYS[public] = private
    return public


def sendgrid(items: Sequence[Item], key: str, at: datetime) -> Post:
    body, seconds = json.dumps(list(items)).encode(), str(int(at.timestamp()))
    signature = _CURVE_KEYS[key].sign(seconds.encode() + body, ec.ECDSA(hashes.SHA256()))
    prefix = "x_twilio_email_event_webhook"
    headers = {f"{prefix}_signature": base64.b64encode(signature).decode(), f"{prefix}_timestamp": seconds}
    return posted(body, **headers)


# SNS -----------------------------------------------------------------------------------------------------------------

CERTIFICATE_URL: Final = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
SUBSCRIBE_URL: Final = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=2336412f37"
_RSA: Final = rsa.generate_private_key(public_exponent=65537, key_size=2048)
TOPICS: Final = tuple(f"arn:aws:sns:eu-west-1:123456789012:{name}" for name in ("bounces", "events", "strangers"))
fetched: list[str] = []


def _certificate() -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(_RSA.public_key())
    builder = (
        builder.serial_number(1).not_valid_before(NOW - timedelta(days=9)).not_valid_after(NOW + timedelta(days=9))
    )
    return builder.sign(_RSA, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


_PEM: Final = _certificate()


def amazon(url: str) -> bytes:
    """Stand in for Amazon's hosts."""
    fetched.append(url)
    if url == CERTIFICATE_URL:
        return _PEM
    if url == SUBSCRIBE_URL:
        return b"<ConfirmSubscriptionResponse/>"
    raise FetchError("Amazon answers 404")


def envelope(message: str, topic: str, at: datetime, **values: str) -> dict[str, str]:
    """Return what SNS wraps round a message, signed."""
    stamp = at.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    facts = {
        "Type": "Notification",
        "MessageId": hashlib.sha256(message.encode()).hexdigest()[:32],
        "TopicArn": topic,
        "Message": message,
    }
    facts |= {"Timestamp": stamp, "SignatureVersion": "2", "SigningCertURL": CERTIFICATE_URL, **values}
    names = ["Message", "MessageId", "SubscribeURL", "Subject", "Timestamp", "Token", "TopicArn", "Type"]
    signed = "".join(f"{name}\n{facts[name]}\n" for name in names if name in facts).encode()
    algorithm = hashes.SHA256() if facts["SignatureVersion"] == "2" else hashes.SHA1()
    return facts | {"Signature": base64.b64encode(_RSA.sign(signed, PKCS1v15(), algorithm)).decode()}


def ses(items: Sequence[Item], key: str, at: datetime) -> Post:
    return posted(json.dumps(envelope(json.dumps(items[0]), key, at)).encode())


def _ses_parser(keys: tuple[str, ...]) -> EventParser:
    return SesEvents(keys, fetch=amazon)


SPEAKERS: Final = {
    speaker.name: speaker
    for speaker in (
        Speaker(
            "ses",
            _ses_parser,
            (TOPICS[0], TOPICS[1]),
            TOPICS[2],
            ses,
            most_items=1,
            most_age=timedelta(hours=1),
        ),
        Speaker("sendgrid", SendgridEvents, (curve_key(), curve_key()), curve_key(), sendgrid),
        Speaker("mailgun", MailgunEvents, ("key-new", "key-old"), "key-none", mailgun, signs_body=False, most_items=1),
        Speaker(
            "postmark",
            PostmarkEvents,
            ("post:new", "post:old"),
            "post:none",
            with_password,
            signs_time=False,
            signs_body=False,
        ),
        Speaker("resend", ResendEvents, (standard_key(), standard_key()), standard_key(), standard("svix")),
        Speaker(
            "brevo",
            BrevoEvents,
            ("brevo:new", "brevo:old"),
            "brevo:none",
            with_password,
            signs_time=False,
            signs_body=False,
        ),
        Speaker("webhook", WebhookEvents, (standard_key(), standard_key()), standard_key(), standard("webhook")),
    )
}
assert set(SPEAKERS) == set(PROVIDERS)
