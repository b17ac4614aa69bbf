"""A whole message with holes: headers and both bodies are written and encoded once for all readers of a content.

Everything travels as quoted-printable. In it a soft line break may stand anywhere, so each hole gets one before it and
one after it, and no value can make a line too long, whatever its length. (In base64 a value would shift all that
follows it, filters distrust it, and HTML that is a tenth Korean is longer in it.) Pure. `mail` fills.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Iterator
from typing import Final

from worker.model import Pieces
from worker.rendering.holes import Hole, joined

# At most 76 in a line (RFC 2045, 6.7), "=" and a dot written as "=2E" included; never through the middle of "=2E".
_CHUNK: Final = re.compile(rb".{1,73}(?<!=)(?<!=.)")
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
    data = text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n").encode()
    flat = binascii.b2a_qp(data).replace(b"=\r\n", b"").replace(b"=\n", b"")  # its soft breaks: ours lie elsewhere
    lines = b"".join(b"\r\n" + b"=\r\n".join(_CHUNK.findall(line)) for line in flat.split(b"\r\n"))
    # A line that begins with a dot would be stuffed, one with "From " be quoted by an mbox: both break a signature.
    return lines.replace(b"\r\n.", b"\r\n=2E").replace(b"\r\nFrom ", b"\r\n=46rom ")[2:].decode()


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
