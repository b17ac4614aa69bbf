"""Signed links and return paths: short, bound to one purpose, free of addresses.

Signs and reads, stores nothing. Rendering's links come from here, web's pages read them, and feedback learns from a
return path which delivery came back. Keys rotate: the newest signs, all verify for ever, since an unsubscribe link must
never stop working.

A token is `expiry.number.number.signature`: base-36 numbers, and an HMAC-SHA256 under a key of its purpose's own. Each
message carries four, so keys are derived once.
"""

from __future__ import annotations

import hmac
import re
from binascii import b2a_base64
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from typing import Final

from worker.errors import TokenError
from worker.model import DeliveryId

_FORGED: Final = "this link is damaged or was not made by us"
_NAME: Final = b"tocsin.name-of-key"
_BLOCK_BYTES: Final = 64  # of SHA-256
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_PAIRS: Final = tuple(first + second for first in _DIGITS for second in _DIGITS)
_URLSAFE: Final = bytes.maketrans(b"+/", b"-_")
# Searched for anywhere, since forwarders wrap it: SRS0=x=y=courier.example=b.TOKEN@forwarder.example, and BATV alike.
_RETURN_PATH: Final = re.compile(r"(?<![\w.-])b\.([\w.-]+)@", re.ASCII | re.IGNORECASE)


class Purpose(StrEnum):
    """What a link may be used for; a link for one is refused for any other."""

    CONFIRM = "confirm"
    PREFERENCES = "preferences"
    UNSUBSCRIBE = "unsubscribe"
    VIEW = "view"
    RETURN_PATH = "return-path"
    FORM = "form"  # the moment at which a sign-up form was shown
    PATIENCE = "patience"  # the moment since which somebody waits in place of solving a puzzle
    CLICK = "click"  # to a story of an edition: the same for all its readers
    OPEN = "open"
    CURSOR = "cursor"  # where a page of a list ends
    IMAGE = "image"  # a story's picture, the same for every reader
    PREVIEW = "preview"  # an edition that an editor may look at before it goes
    WEBSUB = "websub"  # the callback of a subscription at a hub
    WEBSUB_SECRET = "websub-secret"  # noqa: S105  a purpose, too: what that hub signs with
    # Of the letters about a reader's own business:
    DATA = "data"
    FORGET = "forget"
    MOVE = "move"
    NEW_ADDRESS = "new-address"
    TAKE_BACK = "take-back"


class Tokens:
    """Makes and reads signed links. `keys` are ordered newest first."""

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise ValueError("at least one key is needed")
        self._secrets = tuple(keys)
        self._names = tuple(hmac.digest(key.encode(), _NAME, "sha256").hex()[:16] for key in keys)
        self._keys = {purpose: tuple(_Key(key, purpose) for key in keys) for purpose in Purpose}

    @property
    def signing_key(self) -> str:
        """The name of the key that signs: 16 hex digits, which tell nothing of it."""
        return self._names[0]

    def signing_with(self, name: str) -> Tokens | None:
        """Return what signs with another of these keys, by its `signing_key`; None when it is none of them."""
        if name not in self._names:
            return None
        first = self._secrets[self._names.index(name)]
        return Tokens([first, *(key for key in self._secrets if key != first)])

    def sign(self, purpose: Purpose, *numbers: int, expires_at: datetime | None = None) -> str:
        """Return a token of letters, digits, `-`, `_` and `.` that carries `numbers`: same input, same token.

        It begins with a letter or digit. Two numbers of 12 digits and an expiry make 67 characters.
        """
        expiry = int(expires_at.timestamp()) if expires_at else 0
        payload = ".".join(map(_base36, (expiry, *numbers)))
        return f"{payload}.{self._keys[purpose][0].signature(payload.encode()).decode()}"

    def read(self, purpose: Purpose, token: str, *, now: datetime) -> tuple[int, ...]:
        """Return the numbers that `sign` was given. Raises `TokenError`; a retry never helps."""
        expiry, *numbers = self._verified(purpose, token)
        if expiry and now >= datetime.fromtimestamp(expiry, UTC):
            raise TokenError("this link has expired", expired=True)
        return tuple(numbers)

    def read_any(self, purposes: Sequence[Purpose], token: str, *, now: datetime) -> tuple[Purpose, tuple[int, ...]]:
        """Return which of several purposes a token was signed for, and its numbers. Raises `TokenError` as `read`."""
        for purpose in purposes:
            try:
                return purpose, self.read(purpose, token, now=now)
            except TokenError as error:
                if error.expired:
                    raise
        raise TokenError(_FORGED)

    def return_path(self, delivery_id: DeliveryId, *, domain: str) -> str:
        """Return the envelope sender of one delivery, to which its bounces come back."""
        return f"b.{self.sign(Purpose.RETURN_PATH, delivery_id)}@{domain}"

    def delivery_of(self, return_path: str) -> DeliveryId | None:
        """Return the delivery whose return path this is, or is within; None when no return path of ours is in it.

        Some mail servers write local parts in small letters, so its letters may be of either case.
        """
        for found in _RETURN_PATH.finditer(return_path):
            try:
                _, number = self._verified(Purpose.RETURN_PATH, found[1], any_case=True)
            except TokenError:
                continue
            return DeliveryId(number)
        return None

    def _verified(self, purpose: Purpose, token: str, *, any_case: bool = False) -> list[int]:
        """Return expiry and numbers. There is one spelling of a token, since a link that works once must have one."""
        given, _, signature = token.encode("ascii", "replace").rpartition(b".")
        payload = given.lower() if any_case else given
        for key in self._keys[purpose]:
            expected = key.signature(payload)
            if hmac.compare_digest(*((expected.lower(), signature.lower()) if any_case else (expected, signature))):
                return [int(part, 36) for part in payload.split(b".")]
        raise TokenError(_FORGED)


def keyed_hash(key: str, value: str) -> str:
    """Return the hex HMAC-SHA256 of `value`: how an address is known once it must not be readable."""
    return _begun(key).digest(value.encode()).hex()


class _Mac:
    """HMAC-SHA256 (RFC 2104) with both its hashes begun: half the cost of `hmac.copy`, a third of `hmac.digest`."""

    def __init__(self, key: bytes) -> None:
        block = (sha256(key).digest() if len(key) > _BLOCK_BYTES else key).ljust(_BLOCK_BYTES, b"\0")
        self._inner, self._outer = (sha256(bytes(byte ^ pad for byte in block)) for pad in (0x36, 0x5C))

    def digest(self, payload: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(payload)
        outer.update(inner.digest())
        return outer.digest()


@lru_cache(maxsize=8)  # of a house's one key, but for tests
def _begun(key: str) -> _Mac:
    return _Mac(key.encode())


class _Key:
    """One of the house's secret keys, as it signs for a purpose."""

    def __init__(self, key: str, purpose: Purpose) -> None:
        self._mac = _Mac(hmac.digest(key.encode(), f"tocsin.{purpose}".encode(), "sha256"))

    def signature(self, payload: bytes) -> bytes:
        return b2a_base64(self._mac.digest(payload), newline=False).translate(_URLSAFE, b"=")


@lru_cache(maxsize=1024)  # a message says its reader's and its own number several times
def _base36(number: int) -> str:
    if number < 0:
        raise ValueError("tokens carry no negative numbers")
    digits = ""
    while number:
        number, pair = divmod(number, len(_PAIRS))
        digits = _PAIRS[pair] + digits
    return digits.lstrip("0") or "0"
