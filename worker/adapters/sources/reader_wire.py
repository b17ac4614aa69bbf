"""What a reading process is asked and what it answers, and how both go over a socket.

Values, and the two functions that both halves share: `reader_pool` asks, `reader_child` answers.
"""

from __future__ import annotations

import pickle
import socket
import struct
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

_LENGTH: Final = struct.Struct("!I")


class What(StrEnum):
    """What a document is to be read as."""

    FEED = "feed"  # by `files.read_feed`
    DOCUMENT = "document"  # by `files.read_document`
    PAGE = "page"  # by `files.read_page`


class Outcome(StrEnum):
    """How reading ended."""

    READ = "read"
    REFUSED = "refused"  # an `InputError`
    FAILED = "failed"  # out of memory, or a defect


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """A document to be read within `limit_s`."""

    what: What
    data: bytes
    url: str
    content_type: str
    limit_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a child says: the reader's result, or words; `leaves`: it ends now."""

    outcome: Outcome
    result: Any = None
    words: tuple[str, str, str] = ("", "", "")
    is_feed_error: bool = False
    leaves: bool = False


def send(sock: socket.socket, thing: Job | Answer) -> None:
    """Write one thing. Raises `OSError`, also when it takes longer than the socket's timeout."""
    packed = pickle.dumps(thing, protocol=pickle.HIGHEST_PROTOCOL)
    sock.sendall(_LENGTH.pack(len(packed)))
    sock.sendall(packed)


def receive(sock: socket.socket) -> Any:  # noqa: ANN401  whatever the other half has sent
    """Read one thing; None at the end. Raises `OSError`, also when nothing comes for the socket's timeout."""
    head = _exactly(sock, _LENGTH.size)
    if head is None:
        return None
    packed = _exactly(sock, _LENGTH.unpack(head)[0])
    return None if packed is None else pickle.loads(packed)  # noqa: S301  our own other half


def _exactly(sock: socket.socket, size: int) -> bytearray | None:
    found = bytearray(size)
    view, had = memoryview(found), 0
    while had < size:
        got = sock.recv_into(view[had:])
        if got == 0:
            return None
        had += got
    return found
