"""Pictures for mails in a browser: a harbour at dusk, drawn as PNG of bands and boxes, the same for the same address.

They stand in for those of the samples' addresses, which nobody serves. Plain shapes, so that screenshots stay small.
"""

from __future__ import annotations

import struct
import zlib
from functools import cache
from random import Random

_SIZES = {"stairs": (480, 640), "sidings": (720, 480), "terminal": (720, 480)}
_SKIES = ((0x2B, 0x3A, 0x55), (0x5A, 0x3E, 0x52), (0x2F, 0x55, 0x5C), (0x54, 0x4A, 0x3A))
_HORIZON, _WATER, _DARK, _LAMP = (0xE8, 0xB4, 0x82), (0x3A, 0x4C, 0x5E), (0x1D, 0x22, 0x2B), (0xF6, 0xD9, 0x8A)


@cache
def picture(url: str) -> bytes:
    """Draw the picture of an address."""
    name = url.rpartition("/")[2].partition(".")[0]
    width, height = _SIZES.get(name, (800, 450))
    chance = Random(name)
    sky, shore, wide = chance.choice(_SKIES), height * 68 // 100, width // 12
    roofs = [shore - chance.randrange(height // 12, height // 3) for _ in range(0, width, wide)]
    lamps = {(number, chance.randrange(2, 8)) for number in range(12) for _ in range(2)}
    rows = []
    for y in range(height):
        if y >= shore:
            rows.append(bytes(_mixed(_HORIZON, _WATER, min(1, 3 * (y - shore) / (height - shore)))) * width)
            continue
        row = bytearray(bytes(_mixed(sky, _HORIZON, (y / shore) ** 2)) * width)
        for number, top in ((number, top) for number, top in enumerate(roofs) if y >= top):
            _paint(row, wide * number, min(wide, width - wide * number), _DARK)
            if (number, (y - top) // (height // 40)) in lamps:
                _paint(row, wide * number + wide // 3, wide // 4, _LAMP)
        rows.append(bytes(row))
    return png(width, height, b"".join(b"\0" + row for row in rows))


def _paint(row, start, wide, colour):
    row[3 * start : 3 * (start + wide)] = bytes(colour) * wide


def _mixed(one, other, share):
    return tuple(round(a + (b - a) * share) // 6 * 6 for a, b in zip(one, other, strict=True))


def png(width: int, height: int, rows: bytes) -> bytes:
    """Pack rows of RGB, each behind a filter byte."""
    return _packed((b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(rows, 9)))


def indexed_png(width: int, height: int, colours: bytes, pixels: bytes) -> bytes:
    """Pack pixels that are indices into at most 256 colours, three bytes each."""
    rows = b"".join(b"\0" + pixels[at : at + width] for at in range(0, width * height, width))
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    return _packed((b"IHDR", header), (b"PLTE", colours), (b"IDAT", zlib.compress(rows, 9)))


def _packed(*chunks: tuple[bytes, bytes]) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in (*chunks, (b"IEND", b""))
    )
