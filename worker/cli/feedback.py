"""`tocsin feedback`: returned mail. `parse` tells what a file says and stores nothing; `ingest` takes a mailbox in."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from worker.cli.house import Json, messages, opened_house, print_json, print_rows
from worker.cli.json_lines import STDIN
from worker.errors import ConfigurationError, InputError

if TYPE_CHECKING:
    from worker.feedback.run_mailbox import TakenIn

_TEMPORARY_FAILURE: Final = 75  # sysexits.h: a mail server whose pipe ends so keeps the mail, and tries again

app = typer.Typer(help="What comes back: bounces, complaints, automatic answers.", no_args_is_help=True)


@app.command()
def parse(
    files: Annotated[list[Path], typer.Argument(help="Mails that came back, one a file; - for standard input.")],
    as_json: Json = False,
) -> None:
    """Tell bounces, complaints and automatic answers apart, and why: a line a recipient. Stores nothing."""
    columns = ("file", "kind", "recipient", "status", "hard", "reason")
    print_rows((row for file in files for row in _findings(file)), as_json=as_json, columns=columns)


@app.command()
def ingest(
    mailbox: Annotated[
        str, typer.Argument(help="A Maildir, imaps://USER:PASSWORD@HOST/INBOX, or - for one mail on standard input.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Take in the mail that came back, and do what follows from it. Safe to repeat, and to break off, at any time."""
    try:
        taken_in = _taken_in(mailbox)
    except Exception as error:
        if mailbox != "-":
            raise
        sys.stderr.write(f"tocsin: {error}; this mail should be brought again later\n")
        raise typer.Exit(_TEMPORARY_FAILURE) from error
    if as_json:
        print_json(taken_in.counts())
    else:
        messages.print(str(taken_in))


def _taken_in(mailbox: str) -> TakenIn:
    house = opened_house()
    taken_in = house.take_in_mail(mailbox)
    if taken_in is None:
        raise ConfigurationError("no mailbox is named: name one here, or set TOCSIN_RETURNED_MAIL")
    while house.feedback.settle():
        pass
    return taken_in


def _findings(file: Path) -> Iterator[dict[str, Any]]:
    from worker.feedback.mail.classify import findings

    for found in findings(_read(file)):
        yield {
            "file": str(file),
            "kind": str(found.kind),
            "recipient": found.recipient,
            "status": found.status,
            "hard": found.hard,
            "reason": str(found.reason),
        }


def _read(file: Path) -> bytes:
    """Read as much of a mail as is ever looked at."""
    from worker.feedback.mail.reading import MOST_BYTES

    try:
        if file == STDIN:
            return sys.stdin.buffer.read(MOST_BYTES)
        with file.open("rb") as stream:
            return stream.read(MOST_BYTES)
    except OSError as error:
        raise InputError(
            error.strerror or str(error), where=str(file), hint="name files that can be read, or - for standard input"
        ) from error
