"""What makes an address doubtful though it is well written: a slip in a well-known domain, or a mailbox to throw away.

Decides what a page should ask its reader once more. Never says no by itself: whoever means it may insist, but for
throw-away mailboxes where the operator refuses these. Knows nothing of DNS and asks nobody. Pure.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from string import ascii_lowercase, digits
from typing import Final

from worker.errors import InputError
from worker.signup.address import Address

# The mailboxes of most readers, the commonest first.
_PROVIDERS: Final = (
    "gmail.com", "outlook.com", "hotmail.com", "yahoo.com",
    "naver.com", "hanmail.net", "daum.net", "icloud.com", "kakao.com", "nate.com", "korea.com",
    "live.com", "aol.com", "msn.com", "protonmail.com", "fastmail.com", "googlemail.com", "yahoo.co.jp", "yahoo.co.uk",
    "hotmail.co.uk", "btinternet.com", "docomo.ne.jp", "t-online.de", "freenet.de", "orange.fr", "wanadoo.fr",
    "laposte.net", "libero.it", "comcast.net", "verizon.net", "sbcglobal.net", "rediffmail.com", "yandex.ru",
    "uol.com.br",
)  # fmt: skip
# Right as they are, though one slip away from one above; the second, with any country's ending.
_RIGHT: Final = frozenset(
    {"mail.com", "email.com", "ymail.com", "rocketmail.com", "gmx.com", "gmx.net", "proton.me", "pm.me", "me.com"}
)
_EVERYWHERE: Final = frozenset({"yahoo", "hotmail", "live", "outlook", "gmx", "aol", "yandex", "zoho", "msn"})
_COUNTRY: Final = re.compile(r"(?:com?\.)?(?!co$|cm$)[a-z]{2}")
_OF_ONE_ENDING: Final = {known.partition(".")[0]: known for known in _PROVIDERS[:1] + _PROVIDERS[4:9]}
_LONG: Final = 9  # characters of a domain from which on any slip is likelier than another domain


class Disposable(StrEnum):
    """What is done about mailboxes to throw away."""

    ALLOW = "allow"
    WARN = "warn"
    REFUSE = "refuse"


@dataclass(frozen=True, kw_only=True, slots=True)
class Doubt:
    """Why an address should be looked at again: `instead` is what was probably meant, None for a throw-away mailbox."""

    instead: str | None = None
    is_refused: bool = False


def doubt(address: Address, *, disposable: Disposable) -> Doubt | None:
    """Say what is doubtful about an address; None for nothing.

    >>> from worker.signup.address import normalise
    >>> doubt(normalise("jo@gmial.com"), disposable=Disposable.WARN)
    Doubt(instead='jo@gmail.com', is_refused=False)
    >>> doubt(normalise("jo@a.mailinator.com"), disposable=Disposable.REFUSE)
    Doubt(instead=None, is_refused=True)
    >>> doubt(normalise("jo@mailinator.com"), disposable=Disposable.ALLOW)
    """
    domain = address.key.rpartition("@")[2]
    if meant := meant_domain(domain):
        return Doubt(instead=f"{address.text.rpartition('@')[0]}@{meant}")
    if disposable is not Disposable.ALLOW and is_disposable(domain):
        return Doubt(is_refused=disposable is Disposable.REFUSE)
    return None


def refuse_disposable(address: Address, *, disposable: Disposable) -> None:
    """Raise `InputError` for a throw-away mailbox where the operator takes none."""
    if disposable is Disposable.REFUSE and is_disposable(address.key.rpartition("@")[2]):
        raise InputError("mailboxes that are thrown away are not taken", where="email", hint="write a lasting address")


@functools.lru_cache(maxsize=4096)
def meant_domain(domain: str) -> str | None:
    """Return the well-known domain that somebody has probably mistyped, None where it may well be right.

    >>> [meant_domain(domain) for domain in ("gmial.com", "gmail.con", "naver.co", "hanmial.net", "duam.net")]
    ['gmail.com', 'gmail.com', 'naver.com', 'hanmail.net', 'daum.net']
    >>> [meant_domain(domain) for domain in ("gmail.com", "mail.com", "courier.example", "yahoo.it", "qq.co")]
    [None, None, None, None, None]
    """
    name, _, ending = domain.partition(".")
    if domain in _PROVIDERS or domain in _RIGHT or (name in _EVERYWHERE and _COUNTRY.fullmatch(ending)):
        return None
    if ending and name in _OF_ONE_ENDING:
        return _OF_ONE_ENDING[name]
    return next((known for known in _PROVIDERS if domain in _slips(known)), None)


def is_disposable(domain: str) -> bool:
    """Tell whether a domain, or one that it belongs to, gives away mailboxes for a few minutes.

    >>> [is_disposable(domain) for domain in ("mailinator.com", "x.mailinator.com", "gmail.com", "com")]
    [True, True, False, False]
    """
    from disposable_email_domains import blocklist  # noqa: PLC0415  10,000 names, which only sign-ups need

    labels = domain.split(".")
    return any(".".join(labels[first:]) in blocklist for first in range(len(labels) - 1))


@functools.cache
def _slips(domain: str) -> frozenset[str]:
    """Return what comes of one slip: two letters that changed places; in long ones, one too many, too few or wrong."""
    return frozenset({*_swapped(domain), *(_mistyped(domain) if len(domain) >= _LONG else ())}) - {domain}


def _swapped(domain: str) -> Iterator[str]:
    for at in range(len(domain) - 1):
        yield domain[:at] + domain[at + 1] + domain[at] + domain[at + 2 :]


def _mistyped(domain: str) -> Iterator[str]:
    for at in range(len(domain) + 1):
        before, after = domain[:at], domain[at:]
        yield before + after[1:]
        for letter in ascii_lowercase + digits + "-.":
            yield before + letter + after
            yield before + letter + after[1:]
