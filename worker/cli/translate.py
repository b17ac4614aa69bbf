"""`tocsin topics translate`: queries written for another service become topics, with a report of what was lost.

Parses only; `translated` does it. Needs no database.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from worker.cli.house import Json
from worker.matching.foreign.origin import Source


def register(app: typer.Typer) -> None:
    """Add `translate` to a command group."""
    app.command("translate")(command)


def command(
    file: Annotated[Path, typer.Argument(help="One query a line, CSV, JSON, or OPML; - for standard input.")],
    source: Annotated[Source, typer.Option("--from", help="Where the queries come from.")],
    as_json_lines: Json = False,
    out: Annotated[Path | None, typer.Option(help="Where to write the topics, instead of standard output.")] = None,
) -> None:
    """Make topics of queries that were written for another service, fit for `tocsin topics import`.

    A report on standard error says of every piece that was not simply kept what the topic finds instead. The exit
    status is 0 if all was kept, perhaps with a changed meaning, 1 if something was dropped or a query refused and the
    rest was written, and 2 if nothing was.
    """
    from worker.cli.translated import carry_over

    carry_over(file, source, out, as_json_lines=as_json_lines)
