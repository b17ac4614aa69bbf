"""Unpacking a compressed HTTP body with a limit on what comes out, whatever went in.

Pure. Knows gzip and deflate, which is all that `fetch` asks servers for. A thousandfold bomb stops at the limit: zlib
is never asked for more than is still allowed.
"""

from __future__ import annotations

import zlib
from typing import Final

from worker.errors import FetchError

_GZIP: Final = zlib.MAX_WBITS | 16


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
        self._encoding = encoding.strip().lower()
        if self._encoding not in {"", "identity", "gzip", "x-gzip", "deflate"}:
            raise FetchError(f'the answer is packed as "{encoding[:40]}", which was not asked for')
        self._packed = self._encoding not in {"", "identity"}
        self._fed = False
        self._max_bytes = max_bytes
        self._out = bytearray()
        self._zlib = zlib.decompressobj(_GZIP) if self._encoding.endswith("gzip") else zlib.decompressobj()

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes from the wire. Raises `FetchError` beyond the limit and for damaged data."""
        self._fed = self._fed or bool(chunk)
        if self._packed:
            self._inflate(chunk)
        else:
            self._out += chunk
        if len(self._out) > self._max_bytes:
            raise FetchError(f"the answer is larger than {self._max_bytes} bytes")

    def finish(self) -> bytes:
        """Return the whole body. Raises `FetchError` when the packed data ended too early."""
        if self._packed and self._fed and not self._zlib.eof:
            raise FetchError("the packed answer is cut off")
        return bytes(self._out)

    def _inflate(self, chunk: bytes) -> None:
        try:
            self._append(chunk)
        except zlib.error as error:
            if self._encoding != "deflate" or self._out:
                raise FetchError(f"the packed answer is damaged: {error}") from error
            self._zlib = zlib.decompressobj(-zlib.MAX_WBITS)  # "deflate" without zlib's frame: some servers' reading
            try:
                self._append(chunk)
            except zlib.error as second:
                raise FetchError(f"the packed answer is damaged: {second}") from second

    def _append(self, chunk: bytes) -> None:
        while chunk and not self._zlib.eof and len(self._out) <= self._max_bytes:  # what follows the end is padding
            self._out += self._zlib.decompress(chunk, self._max_bytes + 1 - len(self._out))
            chunk = self._zlib.unconsumed_tail
