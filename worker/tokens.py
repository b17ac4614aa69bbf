"""Signed links: short, bound to one purpose, free of addresses.

Signs and reads, stores nothing. Rendering's links come from here; web's pages read them. Keys rotate: the newest signs,
all verify for ever, since an unsubscribe link must never stop working. The signing itself is itsdangerous'.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from itsdangerous import BadSignature, Signer
from itsdangerous.encoding import base64_decode, base64_encode

from worker.errors import TokenError

_FORGED: Final = "this link is damaged or was not made by us"


class Purpose(StrEnum):
    """What a link may be used for; a link for one is refused for any other."""

    CONFIRM = "confirm"
    PREFERENCES = "preferences"
    UNSUBSCRIBE = "unsubscribe"
    VIEW = "view"
    RETURN_PATH = "return-path"


class Tokens:
    """Makes and reads signed links. `keys` are ordered newest first."""

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise ValueError("at least one key is needed")
        self._oldest_first = list(reversed(keys))

    def sign(self, purpose: Purpose, *numbers: int, expires_at: datetime | None = None) -> str:
        """Return a token of letters, digits, `-`, `_` and `.` that carries `numbers`: same input, same token."""
        expiry = int(expires_at.timestamp()) if expires_at else 0
        payload = ".".join(_base36(number) for number in (expiry, *numbers))
        return self._signer(purpose).sign(payload).decode()

    def read(self, purpose: Purpose, token: str, *, now: datetime) -> tuple[int, ...]:
        """Return the numbers that `sign` was given. Raises `TokenError`; a retry never helps."""
        try:
            payload = self._signer(purpose).unsign(token.encode("ascii", "replace")).decode()
            _check_spelling(token)
            expiry, *numbers = (int(part, 36) for part in payload.split("."))
        except (BadSignature, ValueError) as error:
            raise TokenError(_FORGED) from error
        if expiry and now >= datetime.fromtimestamp(expiry, UTC):
            raise TokenError("this link has expired", expired=True)
        return tuple(numbers)

    def _signer(self, purpose: Purpose) -> Signer:
        return Signer(self._oldest_first, salt=f"tocsin.{purpose}", key_derivation="hmac", digest_method=hashlib.sha256)


def keyed_hash(key: str, value: str) -> str:
    """Return the hex HMAC-SHA256 of `value`: how an address is known once it must not be readable."""
    return hmac.new(key.encode(), value.encode(), hashlib.sha256).hexdigest()


def _check_spelling(token: str) -> None:
    """Refuse a signature in another spelling: base64 has spare bits, and a link that works once must have one form."""
    signature = token.rpartition(".")[2]
    if base64_encode(base64_decode(signature)).decode() != signature:
        raise BadSignature("not spelt as we spell it")


def _base36(number: int) -> str:
    if number < 0:
        raise ValueError("tokens carry no negative numbers")
    digits = ""
    while True:
        number, rest = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
        if not number:
            return digits
