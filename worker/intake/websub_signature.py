"""Checks the signature of a push while its body comes in (WebSub, sections 7.1.1 and 7.1.2).

Pure: it is given the header, the secret and the bytes. Called by the web's callback.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

_METHODS: Final = {"sha1": hashlib.sha1, "sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}


class SignatureCheck:
    """A signature that is checked as the body comes in, in constant time.

    >>> check = SignatureCheck("sha1=" + hmac.digest(b"key", b"body", "sha1").hex(), secret="key")
    >>> check.feed(b"bo"), check.feed(b"dy"), check.holds()
    (None, None, True)
    >>> SignatureCheck("", secret="key").holds()
    False
    """

    def __init__(self, header: str, *, secret: str) -> None:
        method, _, given = header.strip().partition("=")
        digest = _METHODS.get(method.strip().lower())
        self._given = given.strip().lower().encode("ascii", "replace")
        self._mac = hmac.new(secret.encode(), digestmod=digest) if digest else None

    def feed(self, data: bytes) -> None:
        """Take the next part of the body."""
        if self._mac is not None:
            self._mac.update(data)

    def holds(self) -> bool:
        """Tell whether the header signs what has come in. A method that we do not know signs nothing."""
        return self._mac is not None and hmac.compare_digest(self._mac.hexdigest().encode(), self._given)
