"""How the value of each kind of header field is written, as RFC 5322, 2047, 2919 and 8058 want it on the wire.

Written here rather than by `email.message`, because its serialiser folds a long List-Unsubscribe into an encoded-word,
which kills one-click. Decides nothing about which fields a mail has (`headers` does). Pure. What differs from reader to
reader, an address and a name, takes a short way where it is plain.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime, quote
from functools import lru_cache

import idna

from worker.errors import InputError
from worker.rendering.prose import one_line, shorten, wrap

_LINE_BYTES = 998  # RFC 5322, 2.1.1, without CRLF
_NICE_LINE_CHARS = 78
_DISPLAY_NAME_CHARS = 100
_ADDRESS_BYTES = 254  # RFC 5321, 4.5.3.1.3, without angle brackets
_LOCAL_PART_BYTES = 64  # 4.5.3.1.1
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")  # RFC 5322, 3.2.3, and the space between atoms
_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"  # RFC 1035, 2.3.4; some domains have underscores
_PLAIN_ADDRESS = rf"(?=[^@]{{1,{_LOCAL_PART_BYTES}}}@){_ATEXT}(?:\.{_ATEXT})*@{_LABEL}(?:\.{_LABEL})+"
_PLAIN = re.compile(_PLAIN_ADDRESS)
_PLAIN_MAILBOX = re.compile(rf"[A-Za-z0-9'-]+(?: [A-Za-z0-9'-]+)* <{_PLAIN_ADDRESS}>")
_ENDLESS = re.compile(r"\S{61}")
_UATEXT = r"""[^\s.\x00-\x1f\x7f"(),:;<>@\[\\\]]+"""  # RFC 6532, 3.2
_LOCAL_PART = re.compile(rf"{_UATEXT}(?:\.{_UATEXT})*")  # no quoted ones: nobody signs up with them but attackers
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


def verbatim(field: str, value: str) -> str:
    """Return a value that machines read, which stands in one line that nobody may fold or encode (RFC 8058, 3.1).

    Raises `ValueError` for a value that only a defect of ours can have made: not printable ASCII, or over 998 octets.

    >>> verbatim("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
    'List-Unsubscribe=One-Click'
    """
    if not (value.isascii() and value.isprintable()):
        raise ValueError(f"{field} may only have printable ASCII")
    size_bytes = len(field) + 2 + len(value)
    if size_bytes > _LINE_BYTES:
        raise ValueError(f"{field} is {size_bytes} octets long, over the {_LINE_BYTES} that a line may have")
    return value


def unstructured(field: str, text: str) -> str:
    """Write a text that people read, such as a Subject; folded, and RFC 2047-encoded where it must be.

    >>> unstructured("Subject", "=?utf-8?q?x=0ABcc:_all=40example.com?=")
    '=?utf-8?b?PT91dGYtOD9xP3g9MEFCY2M6X2FsbD00MGV4YW1wbGUuY29tPz0=?='
    """
    text, used = one_line(text), len(field) + 2
    if not _is_plain(text):
        return _encoded(text, used=used)
    return wrap(text, width=_NICE_LINE_CHARS - used).replace("\n", "\r\n ")


def mailbox(field: str, name: str, address: str) -> str:
    """Write one mailbox. Its domain becomes IDNA 2008; a non-ASCII local part stays (RFC 6532).

    Raises `InputError`, which does not quote the address, when it is none.

    >>> mailbox("To", "Kim, Mina", "mina@bücher.example")
    '"Kim, Mina" <mina@xn--bcher-kva.example>'
    """
    plain = f"{name} <{address}>"
    if len(field) + 2 + len(plain) <= _NICE_LINE_CHARS and _PLAIN_MAILBOX.fullmatch(plain):
        return plain
    wire = addr_spec(address)
    return _angled(field, name, wire) or wire


@lru_cache(maxsize=64)
def list_id(name: str, identifier: str) -> str:
    """Write a List-Id (RFC 2919).

    >>> list_id("Daily digest", "digest.courier.example")
    'Daily digest <digest.courier.example>'
    """
    return _angled("List-Id", name, verbatim("List-Id", identifier)) or f"<{identifier}>"


@lru_cache(maxsize=1024)
def date(at: datetime) -> str:
    """Write a Date.

    >>> date(datetime(2026, 11, 23, 7, tzinfo=UTC))
    'Mon, 23 Nov 2026 07:00:00 +0000'
    """
    return format_datetime(at.astimezone(UTC))


def addr_spec(address: str) -> str:
    """Return an address as it goes on the wire, its domain in ASCII.

    >>> addr_spec("mina@뉴스.example")
    'mina@xn--vg1b002a.example'
    """
    if len(address) <= _ADDRESS_BYTES and _PLAIN.fullmatch(address):
        return address
    local, _, domain = address.rpartition("@")
    try:
        wire = ascii_domain(domain)
        spec = f"{local}@{wire}"
        is_short = len(local.encode()) <= _LOCAL_PART_BYTES and len(spec.encode()) <= _ADDRESS_BYTES
    except ValueError as error:  # of `idna`, and of lone surrogates
        raise InputError("not an e-mail address") from error
    if not (is_short and _LOCAL_PART.fullmatch(local) and _DOMAIN.fullmatch(wire) and one_line(address) == address):
        raise InputError("not an e-mail address")
    return spec


def ascii_domain(domain: str) -> str:
    """Return a domain as DNS knows it (IDNA 2008). Raises `ValueError` when it is none.

    >>> ascii_domain("straße.example")
    'xn--strae-oqa.example'
    """
    return domain if domain.isascii() else idna.encode(domain, uts46=True).decode()


def display_name(name: str) -> str:
    """Return a name as people read it: one line, not too long, not encoded."""
    return shorten(one_line(name), _DISPLAY_NAME_CHARS)


def unfolded(value: str) -> str:
    r"""Take a value's line ends out, as whoever reads the field does.

    >>> unfolded("Seoul\r\n wakes")
    'Seoul wakes'
    """
    return value.replace("\r\n ", " ")


def _angled(field: str, name: str, inside: str) -> str:
    """Write a phrase and something in angle brackets; "" when there is nothing to say."""
    used = len(field) + 2
    phrase = _phrase(display_name(name), used=used)
    if not phrase:
        return ""
    last_line = len(phrase) - phrase.rfind("\n") if "\n" in phrase else used + len(phrase)
    gap = " " if last_line + len(inside) + 3 <= _NICE_LINE_CHARS else "\r\n "
    return f"{phrase}{gap}<{inside}>"


def _phrase(name: str, *, used: int) -> str:
    if not _is_plain(name):
        return _encoded(name, used=used)
    return name if _ATOMS.fullmatch(name) else f'"{quote(name)}"'


def _is_plain(text: str) -> bool:
    # What looks like an encoded-word, or is too long to be folded, is encoded, whatever its characters.
    return text.isascii() and "=?" not in text and not _ENDLESS.search(text)


def _encoded(text: str, *, used: int) -> str:
    """Write encoded-words (RFC 2047), each of whole characters and on a line of its own."""
    limit_bytes = min(75, _NICE_LINE_CHARS - used) - len("=?utf-8?b??=")
    return "\r\n ".join(f"=?utf-8?b?{b64encode(run).decode()}?=" for run in _runs(text, limit_bytes // 4 * 3))


def _runs(text: str, limit_bytes: int) -> Iterator[bytes]:
    run = text.encode()
    if len(run) > limit_bytes:
        run = b""
        for char in map(str.encode, text):
            if len(run) + len(char) > limit_bytes:
                yield run
                run = b""
            run += char
    yield run
