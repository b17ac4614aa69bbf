"""The bytes of a message: header lines and bodies as RFC 5322, 2045, 2047 and 8058 want them on the wire.

Written here rather than by `email.message`, because its serialiser folds a long List-Unsubscribe into an encoded-word,
which kills one-click; words, addresses and dates still come from the standard library. Decides nothing about which
headers a mail has (`headers` does). Pure; the same input gives the same bytes.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.header import Header
from email.headerregistry import Address
from email.utils import quote
from enum import StrEnum

import idna

from worker.errors import InputError
from worker.rendering.prose import one_line, shorten

_LINE_BYTES = 998  # RFC 5322, 2.1.1, without CRLF
_NICE_LINE_CHARS = 78
_DISPLAY_NAME_CHARS = 100
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")  # RFC 5322, 3.2.3, and the space between atoms
_LOCAL_PART = re.compile(r"""[^\s"(),:;<>@\[\\\]]+""")  # no quoted ones: nobody signs up with them but attackers
_DOMAIN = re.compile(r"[A-Za-z0-9._-]+")


class Encoding(StrEnum):
    """How a body travels."""

    QUOTED_PRINTABLE = "quoted-printable"
    BASE64 = "base64"


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One alternative of a message, e.g. subtype "html"."""

    subtype: str
    text: str
    encoding: Encoding


def encoding_for(text: str) -> Encoding:
    """Choose the shorter encoding: quoted-printable triples each byte that is not ASCII, base64 adds a third to all.

    >>> encoding_for("Pyongyang"), encoding_for("평양")
    (<Encoding.QUOTED_PRINTABLE: 'quoted-printable'>, <Encoding.BASE64: 'base64'>)
    """
    size_bytes = len(text.encode())
    foreign_bytes = size_bytes - len(text.encode("ascii", "ignore"))
    return Encoding.BASE64 if foreign_bytes * 6 > size_bytes else Encoding.QUOTED_PRINTABLE


def verbatim(header: str, value: str) -> str:
    """Write a header that machines read, in one line that nobody may fold or encode (RFC 8058, 3.1).

    Raises `ValueError` for a value that only a defect of ours can have made: not printable ASCII, or over 998 octets.

    >>> verbatim("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
    'List-Unsubscribe-Post: List-Unsubscribe=One-Click'
    """
    line = f"{header}: {value}"
    if not (value.isascii() and value.isprintable()):
        raise ValueError(f"{header} may only have printable ASCII")
    if len(line) > _LINE_BYTES:
        raise ValueError(f"{header} is {len(line)} octets long, over the {_LINE_BYTES} that a line may have")
    return line


def unstructured(header: str, text: str) -> str:
    """Write a header that people read, such as Subject; folded, and RFC 2047-encoded where it must be.

    >>> unstructured("Subject", "=?utf-8?q?x=0ABcc:_all=40example.com?=")
    'Subject: =?utf-8?b?PT91dGYtOD9xP3g9MEFCY2M6X2FsbD00MGV4YW1wbGUuY29tPz0=?='
    """
    return f"{header}: {_words(one_line(text), used=len(header) + 2)}"


def mailbox(header: str, name: str, address: str) -> str:
    """Write a header with one mailbox. Its domain becomes IDNA 2008; a non-ASCII local part stays (RFC 6532).

    Raises `InputError`, which does not quote the address, when it is none.

    >>> mailbox("To", "Kim, Mina", "mina@bücher.example")
    'To: "Kim, Mina" <mina@xn--bcher-kva.example>'
    """
    return _angled(header, name, addr_spec(address))


def list_id(name: str, identifier: str) -> str:
    """Write a List-Id (RFC 2919).

    >>> list_id("Daily digest", "digest.courier.example")
    'List-Id: Daily digest <digest.courier.example>'
    """
    return _angled("List-Id", name, verbatim("List-Id", identifier).partition(": ")[2])


def addr_spec(address: str) -> str:
    """Return an address as it goes on the wire, its domain in ASCII.

    >>> addr_spec("mina@뉴스.example")
    'mina@xn--vg1b002a.example'
    """
    local, _, domain = address.rpartition("@")
    try:
        wire = domain if domain.isascii() else idna.encode(domain, uts46=True).decode()
        parsed = Address(username=local, domain=wire)
    except ValueError as error:
        raise InputError("not an e-mail address") from error
    if not _LOCAL_PART.fullmatch(local) or not _DOMAIN.fullmatch(wire) or one_line(address) != address:
        raise InputError("not an e-mail address")
    return parsed.addr_spec


def _angled(header: str, name: str, inside: str) -> str:
    phrase = _phrase(shorten(one_line(name), _DISPLAY_NAME_CHARS), used=len(header) + 2)
    if not phrase:
        return f"{header}: {inside}" if "@" in inside else f"{header}: <{inside}>"
    last_line = f"{header}: {phrase}".rpartition("\r\n")[2]
    gap = " " if len(last_line) + len(inside) + 3 <= _NICE_LINE_CHARS else "\r\n "
    return f"{header}: {phrase}{gap}<{inside}>"


def _phrase(name: str, *, used: int) -> str:
    words = _words(name, used=used, fold=False)
    return words if words != name or _ATOMS.fullmatch(name) else f'"{quote(name)}"'


def _words(text: str, *, used: int, fold: bool = True) -> str:
    """Encode a clean line as a header's words; `used` is how much of the first line the header's name takes."""
    plain = text.isascii() and "=?" not in text and all(len(word) <= 60 for word in text.split())
    if plain and (not fold or used + len(text) <= _NICE_LINE_CHARS):
        return text
    charset = "us-ascii" if plain else "utf-8"
    return Header(text, charset, header_name="x" * (used - 2), maxlinelen=76).encode(splitchars=" ", linesep="\r\n")


def message(headers: Sequence[str], parts: Sequence[Part], *, boundary: str) -> bytes:
    """Put a multipart/alternative message together; the last part is the best, and all lines end with CRLF."""
    head = [*headers, "MIME-Version: 1.0", f'Content-Type: multipart/alternative; boundary="{boundary}"', "", ""]
    chunks = ["\r\n".join(head).encode()]
    # RFC 2046, 5.1.1: the line end before a boundary belongs to the boundary, not to the part.
    chunks += (f"--{boundary}\r\n".encode() + _part(part) + b"\r\n" for part in parts)
    chunks.append(f"--{boundary}--\r\n".encode())
    return b"".join(chunks)


def _part(part: Part) -> bytes:
    head = (
        f"Content-Type: text/{part.subtype}; charset=utf-8\r\n"
        f"Content-Transfer-Encoding: {part.encoding}\r\n"
        "Content-Disposition: inline\r\n\r\n"
    )
    return head.encode() + _body(part.text, part.encoding)


def _body(text: str, encoding: Encoding) -> bytes:
    data = re.sub(r"\r\n?|\n", "\r\n", text).encode()
    if encoding is Encoding.BASE64:
        return base64.encodebytes(data).replace(b"\n", b"\r\n")
    return binascii.b2a_qp(data)
