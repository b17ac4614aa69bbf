"""The local inbox's Maildir: stores messages durably, finds them again, lists, reads and erases them.

A message's file appears in `new` only when it is complete and on disk. Its name ends in a hash of the Message-ID, so
that a look-up reads no file, and begins with the time and a counter, so that a message that comes twice lies there
twice: duplicates must be seen. `runtime/inbox.py` stores, `InboxTransport` looks up, the `/inbox` page reads.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path
from typing import Final

from worker.errors import InputError
from worker.model import Sighting

_COUNTER: Final = itertools.count()
_ID: Final = re.compile(r"[\w=+,-][\w.=+,-]{0,250}", re.ASCII)
_HEAD_BYTES: Final = 65_536
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class InboxMessage:
    """One line of the list of messages. `sender` is the From header, decoded; `recipient` the envelope's."""

    id: str
    received_at: datetime
    sender: str
    recipient: str
    subject: str
    size_bytes: int


def make(folder: Path) -> None:
    """Make the Maildir, or take it as it is; sweep what a killed server left half-written, and never acknowledged.

    Raises `OSError` where that cannot be done. Only the one server that stores into it may call this.
    """
    for name in ("new", "cur", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for leftover in (folder / "tmp").iterdir():
        leftover.unlink(missing_ok=True)


def store(folder: Path, data: bytes, *, sender: str, recipient: str) -> str:
    """Store a message with its envelope on top, and return its id once the disk has it.

    Raises `OSError` when it is not stored; then nothing of it shows.
    """
    identifier = _name(str(_header(data).get("Message-ID", "")))
    draft, final = folder / "tmp" / identifier, folder / "new" / identifier
    # In this order: a message that begins with a space continues the line above it, and erasure needs Delivered-To.
    envelope = f"Delivered-To: {recipient}\r\nReturn-Path: <{sender}>\r\n".encode("utf-8", "surrogateescape")
    try:
        with draft.open("xb") as file:
            file.write(envelope + data)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(final)
    finally:
        draft.unlink(missing_ok=True)
    _sync(final.parent)
    return identifier


def look_up(folder: Path, message_id: str) -> Sighting:
    """Tell whether a message with this Message-ID is there; angle brackets and white space do not matter.

    A message that is being stored at this moment may yet appear or not, and where there is no Maildir there is nobody
    to ask: both are `CANNOT_TELL`.
    """
    if not (folder / "new").is_dir():
        return Sighting.CANNOT_TELL
    pattern = f"*.{_hash(message_id)}*"
    # In this order, in which a message moves: it cannot slip through behind us.
    in_tmp, in_new, in_cur = (any((folder / name).glob(pattern)) for name in ("tmp", "new", "cur"))
    if in_new or in_cur:
        return Sighting.FOUND
    return Sighting.CANNOT_TELL if in_tmp else Sighting.ABSENT


def count_messages(folder: Path) -> int:
    """Count the messages, duplicates included."""
    return sum(1 for _ in _files(folder))


def list_messages(folder: Path, limit: int, offset: int = 0) -> tuple[InboxMessage, ...]:
    """List messages, newest first; empty where there are none, or no Maildir. Reads the heads of those listed only."""
    paths = sorted(_files(folder), key=lambda path: path.name, reverse=True)[offset : offset + limit]
    summaries = (_summarise(path) for path in paths)
    return tuple(summary for summary in summaries if summary)


def read_message(folder: Path, identifier: str) -> bytes:
    """Read a message as it was received, its envelope on top.

    Raises `InputError` when no such message is there, whatever the identifier is made of.
    """
    if _ID.fullmatch(identifier):
        for path in (folder / "new" / identifier, folder / "cur" / identifier, *_seen(folder, identifier)):
            if path.is_file():
                return path.read_bytes()
    raise InputError("no such message in the inbox", where="id", hint="take an id from the list of messages")


def erase_messages_to(folder: Path, address: str) -> int:
    """Delete every message that was delivered to `address`, in whatever case it was written; return how many."""
    wanted = address.strip().casefold()
    erased = 0
    for path in _files(folder):
        if wanted in {str(to).strip().casefold() for to in _read_head(path).get_all("Delivered-To", [])}:
            path.unlink(missing_ok=True)
            erased += 1
    for name in ("new", "cur") if erased else ():
        _sync(folder / name)
    return erased


def _name(message_id: str) -> str:
    """Make a name that sorts by time and that no other message has."""
    seconds, micros = divmod(time.time_ns() // 1000, 1_000_000)
    unique = f"P{os.getpid()}Q{next(_COUNTER):08d}R{secrets.token_hex(4)}"
    return f"{seconds:010d}.M{micros:06d}{unique}.{_hash(message_id)}"


def _hash(message_id: str) -> str:
    """Hash a Message-ID, in which folding may have put white space.

    >>> _hash("<a@b>") == _hash(" a@b") != _hash("<A@b>")
    True
    """
    bare = "".join(message_id.split()).removeprefix("<").removesuffix(">")
    return hashlib.sha256(bare.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _files(folder: Path) -> Iterator[Path]:
    for name in ("new", "cur"):
        if (folder / name).is_dir():
            yield from (path for path in (folder / name).iterdir() if not path.name.startswith("."))


def _seen(folder: Path, identifier: str) -> Iterator[Path]:
    """Find a message that a mail reader has moved: it hangs flags on the name, behind a colon."""
    return (folder / "cur").glob(f"{identifier}:2,*")


def _summarise(path: Path) -> InboxMessage | None:
    """Sum a file up; None when it has gone since it was listed."""
    try:
        head, status = _read_head(path), path.stat()
    except FileNotFoundError:
        return None
    return InboxMessage(
        id=path.name.partition(":")[0],
        received_at=datetime.fromtimestamp(status.st_mtime, UTC),
        sender=_readable(head.get("From") or head.get("Return-Path") or ""),
        recipient=_readable(head.get("Delivered-To") or head.get("To") or ""),
        subject=_readable(head.get("Subject") or ""),
        size_bytes=status.st_size,
    )


def _read_head(path: Path) -> Message:
    with path.open("rb") as file:
        return _header(file.read(_HEAD_BYTES))


def _header(data: bytes) -> Message:
    """Parse the head of a message. UTF-8 may stand in it bare (RFC 6532), which `email` reads from text only."""
    head, _, _ = data[:_HEAD_BYTES].partition(b"\r\n\r\n")
    return HeaderParser().parsestr(head.decode("utf-8", "surrogateescape"))


def _readable(value: object) -> str:
    """Decode a header's encoded words as far as they can be, to one line of printable text.

    >>> _readable("=?utf-8?b?7ZWc6rWt?= news"), _readable("=?nonsense?b?eA==?=")
    ('한국 news', '=?nonsense?b?eA==?=')
    """
    text = str(value)
    with contextlib.suppress(LookupError, ValueError, HeaderParseError):  # as the doctest's: shown as it came
        text = str(make_header(decode_header(text)))
    printable = text.encode("utf-8", "replace").decode()
    return " ".join(_UNPRINTABLE.sub(" ", printable).split())


def _sync(folder: Path) -> None:
    """Make the names in a folder durable too: `fsync` on a file says nothing about them."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
