"""Addresses as mail servers write them in bounces, found in text and made comparable.

Decides what can be the address of a recipient, and what is a machine's. Every pattern is linear in its text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

# Latin letters only: Chinese and Japanese text puts its words right beside an address. No nested repetition, so that a
# hostile line costs what it is long.
_LETTER: Final = r"A-Za-z0-9\u00c0-\u024f"
_LABEL: Final = rf"[{_LETTER}](?:[{_LETTER}_-]{{0,62}}[{_LETTER}])?"
BARE_ADDRESS: Final = (
    rf"(?:\"[^\"\s<>@]{{1,64}}\"|[{_LETTER}.!#$%&'*+/=?^_`{{|}}~-]{{1,128}})"
    rf"@(?:{_LABEL}\.){{1,10}}[A-Za-z\u00c0-\u024f][{_LETTER}-]{{0,62}}"
)
ADDRESS: Final = rf"(?<![{_LETTER}.!#$%&'*+/=?^_`{{|}}~@-]){BARE_ADDRESS}"
_ADDRESS: Final = re.compile(ADDRESS)
_EDGES: Final = " \t\r\n<>()[]\"';:,.*`"
_MACHINES: Final = re.compile(
    r"(?:mailer[-_.]?daemon|post_?master|mail[-_.]?daemon|mdaemon|daemon|root|abuse|no[-_.]?reply|"
    r"do[-_.]?not[-_.]?reply|"
    r"hostmaster|bounces?[-+.].*|bounces?|b\..*|mail-?errors?|antispam|spam)@",
    re.IGNORECASE,
)
_XTEXT: Final = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")
_ANY_SCRIPT: Final = re.compile(r"(?:\"[^\"<>@]{1,64}\"|[^\s<>@\"();,]{1,190})@[^\s<>@\"();,]{1,253}")
_VERP: Final = re.compile(r"[+-]([^+@=\s]{1,64})=([^@=\s]{3,190})@")


def addresses(text: str) -> Iterator[str]:
    """Find the addresses in a text, in order, as they are written.

    >>> list(addresses("<jo@example.org>: 550 no such user; see http://example.net/a@b or mail 'al.b@news.example'"))
    ['jo@example.org', 'al.b@news.example']
    """
    if "@" not in text:
        return
    for match in _ADDRESS.finditer(text):
        yield match[0].strip(_EDGES)


def normalised(address: str) -> str:
    """Return an address as it is compared: lower case, its domain in ASCII (RFC 5890).

    >>> normalised("Jo@Exämple.ORG")
    'jo@xn--exmple-cua.org'
    """
    local, _, domain = address.strip(_EDGES).lower().rpartition("@")
    if not domain.isascii():
        with suppress(UnicodeError):  # no domain at all: compared as it is
            domain = domain.encode("idna").decode()
    return f"{local}@{domain}" if local else domain


def of_field(value: str) -> str:
    r"""Return the address in a recipient field (RFC 3464, RFC 6533), "" where it holds none.

    >>> of_field("rfc822; <jo@example.org>"), of_field(r"utf-8; j\x{F6}@example.org"), of_field("x400; /S=jo/C=gb/")
    ('jo@example.org', 'jö@example.org', '')
    """
    kind, semicolon, rest = value.partition(";")
    if not semicolon:
        kind, rest = "", value
    if kind.strip().lower() == "utf-8":
        rest = _XTEXT.sub(_character, rest)
    match = _ANY_SCRIPT.search(rest.replace("SMTP:", " ").replace("smtp:", " "))
    return match[0].strip(_EDGES) if match else ""


def is_machine(address: str) -> bool:
    """Tell the address of a mail system, or of somebody to be asked for help, from a reader's."""
    return bool(_MACHINES.match(address))


def in_return_path(address: str) -> str:
    """Return the recipient that a return path names in the common way (VERP), "" where it names none.

    >>> in_return_path("bounces+42-jo=example.org@lists.example"), in_return_path("news-jo=example.org@lists.example")
    ('', 'jo@example.org')
    """
    match = _VERP.search(address)
    return next(addresses(f"{match[1]}@{match[2]}"), "") if match and "-" not in match[1] else ""


def _character(match: re.Match[str]) -> str:
    point = int(match[1], 16)
    return chr(point) if point <= 0x10FFFF and not 0xD800 <= point <= 0xDFFF else ""
