"""`tocsin editions preflight`: what is wrong with an edition's mail, and what to do; and the look before `send`.

Parses and prints; the rehearsal looks, and `worker.preflight` judges.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from worker.cli.house import Json, messages, opened_house, print_json, print_rows
from worker.model import EditionId

if TYPE_CHECKING:
    from worker.rehearsal import Rehearsed, Tell
    from worker.wiring import House

_COLUMNS = ("check", "result", "found", "what_to_do")


def register(app: typer.Typer) -> None:
    """Add the command to those on editions."""
    app.command()(preflight)


def preflight(
    edition: Annotated[int, typer.Argument(help="The edition's number.")],
    offline: Annotated[bool, typer.Option("--offline", help="Ask no server on the web, and no DNS.")] = False,
    as_json: Json = False,
) -> None:
    """Look over an edition's mail: links, pictures, size, styles, headers, spam score, words and stories.

    A newsletter's issue as it would go now, or what most readers of any other edition get. Exit status 1 when there is
    a problem.
    """
    from worker.preflight.findings import Mark

    found = opened_house()
    with _telling() as tell:
        looked = found.rehearsal.look_over(EditionId(edition), offline=offline, tell=tell)
    if looked.is_issue and not offline:
        found.rehearsal.keep(looked)
    if as_json:
        for line in looked.told():
            print_json(line)
    else:
        _print(looked)
    if looked.mark is Mark.PROBLEM:
        raise typer.Exit(1)


def passes(house: House, edition: int) -> bool:
    """Look over an issue that somebody wants to send; print what is wrong and return False where that is too much.

    What was found is kept. Where no preflight is wished, nobody looks.
    """
    from worker.preflight.findings import Mark
    from worker.rehearsal import Mode

    mode = house.rehearsal.terms.mode
    if mode is Mode.OFF:
        return True
    with _telling() as tell:
        looked = house.rehearsal.look_over(EditionId(edition), tell=tell)
    if looked.is_issue:
        house.rehearsal.keep(looked)
    if looked.mark is not Mark.PROBLEM:
        return True
    _print(looked, only=(Mark.PROBLEM, Mark.WARNING), to_stderr=True)
    if mode is Mode.WARN:
        return True
    messages.print(f"edition {edition} is not sent: mend the problems, or send it as it is with --anyway", markup=False)
    return False


def shown(looked: Mapping[str, object] | None) -> list[dict[str, object]]:
    """Return the rows that `editions show` prints of what the last look has found."""
    if looked is None:
        return []
    named = (("preflight", "result"), ("looked_at", "looked_at"), ("held_by", "held_by"), ("waived_by", "waived_by"))
    return [{"field": name, "value": looked[key]} for name, key in named if looked[key]]


def _print(looked: Rehearsed, *, only: tuple[object, ...] = (), to_stderr: bool = False) -> None:
    rows = [
        {"check": one.check, "result": one.mark, "found": one.found, "what_to_do": one.advice}
        for one in looked.findings
        if not only or one.mark in only
    ]
    messages.print(f"“{looked.subject}”", markup=False)
    if looked.of > 1:
        messages.print(f"its readers get {looked.of} different contents; this is what most of them get", markup=False)
    print_rows(rows, as_json=False, columns=_COLUMNS, to_stderr=to_stderr)
    if looked.held_by and looked.is_issue:
        messages.print(f"this holds it: {looked.held_by}", markup=False)


@contextmanager
def _telling() -> Iterator[Tell]:
    columns = (TextColumn("links and pictures"), BarColumn(), MofNCompleteColumn())
    hidden = not messages.is_terminal
    with Progress(*columns, console=messages, transient=True, disable=hidden or not sys.stderr.isatty()) as bar:
        task = bar.add_task("links", total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)
