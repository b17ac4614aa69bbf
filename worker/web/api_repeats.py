"""Requests that may be sent again: an `Idempotency-Key` makes a POST happen once, and its answer come again.

As draft-ietf-httpapi-idempotency-key-header says: the same key with another request is refused (422), one whose first
is still being answered too (409), any other gets the first's answer. Only what has succeeded is kept, for a day: what
failed changed nothing, and may be sent again, mended too. Neither keys nor bodies are stored, only keyed hashes, and an
answer is sealed with the very key that it is asked for by: whoever reads the table reads none. Called by `api_door`.
"""

from __future__ import annotations

import re
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Final

from cryptography.fernet import Fernet

from worker.store import requests
from worker.store.database import Database
from worker.store.requests import Told
from worker.tokens import keyed_hash

HEADER: Final = "Idempotency-Key"
_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")
_KEPT_HEADERS: Final = frozenset({"content-type", "etag", "link", "location"})


def read_key(written: str) -> str | None:
    r"""Return the key that a header names, as a quoted string (RFC 8941) or bare; None for what is no key.

    >>> read_key('"8e03978e"'), read_key("8e03978e"), read_key('"a b"'), read_key("")
    ('8e03978e', '8e03978e', None, None)
    """
    text = written.strip()
    bare = text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text
    return bare if _KEY.fullmatch(bare) else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Repeatable:
    """One request under its key: `key_hash` names the two, `fingerprint` what is asked."""

    database: Database
    key_hash: str
    fingerprint: str
    seal: Fernet
    claim: str = field(default_factory=lambda: secrets.token_hex(16))

    def begin(self) -> Told | None:
        """Make the request ours to answer, None; or return what is known of it."""
        with self.database.write() as conn:
            return requests.begin(conn, self.key_hash, fingerprint=self.fingerprint, claim=self.claim)

    def end(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        """Keep the answer, if it is one that a repetition is to get."""
        with self.database.write() as conn:
            if 200 <= status < 300:
                kept = {name.decode(): value.decode() for name, value in headers if name.decode() in _KEPT_HEADERS}
                sealed = self.seal.encrypt(body).decode()
                requests.answer(conn, self.key_hash, claim=self.claim, status=status, headers=kept, body=sealed)
            else:
                requests.let_go(conn, self.key_hash, claim=self.claim)

    def opened(self, told: Told) -> bytes:
        """Return the body of an answer that was kept."""
        return self.seal.decrypt(told.body.encode())


def repeatable(
    database: Database, secret: str, *, holder: str, key: str, asked: tuple[str, str], body: bytes
) -> Repeatable:
    """Return a request by its key, its holder's name, its method and target, and its body."""
    method, target = asked
    key_hash = keyed_hash(secret, f"request\n{holder}\n{key}")
    sealing = bytes.fromhex(keyed_hash(secret, f"answer\n{holder}\n{key}"))
    return Repeatable(
        database=database,
        key_hash=key_hash,
        fingerprint=keyed_hash(secret, f"{key_hash}\n{method}\n{target}\n{body.decode('latin-1')}"),
        seal=Fernet(urlsafe_b64encode(sealing)),
    )
