"""DKIM: the signatures that stand above a message (RFC 6376), by RSA and by Ed25519 (RFC 8463), or by both.

Every field that we write is signed. Those by which a mail is read are named once more than they occur, so that nobody
can add a second From or Subject to a message of ours, nor a Cc; the others not, since relays add some of their own
(Amazon SES a Feedback-ID). Canonicalisation is relaxed for the header, which relays fold anew, and simple for the body,
which is hashed as it is (relaxed would cost fifty times as much). The time of a signature is the message's own: same
message, same bytes. Pure: `run_signer` reads the key files.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from hashlib import sha256
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from nacl.bindings import crypto_sign, crypto_sign_BYTES, crypto_sign_seed_keypair

from worker.errors import ConfigurationError
from worker.model import Pieces
from worker.rendering.fields import unfolded
from worker.rendering.holes import joined
from worker.rendering.prose import wrap

RSA: Final = "rsa-sha256"
ED25519: Final = "ed25519-sha256"

_RSA_BITS: Final = 2048  # receivers ignore shorter than 1024 and distrust shorter than this (RFC 8301)
_NEVER_TO_BE_ADDED: Final = ("from", "to", "cc", "reply-to", "subject", "date", "mime-version", "content-type")
_FIELD: Final = "DKIM-Signature: "
_LINE_CHARS: Final = 74
_PADDING: Final = padding.PKCS1v15()
_SHA256: Final = SHA256()
_LABELS: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Signature:
    """A key by its name in DNS, and by its public half's fingerprint: the SHA-256 of its DER, in hex."""

    selector: str
    algorithm: str
    fingerprint: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SigningKey(Signature):
    """A private key, parsed."""

    sign: Callable[[bytes], bytes] = field(repr=False)


def read_key(pem: bytes, *, selector: str, algorithm: str, name: str) -> SigningKey:
    """Read a private key from PEM.

    Raises `ConfigurationError`, which calls the key by `name`, when it is of another kind, too short, or encrypted.
    """
    if not _LABELS.fullmatch(selector):
        raise ConfigurationError(f"{name}: the selector {selector!r} is no name for DNS; write one such as rsa202611")
    key = _parsed(pem, name)
    named = partial(SigningKey, selector=selector, algorithm=algorithm)
    if algorithm == RSA and isinstance(key, RSAPrivateKey):
        if key.key_size < _RSA_BITS:
            advice = f"make one of {_RSA_BITS} with `tocsin dkim new`"
            raise ConfigurationError(f"{name}: a key of {key.key_size} bits is too short for receivers: {advice}")
        return named(fingerprint=_fingerprint(key), sign=lambda data: key.sign(data, _PADDING, _SHA256))
    if algorithm == ED25519 and isinstance(key, Ed25519PrivateKey):  # RFC 8463, 3: what is signed is the hash
        sign = _by_libsodium(key)
        return named(fingerprint=_fingerprint(key), sign=lambda data: sign(sha256(data).digest()))
    raise ConfigurationError(f"{name}: the key is of another kind than {algorithm} needs: see `tocsin dkim new --help`")


class Seal:
    """What the signatures of all messages of one content share: the header's canonical form, each key's own tags.

    And how their bodies begin, which is hashed once for all of them.
    """

    def __init__(self, header: Pieces, tags: Sequence[tuple[SigningKey, str]], opening: bytes) -> None:
        self._header, self._tags = header, tags
        self._opening, self._begun = opening, sha256(opening)

    def sign(self, values: Mapping[str, str], *, body: bytes, at: datetime) -> bytes:
        """Return the signature fields, to stand above the header whose holes these values fill."""
        header = unfolded(self._header.fill(values))
        digest = b64encode(self._hash(_simple(body))).decode()
        fields: list[str] = []
        for key, tags in self._tags:
            stamp = f"{tags}\r\n t={int(at.timestamp())}; bh={digest};\r\n b="
            signature = key.sign(f"{header}dkim-signature:{unfolded(stamp.removeprefix(_FIELD))}".encode())
            fields += (stamp, _folded(b64encode(signature).decode()), "\r\n")
        return "".join(fields).encode()

    def _hash(self, body: bytes) -> bytes:
        if not body.startswith(self._opening):  # an opening that ends in empty lines may be shortened
            return sha256(body).digest()
        hashed = self._begun.copy()
        hashed.update(memoryview(body)[len(self._opening) :])
        return hashed.digest()


