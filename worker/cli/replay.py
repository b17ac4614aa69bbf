"""`tocsin editions replay`: sent messages, made again byte for byte, to read, to compare, or to keep.

Parses and reports; `worker.replay` makes them. Registered among the commands on editions.
"""

from __future__ import annotations

import os
import sys
from email.parser import BytesHeaderParser
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from worker.cli.house import Json, messages, opened_house, print_rows
from worker.errors import InputError
from worker.model import DeliveryId, EditionId

if TYPE_CHECKING:
    from worker.replay import Remade

_COLUMNS = ("delivery", "recipient", "bytes", "sha256", "version", "lacks")


def register(app: typer.Typer) -> None:
    """Add the command to those on editions."""
    app.command()(replay)


def replay(
    edition: Annotated[int, typer.Argument(help="The edition's number.")],
    delivery: Annotated[int | None, typer.Option(help="Only this delivery; without --out it goes to stdout.")] = None,
    recipient: Annotated[str | None, typer.Option(help="Only what went to this address.")] = None,
    out: Annotated[Path | None, typer.Option(help="A folder for DELIVERY.eml files; made if need be.")] = None,
    verify: Annotated[
        Path | None, typer.Option(help="A received message, found by its Message-ID, to compare with.", dir_okay=False)
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Make sent messages again, byte for byte, as templates, settings and keys were when each was sent."""
    from worker.store import editions

    house = opened_house()
    with house.database.read() as conn:
        if not editions.listed(conn, edition_id=EditionId(edition), limit=1):
            raise InputError(f"there is no edition {edition}", hint="see `tocsin editions list`")
    received = _received(verify) if verify else b""
    found = house.replayer.sent(
        EditionId(edition),
        delivery=DeliveryId(delivery) if delivery is not None else None,
        recipient=recipient,
        message_id=_message_id(received, verify) if verify else None,
    )
    if out is not None:
        _make(out)
    raw = delivery is not None and out is None and verify is None and not as_json
    books = _Books()
    rows = (_row(one, out=out, received=received, books=books) for one in found)
    if raw:
        for one in found:
            books.note(one)
            sys.stdout.buffer.write(one.data)
    else:
        print_rows(rows, as_json=as_json, columns=(*_COLUMNS, *(("received",) if verify else ())))
    books.close()


class _Books:
    """What is told at the end, on stderr, and by the exit status."""

    def __init__(self) -> None:
        self.count = 0
        self.faults: dict[str, int] = {}
        self.advice: dict[str, int] = {}

    def note(self, one: Remade) -> None:
        """Count a message."""
        from worker import __version__

        self.count += 1
        for what in one.lacks:
            self.fault(f"not as it was, without {what}" if one.data else f"cannot be made again, without {what}")
        if one.version != __version__:
            advice = f"made by Tocsin {one.version}, this is {__version__}: compare before you rely on it"
            self.advice[advice] = self.advice.get(advice, 0) + 1
        elif "libraries" in one.changed:
            advice = "made with other versions of libraries: compare before you rely on it"
            self.advice[advice] = self.advice.get(advice, 0) + 1

    def fault(self, what: str) -> None:
        """Count what makes the command fail."""
        self.faults[what] = self.faults.get(what, 0) + 1

    def close(self) -> None:
        """Tell. Raises `InputError` when there was nothing, and exits with 1 when something is not as it was."""
        if not self.count:
            raise InputError("no such message of this edition was sent", hint="see `tocsin deliveries list --edition`")
        for what, count in [*self.advice.items(), *self.faults.items()]:
            messages.print(f"{count} of {self.count}: {what}", markup=False)
        if self.faults:
            raise typer.Exit(1)


def _row(one: Remade, *, out: Path | None, received: bytes, books: _Books) -> dict[str, Any]:
    books.note(one)
    row = {
        "delivery": one.delivery,
        "recipient": one.recipient,
        "message_id": one.message_id,
        "provider": one.provider,
        "look": one.look,
        "version": one.version,
        "bytes": len(one.data),
        "sha256": sha256(one.data).hexdigest() if one.data else None,
        "changed": list(one.changed),
        "lacks": list(one.lacks),
    }
    if out is not None and one.data:
        row["file"] = str(out / f"{one.delivery}.eml")
        _keep(out / f"{one.delivery}.eml", one.data)
    if received:
        difference = _difference(one.data, received)
        row["received"] = difference or "identical"
        if difference:
            books.fault(f"not what was received: {difference}")
    return row


def _make(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{error.strerror}", where=str(folder), hint="choose another folder with --out") from error


def _keep(file: Path, data: bytes) -> None:
    """Write a message for who has asked for it alone: the links in it are its reader's, and work for ever."""
    try:
        file.unlink(missing_ok=True)  # one that is there already may be a link, or anybody's to read
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(data)
    except OSError as error:
        raise InputError(f"{error.strerror}", where=str(file), hint="choose a folder of yours with --out") from error


def _received(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}", hint="name a message, as an .eml file") from error


def _message_id(received: bytes, file: Path | None) -> str:
    found = BytesHeaderParser().parsebytes(received).get("Message-ID", "")
    if not str(found).strip():
        raise InputError(f"{file} has no Message-ID", hint="name a whole message, header and all")
    return str(found).strip().strip("<>")


def _difference(made: bytes, received: bytes) -> str:
    """Say where a received message begins to differ; "" when it ends with what was made.

    Receivers put fields above a message (Received, Return-Path), and may keep it with other line ends.
    """
    ours, theirs = (_lines(data) for data in (made, received))
    if theirs[-len(ours) :] == ours:
        return ""
    pairs = zip(reversed(ours), reversed(theirs), strict=False)
    same = next((at for at, (one, other) in enumerate(pairs) if one != other), min(len(ours), len(theirs)))
    line = len(ours) - same
    return f"line {line} of {len(ours)}" if line > 0 else "its beginning"


def _lines(data: bytes) -> list[bytes]:
    return data.replace(b"\r\n", b"\n").rstrip(b"\n").split(b"\n")
