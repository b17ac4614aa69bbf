"""How a refused query is told: one line that says what is wrong, and a caret under the place. Decides nothing."""

from __future__ import annotations

from typing import Final, NoReturn

import typer
from rich.cells import cell_len

from worker.errors import InputError, ManyFaultsError, QueryError

_UNPRINTABLE: Final = {code: "\ufffd" for code in range(32) if chr(code) not in "\n\t"} | {0x7F: "\ufffd"}


def refuse(error: InputError, pointer: str = "") -> NoReturn:
    """Leave with status 2."""
    typer.echo(f"error: {error}", err=True)
    if pointer:
        typer.echo(pointer, err=True)
    raise typer.Exit(2) from error


def refuse_query(error: QueryError, query: str) -> NoReturn:
    """Leave with status 2; the caret stands where the query itself is at fault, not a topic that it names."""
    if error.where:
        refuse(QueryError(error.reason, offset=error.offset, where=f"@{error.where}", hint=error.hint))
    refuse(error, pointer(query, error.offset))


def refuse_all(error: InputError) -> NoReturn:
    """Leave with status 2, telling each fault on a line of its own, with a caret where a query is at fault."""
    for each in error.errors if isinstance(error, ManyFaultsError) else (error,):
        typer.echo(f"error: {printable(str(each))}", err=True)
        if isinstance(each, QueryError) and each.query:
            typer.echo(pointer(each.query, each.offset), err=True)
    raise typer.Exit(2) from error


def printable(text: str) -> str:
    """Replace what would move the cursor or cannot be written, one character by one, so that offsets stay true."""
    return text.translate(_UNPRINTABLE).encode("utf-8", "replace").decode()


def pointer(query: str, offset: int) -> str:
    """Return the query's line that has the offset, and a caret under the place.

    >>> print(pointer("북한 (a", 3))
      북한 (a
           ^
    """
    before, after = query[:offset], query[offset:]
    head = printable(before.rpartition("\n")[2]).replace("\t", " ")
    tail = printable(after.partition("\n")[0]).replace("\t", " ")
    return f"  {head}{tail}\n  {' ' * cell_len(head)}^"
