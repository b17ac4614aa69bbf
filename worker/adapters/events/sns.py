"""What Amazon SNS signs, and how that is proved. Knows nothing of mail.

The certificate is fetched from Amazon's own hosts only, over TLS, without redirects, and kept for the process's life.
https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html, 2026-11-28.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

import httpx
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.x509 import Certificate, load_pem_x509_certificate

from worker.adapters.events.proving import check_age
from worker.adapters.events.reading import dig, text
from worker.errors import FetchError, UnprovenError
from worker.hearsay import Post

Fetch = Callable[[str], bytes]
"""Returns what lies at an address of Amazon's. Raises `FetchError`."""

MOST_AGE: Final = timedelta(hours=1)
"""SNS signs when it published, not when it delivers, and may try for an hour. Its signed id makes a repeat harmless."""

_HOST: Final = re.compile(r"sns\.[a-z0-9-]{3,40}\.amazonaws\.com(\.cn)?")
_MOST_BYTES: Final = 65_536
_TIMEOUT_S: Final = 10.0
_HASHES: Final = {"1": SHA1, "2": SHA256}  # 1 is what a topic is made with
_SIGNED: Final = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    **dict.fromkeys(
        ("SubscriptionConfirmation", "UnsubscribeConfirmation"),
        ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    ),
}


def check_signature(envelope: object, post: Post, fetch: Fetch) -> None:
    """Make sure that SNS has signed an envelope, within the last hour. Raises `UnprovenError`, `FetchError`."""
    names, hash_type = _SIGNED.get(text(envelope, "Type")), _HASHES.get(text(envelope, "SignatureVersion"))
    if names is None or hash_type is None:
        raise UnprovenError("it is not a message that SNS signs")
    certificate = _certificate(fetch, _amazons(text(envelope, "SigningCertURL"), ending=".pem"))
    if not certificate.not_valid_before_utc <= post.received_at <= certificate.not_valid_after_utc:
        raise UnprovenError("the certificate is not valid now")
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        raise UnprovenError("the certificate is not SNS's")
    signed = _signed(envelope, names)
    try:
        signature = base64.b64decode(text(envelope, "Signature"), validate=True)
        key.verify(signature, signed.encode(errors="replace"), PKCS1v15(), hash_type())
    except (InvalidSignature, ValueError, binascii.Error) as error:
        raise UnprovenError("the signature does not fit") from error
    check_age(_written_at(envelope), post, most=MOST_AGE)


def _signed(envelope: object, names: tuple[str, ...]) -> str:
    """Return what is signed: names and values as lines. No value may hold the lines of a field that is left out."""
    fields = {name: value for name in names if isinstance(value := dig(envelope, name), str)}
    is_whole = fields.keys() >= set(names) - {"Subject"}
    if not is_whole or any("\n" in value for name, value in fields.items() if name not in {"Message", "Subject"}):
        raise UnprovenError("it is not a message that SNS signs")
    return "".join(f"{name}\n{value}\n" for name, value in fields.items())


def _written_at(envelope: object) -> float:
    try:
        at = datetime.fromisoformat(text(envelope, "Timestamp"))
    except ValueError as error:
        raise UnprovenError("it is signed without a time") from error
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def confirm(envelope: object, fetch: Fetch) -> None:
    """Say yes to a subscription, as whoever made the topic has asked. Raises `FetchError`."""
    fetch(_amazons(text(envelope, "SubscribeURL"), ending="/"))


def fetch_from_amazon(url: str) -> bytes:
    """Get what lies at an address. Raises `FetchError`."""
    try:
        with httpx.stream("GET", url, timeout=_TIMEOUT_S, follow_redirects=False) as answer:
            body = b""
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > _MOST_BYTES:
                    raise FetchError("Amazon's answer is far too long")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise FetchError(f"Amazon does not answer: {type(error).__name__}") from error
    if answer.status_code != 200:
        raise FetchError(f"Amazon answers {answer.status_code}", status=answer.status_code)
    return body


@lru_cache(maxsize=32)
def _certificate(fetch: Fetch, url: str) -> Certificate:
    try:
        return load_pem_x509_certificate(fetch(url))
    except ValueError as error:
        raise UnprovenError("there is no certificate where it says") from error


def _amazons(url: str, *, ending: str) -> str:
    """Return an address that is SNS's own. Raises `UnprovenError` for any other."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise UnprovenError("it names an address that is none") from error
    is_amazons = parts.scheme == "https" and _HOST.fullmatch(parts.netloc)
    if not is_amazons or not parts.path.endswith(ending):
        raise UnprovenError("it names an address that is not Amazon's")
    return url
