"""A whole message with holes: headers and both bodies are written and encoded once for all readers of a content.

Everything travels as quoted-printable. In it a soft line break may stand anywhere, so each hole gets one before it and
one after it, and no value can make a line too long, whatever its length. (In base64 a value would shift all that
follows it, filters distrust it, and HTML that is a tenth Korean is longer in it.) Pure. `mail` fills.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import lru_cache
from typing import Final

from worker.model import Pieces
from worker.rendering.holes import Hole, joined

# At most 76 in a line (RFC 2045, 6.7), "=" and a dot written as "=2E" included; never through the middle of "=2E".
_CHUNK: Final = re.compile(rb".{1,73}(?<!=)(?<!=.)")
# What may not stand as it is, but for "=", blanks and line ends (RFC 2045, 6.7).
_FOREIGN: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xff]+")
_BLANK_AT_END: Final = re.compile(rb"[ \t](?=\r\n|\Z)")
_WHOLE_LINE_BYTES: Final = 73  # with "=2E" for a dot at its beginning, and a soft break where a hole follows, 76
_COMMON_CHARS: Final = 2_000  # of a literal that other contents may have, too


class Part(StrEnum):
    """A face of a mail, by its subtype of text/*."""

    PLAIN = "plain"
    HTML = "html"


_PLACES: Final = {Part.PLAIN: Hole.RECIPIENT_TEXT, Part.HTML: Hole.RECIPIENT_HTML}


def head(lines: Iterable[tuple[str, Pieces]]) -> Pieces:
    """Write header fields, with the empty line after them."""
    return joined([*(part for name, value in lines for part in (f"{name}: ", value, "\r\n")), "\r\n"])


def body(text: Pieces, html: Pieces, *, boundary: str) -> Pieces:
    """Write the body of a multipart/alternative message, of faces as they travel; the last part is the best.

    `boundary` must have "=_" in it, which cannot occur in quoted-printable (RFC 2045, 6.7).
    """
    faces = ((Part.PLAIN, text), (Part.HTML, html))
    parts = (one for part, face in faces for one in _part(part, face, boundary))
    return joined([*parts, f"--{boundary}--\r\n"])


def travelling(parts: Iterable[Hole | Pieces], part: Part) -> Pieces:
    """Join encoded texts and holes; what is in pieces keeps its lines.

    The recipient's hole becomes one for the face, as it is encoded for its place.
    """
    return joined(_between_breaks(parts, part))


def quoted(text: str) -> str:
    r"""Encode what stands between two line breaks, soft or hard; its own line ends become CRLF.

    >>> quoted("한\n.\n") + quoted("mina@reader.example ")
    '=ED=95=9C\r\n=2E\r\nmina@reader.example=20'
    """
    data = text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n").encode().replace(b"=", b"=3D")
    flat = _BLANK_AT_END.sub(_escaped, _FOREIGN.sub(_escaped, data))
    lines = b"\r\n" + b"\r\n".join(
        line if len(line) <= _WHOLE_LINE_BYTES else b"=\r\n".join(_CHUNK.findall(line)) for line in flat.split(b"\r\n")
    )
    # A line that begins with a dot would be stuffed, one with "From " be quoted by an mbox: both break a signature.
    return lines.replace(b"\r\n.", b"\r\n=2E").replace(b"\r\nFrom ", b"\r\n=46rom ")[2:].decode()


def encoded(text: str) -> Pieces:
    """Encode a text, as pieces without a hole."""
    return Pieces(literals=(_quoted_before(text) if len(text) <= _COMMON_CHARS else quoted(text),), holes=())


_quoted_before = lru_cache(maxsize=1024)(quoted)


def _escaped(run: re.Match[bytes]) -> bytes:
    return b"=" + run[0].hex("=").upper().encode()


def _part(part: Part, face: Pieces, boundary: str) -> Iterator[str | Pieces]:
    yield f"--{boundary}\r\nContent-Type: text/{part}; charset=utf-8\r\n"
    yield "Content-Transfer-Encoding: quoted-printable\r\nContent-Disposition: inline\r\n\r\n"
    yield face
    yield "\r\n"  # RFC 2046, 5.1.1: the line end before a boundary belongs to the boundary, not to the part


def _between_breaks(parts: Iterable[Hole | Pieces], part: Part) -> Iterator[str | Pieces]:
    """Yield what is encoded, with a soft break wherever two of its parts would share a line."""
    is_at_line_start = True
    for one in parts:
        if isinstance(one, Hole):
            if not is_at_line_start:
                yield "=\r\n"
            yield _PLACES[part] if one is Hole.RECIPIENT else one
            is_at_line_start = False
            continue
        if not one.literals[0] and not one.holes:
            continue
        if not is_at_line_start and not one.literals[0].startswith("\r\n"):
            yield "=\r\n"
        yield one
        is_at_line_start = one.literals[-1].endswith("\r\n")
