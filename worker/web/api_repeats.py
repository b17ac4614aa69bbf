"""Requests that may be sent again: an `Idempotency-Key` makes a POST happen once, and its answer come again.

As draft-ietf-httpapi-idempotency-key-header says: the same key with another request is refused (422), one whose first
is still being answered too (409), any other gets the first's answer. Only what has succeeded is kept, for a day: what
failed changed nothing, and may be sent again, mended too. Neither keys nor bodies are stored, only keyed hashes.
Called by `api_door`.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

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
                text = body.decode()
                requests.answer(conn, self.key_hash, claim=self.claim, status=status, headers=kept, body=text)
            else:
                requests.let_go(conn, self.key_hash, claim=self.claim)


def repeatable(
    database: Database, secret: str, *, holder: str, key: str, asked: tuple[str, str], body: bytes
) -> Repeatable:
    """Return a request by its key, its holder's name, its method and target, and its body."""
    hashed: Callable[..., str] = lambda *parts: keyed_hash(secret, "\n".join(("request", *parts)))  # noqa: E731  used twice, here
    method, target = asked
    return Repeatable(
        database=database,
        key_hash=hashed(holder, key),
        fingerprint=hashed(method, target, body.decode("latin-1")),
    )
