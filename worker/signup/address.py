"""What an address is, and when two of them are one mailbox.

Decides by syntax only: no DNS, no guessing at providers' rules: `a.b@` and `ab@` stay two people, a `+tag` stays.
Pure. The pages, the API and the import normalise before anything is looked up or stored.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email

from worker.errors import InputError

_HINT = "write it as name@example.org"
_LONGEST = 320  # far beyond what RFC 5321 allows, and short enough to be looked at


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
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


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:80] + "…")


def _first_sentence(error: Exception) -> str:
    sentence = " ".join(str(error).split()).partition(". ")[0].rstrip(".")
    return sentence[:1].lower() + sentence[1:]
