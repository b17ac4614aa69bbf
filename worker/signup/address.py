"""What an address is, and when two of them are one mailbox.

Decides by syntax only: no DNS, no guessing at providers' rules: `a.b@` and `ab@` stay two people, a `+tag` stays.
Pure. The pages, the API and the import normalise before anything is looked up or stored.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import Final, NamedTuple

from email_validator import EmailNotValidError, validate_email
from email_validator.rfc_constants import CASE_INSENSITIVE_MAILBOX_NAMES

from worker.errors import InputError

_HINT = "write it as name@example.org"
_LONGEST = 320  # far beyond what RFC 5321 allows, and short enough to be looked at
_PLAIN_LOCAL: Final = re.compile(r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*")
_LONGEST_PLAIN: Final = 64  # a local part has no more (RFC 5321, 4.5.3.1.1); such a domain keeps the whole within 254
_CASELESS: Final = frozenset(CASE_INSENSITIVE_MAILBOX_NAMES)


class Address(NamedTuple):
    """A mailbox: `text` is what mail is sent to, `key` what it is found by, whatever its spelling."""

    text: str
    key: str


def normalise(written: str) -> Address:
    """Read an address as somebody typed it. Raises `InputError`; a retry never helps.

    Domains are compared in their ASCII form (RFC 5890, A-labels). The local part is lower-cased in the key only: a host
    may tell cases apart (RFC 5321, 2.4), hardly any does, and mail must go out as its owner writes the address.

    >>> normalise(" Jo+News@Exämple.org ")
    Address(text='Jo+News@exämple.org', key='jo+news@xn--exmple-cua.org')
    >>> normalise("jo.example.org")
    Traceback (most recent call last):
    worker.errors.InputError: 'jo.example.org' has no @ (write it as name@example.org)
    """
    local, _, domain = written.strip().partition("@")
    if len(local) <= _LONGEST_PLAIN >= len(domain) and _PLAIN_LOCAL.fullmatch(local):
        lower = local.lower()
        if (known := _plain_domain(domain)) and (lower not in _CASELESS or lower == local):
            return Address(text=f"{local}@{known[0]}", key=f"{lower}@{known[1]}")
    return normalise_any(written)


def normalise_any(written: str) -> Address:
    """Read an address of any kind, by the library's rules alone: what `normalise` does, at a hundred times its cost."""
    text = unicodedata.normalize("NFC", written.strip())
    if not text:
        raise InputError("there is no address", hint=_HINT)
    if "@" not in text:
        raise InputError(f"{_shown(text)} has no @", hint=_HINT)
    if len(text) > _LONGEST:
        raise InputError(f"{_shown(text)} is too long for an address", hint=_HINT)
    try:
        # test_environment lets the reserved name .test through (RFC 6761), which is what staging systems write to.
        known = validate_email(text, strict=True, check_deliverability=False, test_environment=True)
    except (EmailNotValidError, UnicodeError) as error:
        raise InputError(f"{_shown(text)} is not an address: {_first_sentence(error)}", hint=_HINT) from error
    return Address(text=known.normalized, key=f"{known.local_part.lower()}@{known.ascii_domain.lower()}")


@functools.lru_cache(maxsize=8192)  # a list of a million readers names few domains, each thousands of times
def _plain_domain(domain: str) -> tuple[str, str] | None:
    """Return how mail is sent to a domain and how it is compared, None for what is none, or is not plain ASCII."""
    if not domain.isascii():
        return None
    try:
        known = normalise_any(f"a@{domain}")
    except InputError:
        return None
    return known.text.removeprefix("a@"), known.key.removeprefix("a@")


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:80] + "…")


def _first_sentence(error: Exception) -> str:
    sentence = " ".join(str(error).split()).partition(". ")[0].rstrip(".")
    return sentence[:1].lower() + sentence[1:]
