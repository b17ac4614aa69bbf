"""Proofs that a request comes from the provider: passwords, HMACs, and an age limit. All comparisons take equal time.

Each takes every key that is in force, since during a rotation there are two.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from worker.errors import ConfigurationError, UnprovenError
from worker.hearsay import Post

MOST_AGE: Final = timedelta(minutes=5)
_SVIX_PREFIX: Final = "whsec_"


def check_password(post: Post, keys: Sequence[str]) -> None:
    """Make sure that the request brings one of the keys: `user:password` as Basic, a word alone as Bearer.

    Without any key the secret in the address is proof enough. Raises `UnprovenError`.
    """
    if not keys:
        return
    kind, _, given = post.headers.get("authorization", "").partition(" ")
    given = _decoded(given) if kind.lower() == "basic" else given
    if not any(equal(given, key) and (":" in key) is (kind.lower() == "basic") for key in keys):
        raise UnprovenError("the password is missing or wrong", asks_password=True)


def check_age(written_at: object, post: Post, *, most: timedelta = MOST_AGE) -> None:
    """Make sure that a signed time lies no further away than `most`, in either direction. Raises `UnprovenError`."""
    try:
        at = datetime.fromtimestamp(float(str(written_at)), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise UnprovenError("it is signed without a time") from error
    if abs(post.received_at - at) > most:
        raise UnprovenError(f"it was signed more than {most.total_seconds() / 60:g} minutes ago, or by another clock")


def check_standard(post: Post, secrets: Sequence[str], *, prefix: str) -> None:
    """Check a signature of Svix, or of Standard Webhooks, which took its scheme over: id, time and body, by HMAC.

    `prefix` begins the headers' names. https://docs.svix.com/receiving/verifying-payloads/how-manual, and
    https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, 2026-11-28.
    """
    message_id, at = (post.headers.get(f"{prefix}-{name}", "") for name in ("id", "timestamp"))
    check_age(at, post)
    signed = f"{message_id}.{at}.".encode() + post.body
    expected = [base64.b64encode(hmac.digest(standard_key(secret), signed, hashlib.sha256)) for secret in secrets]
    given = post.headers.get(f"{prefix}-signature", "").split()
    if not any(equal(one, f"v1,{key.decode()}") for one in given for key in expected):
        raise UnprovenError("the signature does not fit")


def standard_key(secret: str) -> bytes:
    """Return the bytes that a secret of Standard Webhooks stands for. Raises `ConfigurationError`."""
    try:
        key = base64.b64decode(secret.removeprefix(_SVIX_PREFIX), validate=True)
    except (ValueError, binascii.Error) as error:
        raise ConfigurationError("the secret must be base64, as the provider shows it: whsec_...") from error
    if not key:
        raise ConfigurationError("the secret is empty: anybody could sign with it")
    return key


def hmac_hex(keys: Iterable[str], signed: str, given: str) -> bool:
    """Tell whether a hexadecimal HMAC-SHA256 fits any of the keys."""
    return any(equal(given, hmac.digest(key.encode(), signed.encode(), hashlib.sha256).hex()) for key in list(keys))


def equal(given: str, expected: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(given.encode(errors="replace"), expected.encode(errors="replace"))


def _decoded(given: str) -> str:
    try:
        return base64.b64decode(given, validate=True).decode()
    except (ValueError, binascii.Error):
        return ""
