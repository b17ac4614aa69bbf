"""Pictures made byte by byte: the headers of each kind that mail clients show, with a body of zeros."""

from __future__ import annotations

import struct
import zlib


def png(width: int = 640, height: int = 400) -> bytes:
    """A whole PNG of one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress((b"\0" + b"\x80" * width) * min(height, 2_000))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def gif(width: int = 640, height: int = 400) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + bytes(40)


def jpeg(width: int = 640, height: int = 400) -> bytes:
    app = b"\xff\xe1" + struct.pack(">H", 2 + 300) + b"Exif\0\0" + b"\xff\xc0" * 147
    table = b"\xff\xff\xc4" + struct.pack(">H", 2 + 5) + bytes(5)  # a fill byte, and a table that is no frame
    frame = b"\xff\xc2" + struct.pack(">HBHHB", 17, 8, height, width, 3) + bytes(9)
    return b"\xff\xd8" + app + table + frame + bytes(40)


def webp(width: int = 640, height: int = 400, form: bytes = b"VP8X") -> bytes:
    body = {
        b"VP8X": bytes(4) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little"),
        b"VP8L": b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14),
        b"VP8 ": b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height),
    }[form]
    chunk = form + struct.pack("<I", len(body)) + body + bytes(20)
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def avif(width: int = 640, height: int = 400) -> bytes:
    extents = struct.pack(">I4sIII", 20, b"ispe", 0, width, height)
    return struct.pack(">I4s4sI", 16, b"ftyp", b"avif", 0) + struct.pack(">I4s", 8 + 20, b"meta") + extents + bytes(40)
