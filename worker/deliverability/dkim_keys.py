"""DKIM keys: made, read from their files, and written as the record that publishes them (RFC 6376, RFC 8463). Pure.

`run_keys` does the files. Signing has a place of its own; here a key is only named, measured and compared.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
)

RSA_BITS: Final = 2048  # more does not fit into one UDP answer everywhere, and gains nothing by it


class Algorithm(StrEnum):
    """The k= of a record."""

    RSA = "rsa"
    ED25519 = "ed25519"


@dataclass(frozen=True, kw_only=True, slots=True)
class PublicKey:
    """The half that everybody may know. `p` is what stands behind p= in the record."""

    algorithm: Algorithm
    bits: int
    p: str

    @property
    def record(self) -> str:
        """The text to publish."""
        return f"v=DKIM1; k={self.algorithm}; p={self.p}"


def new_private_key(algorithm: Algorithm) -> bytes:
    """Make a key and return it as PEM (PKCS 8, no passphrase)."""
    key = generate_private_key(65537, RSA_BITS) if algorithm is Algorithm.RSA else Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_key(pem: bytes) -> PublicKey:
    """Return the public half of a private key. Raises `ValueError`, which never quotes the key.

    >>> public_key(new_private_key(Algorithm.ED25519)).record[:22]
    'v=DKIM1; k=ed25519; p='
    """
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("is no private key in PEM without a passphrase") from None
    if isinstance(key, RSAPrivateKey):
        return _of_rsa(key.public_key())
    if isinstance(key, Ed25519PrivateKey):
        return PublicKey(algorithm=Algorithm.ED25519, bits=256, p=_base64(key.public_key()))
    raise ValueError("is neither an RSA nor an Ed25519 key")


def published_key(algorithm: str, p: str) -> PublicKey | None:
    """Return the key of a record's p=; None where no key can be read from it.

    RSA keys come as RFC 6376 says and as everybody writes them, with and without the algorithm around the numbers.
    """
    try:
        data = base64.b64decode("".join(p.split()), validate=True)
        if algorithm == Algorithm.ED25519:
            Ed25519PublicKey.from_public_bytes(data)
            return PublicKey(algorithm=Algorithm.ED25519, bits=256, p=base64.b64encode(data).decode())
        key = load_der_public_key(data)
    except (ValueError, binascii.Error, UnsupportedAlgorithm):
        return None
    return _of_rsa(key) if isinstance(key, RSAPublicKey) else None


def _of_rsa(key: RSAPublicKey) -> PublicKey:
    return PublicKey(algorithm=Algorithm.RSA, bits=key.key_size, p=_base64(key))


def _base64(key: RSAPublicKey | Ed25519PublicKey) -> str:
    if isinstance(key, RSAPublicKey):
        data = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    else:
        data = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return base64.b64encode(data).decode()
