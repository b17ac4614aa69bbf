"""A whole message with holes: headers and both bodies are written and encoded once for all readers of a content.

Everything travels as quoted-printable. In it a soft line break may stand anywhere, so each hole gets one before it and
one after it, and no value can make a line too long, whatever its length. (Base64 would shift with each value's length;
mail whose HTML is a tenth Korean is no longer in quoted-printable, and filters distrust base64.) Pure. `mail` fills.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Iterator
from typing import Final

from worker.model import Pieces
from worker.rendering.holes import Hole, joined

_LINE_END: Final = re.compile(r"\r\n?|\n")
_SOFT_BREAK: Final = re.compile(rb"=\r?\n")
# At most 76 in a line (RFC 2045, 6.7), "=" and what _BEGINNING adds included; never through the middle of "=2E".
_CHUNK: Final = re.compile(rb".{1,73}(?<!=)(?<!=.)")
# A line that begins with a dot would be stuffed, one with "From " be quoted by an mbox: both break a signature.
_BEGINNING: Final = re.compile(rb"(?m)^(?:\.|F(?=rom ))")
_PLACES: Final = {"plain": Hole.RECIPIENT_TEXT, "html": Hole.RECIPIENT_HTML}


def head(lines: Iterable[tuple[str, Pieces]]) -> Pieces:
    """Write header fields, with the empty line after them."""
    return joined([*(part for name, value in lines for part in (f"{name}: ", value, "\r\n")), "\r\n"])


def body(text: Pieces, html: Pieces, *, boundary: str) -> Pieces:
    """Write the body of a multipart/alternative message; the last part is the best.

    The recipient's hole becomes one for each part, as it is encoded for its place. `boundary` must have "=_" in it,
    which cannot occur in quoted-printable (RFC 2045, 6.7).
    """
    parts = (part for subtype, face in (("plain", text), ("html", html)) for part in _part(subtype, face, boundary))
    return joined([*parts, f"--{boundary}--\r\n"])


def quoted(text: str) -> str:
    r"""Encode what stands between two line breaks, soft or hard; its own line ends become CRLF.

    >>> quoted("한\n.\n") + quoted("mina@reader.example ")
    '=ED=95=9C\r\n=2E\r\nmina@reader.example=20'
    """
    flat = _SOFT_BREAK.sub(b"", binascii.b2a_qp(_LINE_END.sub("\r\n", text).encode()))
    lines = b"\r\n".join(b"=\r\n".join(_CHUNK.findall(line)) for line in flat.split(b"\r\n"))
    return _BEGINNING.sub(lambda found: b"=%02X" % ord(found[0]), lines).decode()


def _part(subtype: str, face: Pieces, boundary: str) -> Iterator[str]:
    yield f"--{boundary}\r\nContent-Type: text/{subtype}; charset=utf-8\r\n"
    yield "Content-Transfer-Encoding: quoted-printable\r\nContent-Disposition: inline\r\n\r\n"
    yield from _between_breaks(face, subtype)
    yield "\r\n"  # RFC 2046, 5.1.1: the line end before a boundary belongs to the boundary, not to the part


def _between_breaks(face: Pieces, subtype: str) -> Iterator[str]:
    literals = [quoted(literal) for literal in face.literals]
    yield literals[0]
    for before, hole, after in zip(literals, face.holes, literals[1:], strict=False):
        if before and not before.endswith("\r\n"):
            yield "=\r\n"
        yield _PLACES[subtype] if hole == Hole.RECIPIENT else hole
        if not after.startswith("\r\n"):
            yield "=\r\n"
        yield after
