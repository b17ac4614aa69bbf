"""What bytes are, whatever a server calls them: the kinds of pictures that mail clients show, and their size.

Pure, and reads no further than the first headers: nothing is decoded. SVG is none of them, since it is a program. The
image proxy calls it.
"""

from __future__ import annotations

import struct
from typing import Final

from worker.pictures import MAX_SIDE_PX

MAX_PIXELS: Final = 80_000_000
"""More than any camera of the press makes; what claims more would burst a reader's client."""

_TINY_PX: Final = 2
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # JPEG's SOF markers (ITU-T T.81, B.1.1.3)
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})  # JPEG's markers without a length


def media_type(data: bytes) -> str:
    r"""Return the media type of a picture's bytes; "" for everything else, and for a picture that nobody should see.

    >>> media_type(b"GIF89a\x40\x01\xc8\x00..."), media_type(b"GIF89a\x01\x00\x01\x00..."), media_type(b"<svg/>")
    ('image/gif', '', '')
    """
    try:
        kind, width, height = _measured(data)
    except (struct.error, IndexError):  # cut off within its headers
        return ""
    shown = min(width, height) > _TINY_PX and max(width, height) <= MAX_SIDE_PX and width * height <= MAX_PIXELS
    return kind if shown else ""


def _measured(data: bytes) -> tuple[str, int, int]:
    if data.startswith(b"\x89PNG\r\n\x1a\n") and data[12:16] == b"IHDR":
        return "image/png", *struct.unpack_from(">II", data, 16)
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif", *struct.unpack_from("<HH", data, 6)
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg", *_jpeg(data)
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp", *_webp(data)
    if data[4:8] == b"ftyp" and data[8:12] in {b"avif", b"avis"}:
        return "image/avif", *_avif(data)
    return "", 0, 0


def _jpeg(data: bytes) -> tuple[int, int]:
    at = 2
    while data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # padding
            at += 1
        elif marker in _ALONE:
            at += 2
        elif marker in _FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        else:
            at += 2 + max(2, struct.unpack_from(">H", data, at + 2)[0])
    return 0, 0


def _webp(data: bytes) -> tuple[int, int]:
    """Read the first chunk of each of WebP's three forms (RFC 9649, 2.5 to 2.7)."""
    form = data[12:16]
    if form == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if form == b"VP8L" and data[20] == 0x2F:
        bits = struct.unpack_from("<I", data, 21)[0]
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if form == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    return 0, 0


def _avif(data: bytes) -> tuple[int, int]:
    """Read the first image's spatial extents (ISO/IEC 23008-12, 6.5.3)."""
    at = data.find(b"ispe", 0, 65_536)
    return struct.unpack_from(">II", data, at + 8) if at > 0 else (0, 0)
