"""`tocsin topics`: the shared topics that readers follow, checked before they are stored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from worker.cli.house import Json, messages, opened_house, print_json, print_rows
from worker.cli.refusals import pointer, printable, refuse_all
from worker.errors import InputError

if TYPE_CHECKING:
    from worker.matching.faults import Fault
    from worker.matching.run_library import Imported

_FILES = "YAML files, folders of them, or JSON lines as `list` prints"

app = typer.Typer(help="Topics that readers follow.", no_args_is_help=True)


@app.command("import")
def import_(paths: Annotated[list[Path], typer.Argument(help=f"{_FILES}.")]) -> None:
    """Store topics, all or none. Each one's examples are checked first: it must match some texts and not others.

    All faults of all files are told at once. A topic's version rises when it asks for something else than before.
    """
    from worker.matching.library import read
    from worker.matching.run_library import import_reading

    database, reading = opened_house().database, read(paths)
    try:
        with _bar("checking", len(reading.drafts)) as step:
            imported = import_reading(database, reading, on_done=step)
    except InputError as error:
        refuse_all(error)
    for line in _told(imported):
        messages.print(line, markup=False)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Print all topics; the JSON lines are fit for `tocsin match --topics` and for `import`."""
    from worker.store import topics

    with opened_house().database.read() as conn:
        rows = topics.topics(conn, shared_only=True)
    shown = (
        {"id": row.slug, "name": row.name.get("en", row.slug), "query": row.query, "version": row.version}
        for row in rows
    )
    print_rows(shown, as_json=as_json, columns=("id", "version", "name", "query"))
    for row in rows:
        if row.disabled_reason:
            messages.print(f"{row.slug} is switched off: {row.disabled_reason}", markup=False)


@app.command()
def check(
    paths: Annotated[list[Path] | None, typer.Argument(help=f"{_FILES}; none for the stored topics.")] = None,
    as_json: Json = False,
) -> None:
    """Check topics: that each query is understood, and that its examples hold. Files need no database.

    Everything that is at fault is told, with the words that were found or looked for; the exit status is then 1.
    """
    slugs, faults = _check_files(paths) if paths else _check_stored()
    by_topic: dict[str, list[Fault]] = defaultdict(list)
    for fault in faults:
        by_topic[fault.slug].append(fault)
    if as_json:
        for slug in dict.fromkeys([*slugs, *by_topic]):
            print_json(
                {"id": slug, "holds": slug not in by_topic, "faults": [_fields(f) for f in by_topic.get(slug, ())]}
            )
    else:
        for fault in faults:
            typer.echo(printable(str(fault)))
            if fault.offset is not None and fault.query:
                typer.echo(pointer(fault.query, fault.offset))
    failing = len([slug for slug in slugs if slug in by_topic])
    if faults:
        messages.print(f"{len(faults)} faults; {failing} of {len(slugs)} topics fail")
        raise typer.Exit(1)
    messages.print(f"{len(slugs)} topics hold")


def stored_queries() -> dict[str, str]:
    """Return the stored topics' queries by slug, for a query that names one with `@`."""
    from worker.store import topics

    with opened_house().database.read() as conn:
        return {row.slug: row.query for row in topics.topics(conn, shared_only=True) if row.slug}


def _check_files(paths: Sequence[Path]) -> tuple[list[str], list[Fault]]:
    from worker.matching.holding import check as check_drafts
    from worker.matching.library import read

    reading = read(paths)
    with _bar("checking", len(reading.drafts)) as step:
        checked = check_drafts(reading.drafts, {}, on_done=step)
    return [draft.slug for draft in reading.drafts], [*reading.faults, *checked.faults]


def _check_stored() -> tuple[list[str], list[Fault]]:
    from worker.matching.run_library import check_stored
    from worker.store import topics

    with opened_house().database.read() as conn:
        rows = topics.topics(conn, shared_only=True)
    with _bar("checking", len(rows)) as step:
        checked = check_stored(rows, on_done=step)
    return [row.slug for row in rows if row.slug], list(checked.faults)


def _told(imported: Imported) -> Iterator[str]:
    counts = {
        "added": len(imported.added),
        "changed": len(imported.changed),
        "edited, asking for the same": len(imported.edited),
        "unchanged": len(imported.unchanged),
    }
    yield ", ".join(f"{count} {fate}" for fate, count in counts.items() if count) or "no topics in these files"
    for slug, version in imported.changed:
        yield f"  {slug}: version {version - 1} -> {version}"


def _fields(fault: Fault) -> dict[str, Any]:
    told: dict[str, Any] = {"where": fault.where, "field": fault.field, "message": fault.message}
    if fault.offset is not None:
        told |= {"offset": fault.offset, "hint": fault.hint}
    if fault.example:
        told |= {"example": fault.example, "found": list(fault.found)}
    return told


@contextmanager
def _bar(what: str, total: int) -> Iterator[Callable[[], None]]:
    """Show a bar on a terminal's standard error while many topics are checked."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=messages, transient=True, disable=not messages.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)