class Signer:
    """Signs for one domain, in ASCII, with one key or several: every message carries a signature of each."""

    def __init__(self, *, domain: str, keys: Sequence[SigningKey]) -> None:
        self.domain, self.keys = domain, tuple(keys)

    def seal(self, lines: Sequence[tuple[str, Pieces]], *, opening: bytes = b"") -> Seal:
        """Prepare the signatures of all messages with these header fields, whose bodies all begin with `opening`."""
        names = [name.lower() for name, _ in lines]
        h = ": ".join([*names, *_NEVER_TO_BE_ADDED])
        return Seal(
            joined(part for name, value in lines for part in (f"{name.lower()}:", value, "\r\n")),
            [(key, self._tags(key, h)) for key in self.keys],
            opening,
        )

    def as_it_was(self, domain: str, signatures: Sequence[Signature]) -> Signer | None:
        """Return what signs as an earlier one did, with those of its keys that are at hand; None with none of them."""
        at_hand = {key.fingerprint: key for key in self.keys}
        known = (one for one in signatures if one.fingerprint in at_hand)
        keys = [replace(at_hand[one.fingerprint], selector=one.selector) for one in known]
        return Signer(domain=domain, keys=keys) if keys else None

    @property
    def signatures(self) -> tuple[Signature, ...]:
        """By which keys a message is signed."""
        return tuple(
            Signature(selector=key.selector, algorithm=key.algorithm, fingerprint=key.fingerprint) for key in self.keys
        )

    @property
    def takes_long(self) -> bool:
        """Whether a signature takes many times as long as all the rest of a message: RSA's does, Ed25519's does not."""
        return any(key.algorithm == RSA for key in self.keys)

    def _tags(self, key: SigningKey, h: str) -> str:
        tags = f"v=1; a={key.algorithm}; c=relaxed/simple; d={self.domain}; s={key.selector}; h={h};"
        return wrap(_FIELD + tags, width=_LINE_CHARS).replace("\n", "\r\n ")


def is_aligned(domain: str, from_domain: str) -> bool:
    """Tell whether a signature of one domain may speak for a From of the other (RFC 7489, 3.1.1, relaxed).

    Where registries of names end (`co.uk`) only DNS can tell, so two domains with the same last two labels pass.

    >>> is_aligned("courier.example", "news.courier.example"), is_aligned("mailer.example", "courier.example")
    (True, False)
    """
    return domain.lower().split(".")[-2:] == from_domain.lower().split(".")[-2:]


def _by_libsodium(key: Ed25519PrivateKey) -> Callable[[bytes], bytes]:
    """Return how a key signs: the very bytes of RFC 8032 that OpenSSL would make, in little more than half its time.

    And other threads run meanwhile, where `cryptography` keeps the interpreter to itself.
    """
    _, secret = crypto_sign_seed_keypair(key.private_bytes_raw())
    return lambda data: crypto_sign(data, secret)[:crypto_sign_BYTES]


def _fingerprint(key: RSAPrivateKey | Ed25519PrivateKey) -> str:
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return sha256(public).hexdigest()


def _parsed(pem: bytes, name: str) -> object:
    try:
        return load_pem_private_key(pem, password=None)
    except TypeError as error:
        raise ConfigurationError(f"{name}: the key is encrypted; write it without a passphrase") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        advice = "make one with `tocsin dkim new`"
        raise ConfigurationError(f"{name}: this is no private key in PEM that can be read: {advice}") from error


def _simple(body: bytes) -> bytes:
    """Canonicalise a body: all of its empty last lines become one line end (RFC 6376, 3.4.3)."""
    if body.endswith(b"\r\n") and not body.endswith(b"\r\n\r\n") and body != b"\r\n":
        return body
    return body.rstrip(b"\r\n") + b"\r\n"


def _folded(signature: str) -> str:
    return "\r\n ".join(signature[at : at + _LINE_CHARS] for at in range(0, len(signature), _LINE_CHARS))
