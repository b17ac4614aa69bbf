"""Unpacking a compressed HTTP body with a limit on what comes out, whatever went in.

Pure. Knows gzip, deflate and Brotli, which is all that `fetch` asks servers for. A thousandfold bomb stops at the
limit: no library is ever asked for more than is still allowed (Brotli's rounds that up, to twice as much at most). A
server that says "packed" of a plain document is forgiven.
"""

from __future__ import annotations

import zlib
from typing import Final, Protocol

import brotli

from worker.errors import FetchError

_GZIP: Final = zlib.MAX_WBITS | 16
_GZIP_MAGIC: Final = b"\x1f\x8b"
_MAX_MEMBERS: Final = 1_000
_BROTLI_STEP: Final = 1_000_000
_PLAIN: Final = frozenset({"", "identity", "none", "utf-8"})  # the last two are nonsense that is served all the same
_BEGINNINGS: Final = (b"<", b"{", b"[", b"\xef\xbb\xbf<", b"\xef\xbb\xbf{")


class _DamagedError(Exception):
    """Bytes that are not packed as was said."""


class _Unpacker(Protocol):
    @property
    def ended(self) -> bool:
        """Whether the packed data is complete."""
        ...

    def unpack(self, data: bytes, out: bytearray, most: int) -> None:
        """Append what `data` holds to `out`, which may grow beyond `most` by little. Raises `_DamagedError`."""
        ...


class _Plain:
    ended = True

    def unpack(self, data: bytes, out: bytearray, most: int) -> None:  # noqa: ARG002  `Inflater` counts for all
        out += data


class _Zlib:
    """gzip or deflate. Several gzip members are one document (RFC 1952, section 2.2); what else follows is padding."""

    def __init__(self, window_bits: int) -> None:
        self._window_bits, self._members = window_bits, 1
        self._zlib = zlib.decompressobj(window_bits)
        self._held = b""  # of what follows the end, too little to say what it is

    @property
    def ended(self) -> bool:
        return self._zlib.eof

    def unpack(self, data: bytes, out: bytearray, most: int) -> None:
        try:
            while data and len(out) <= most:
                if self._zlib.eof:
                    data, self._held = self._held + data, b""
                    if not self._begins_another(data):
                        return
                out += self._zlib.decompress(data, most + 1 - len(out))
                data = self._zlib.unused_data if self._zlib.eof else self._zlib.unconsumed_tail
        except zlib.error as error:
            raise _DamagedError(str(error)) from error

    def _begins_another(self, data: bytes) -> bool:
        if self._window_bits != _GZIP or not data.startswith(_GZIP_MAGIC[: len(data)]):
            return False
        if len(data) < len(_GZIP_MAGIC):
            self._held = data
            return False
        self._members += 1
        if self._members > _MAX_MEMBERS:
            raise _DamagedError(f"more than {_MAX_MEMBERS} gzip members")
        self._zlib = zlib.decompressobj(_GZIP)
        return True


class _Brotli:
    def __init__(self) -> None:
        self._brotli = brotli.Decompressor()

    @property
    def ended(self) -> bool:
        return bool(self._brotli.is_finished())

    def unpack(self, data: bytes, out: bytearray, most: int) -> None:
        try:
            while not self.ended and len(out) <= most:
                room = min(most + 1 - len(out), _BROTLI_STEP)
                got = self._brotli.process(data, output_buffer_limit=room)
                out += got
                data = b""
                if not got and self._brotli.can_accept_more_data():
                    return
        except brotli.error as error:
            raise _DamagedError(str(error)) from error


def _ways(encoding: str) -> list[_Unpacker]:
    """Return what a body may be that is said to be packed so, likeliest first."""
    match encoding:
        case "gzip" | "x-gzip":
            return [_Zlib(_GZIP), _Plain()]
        case "deflate":  # some servers' reading of it has no zlib frame
            return [_Zlib(zlib.MAX_WBITS), _Zlib(-zlib.MAX_WBITS), _Plain()]
        case "br":
            return [_Brotli(), _Plain()]
        case _ if encoding in _PLAIN:
            return [_Plain()]
    raise FetchError(f'the answer is packed as "{encoding[:40]}", which was not asked for')


class Inflater:
    """Collects a body's chunks, unpacked. `encoding` is the Content-Encoding header.

    >>> import gzip
    >>> inflater = Inflater("gzip", max_bytes=100)
    >>> inflater.feed(gzip.compress(b"news"))
    >>> inflater.finish()
    b'news'
    """

    def __init__(self, encoding: str, *, max_bytes: int) -> None:
        """Raise `FetchError` for an encoding that was not asked for."""
        self._ways = _ways(encoding.strip().lower())
        self._max_bytes = max_bytes
        self._taken = 0
        self._raw = bytearray()  # as it came, while nothing has come out
        self._out = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes from the wire. Raises `FetchError` beyond the limit and for damaged data."""
        self._taken += len(chunk)
        if not self._out:
            self._raw += chunk
        self._unpack(chunk)
        if len(self._out) > self._max_bytes or self._taken > self._max_bytes:
            raise FetchError(f"the answer is larger than {self._max_bytes} bytes")

    def finish(self) -> bytes:
        """Return the whole body. Raises `FetchError` when the packed data ended too early."""
        if self._taken and not self._ways[0].ended:
            raise FetchError("the packed answer is cut off")
        return bytes(self._out)

    def _unpack(self, chunk: bytes) -> None:
        try:
            self._ways[0].unpack(chunk, self._out, self._max_bytes)
        except _DamagedError as error:
            damaged = FetchError(f"the packed answer is damaged: {error}")
            if self._out or len(self._ways) == 1:
                raise damaged from error
            del self._ways[0]
            if isinstance(self._ways[0], _Plain) and not bytes(self._raw[:100]).lstrip().startswith(_BEGINNINGS):
                raise damaged from error
            self._unpack(bytes(self._raw))
