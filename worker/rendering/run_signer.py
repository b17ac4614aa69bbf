"""Reads the files of the keys that mail is signed with. Decides nothing; `wiring` calls it once in a mail worker."""

from __future__ import annotations

from collections.abc import Iterable

from worker.errors import ConfigurationError
from worker.keys import SigningKeyFile, read_key_file
from worker.rendering.signing import Signer, is_aligned, read_key


def read_signer(files: Iterable[SigningKeyFile], *, domain: str, from_domain: str) -> Signer | None:
    """Return what signs for a domain; None where there is no key.

    Raises `ConfigurationError` for a key that is of no use, and for a domain that cannot speak for From.
    """
    keys = [
        read_key(
            read_key_file(key.file),
            selector=key.selector,
            algorithm=key.algorithm,
            name=f"{key.variable}={key.file}",
        )
        for key in files
    ]
    if keys and not is_aligned(domain, from_domain):
        raise ConfigurationError(
            f"TOCSIN_DKIM_DOMAIN={domain} cannot speak for mail from {from_domain}: leave it out, or set {from_domain}"
        )
    return Signer(domain=domain, keys=keys) if keys else None
