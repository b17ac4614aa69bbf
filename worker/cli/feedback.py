"""`tocsin feedback`: returned mail. `parse` tells what a file says and stores nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from worker.cli.house import Json, print_rows
from worker.cli.json_lines import STDIN
from worker.errors import InputError

app = typer.Typer(help="What comes back: bounces, complaints, automatic answers.", no_args_is_help=True)


@app.command()
def parse(
    files: Annotated[list[Path], typer.Argument(help="Mails that came back, one a file; - for standard input.")],
    as_json: Json = False,
) -> None:
    """Tell bounces, complaints and automatic answers apart, and why: a line a recipient. Stores nothing."""
    columns = ("file", "kind", "recipient", "status", "hard", "reason")
    print_rows((row for file in files for row in _findings(file)), as_json=as_json, columns=columns)


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
