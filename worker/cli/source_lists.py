"""`tocsin sources import` and `export`: whole lists of sources, OPML and YAML."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.given import read_given
from worker.cli.house import Json, messages, opened_house, operator, print_json
from worker.cli.refusals import refuse_all
from worker.errors import InputError

if TYPE_CHECKING:
    from worker.intake.listing.entries import Listed
    from worker.intake.run_lists import ImportedList

_PLACES_TOLD = 5


class ListFormat(StrEnum):
    """How a list is written."""

    OPML = "opml"
    YAML = "yaml"


def register(app: typer.Typer) -> None:
    """Add the commands to their group."""
    app.command("import")(import_)
    app.command()(export)


def import_(
    file: Annotated[Path, typer.Argument(help="OPML as feed readers export it, or YAML; - for standard input.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and count only.")] = False,
    as_json: Json = False,
) -> None:
    """Watch all feeds of a list, all or none. What the list says of known ones is brought up to date; none is removed.

    Folders of an OPML list are kept as `folder`, to find and export sources by; they change nothing of articles. In
    YAML, a source has url, name, homepage, outlet, lang, house, pages, every, folder and paused. See docs/intake.md.
    """
    from worker.intake.listing.entries import MAX_LIST_BYTES
    from worker.intake.listing.reading import read_list
    from worker.intake.run_lists import import_list

    name = "standard input" if str(file) == "-" else str(file)
    try:
        listed = read_list(read_given(file, most_bytes=MAX_LIST_BYTES + 1, name=name), file_name=name)
    except InputError as error:
        refuse_all(error)
    found = opened_house()
    with _progress(name, len(listed.entries)) as progress:
        imported = import_list(found.database, listed, actor=operator(), dry_run=dry_run, progress=progress)
    if not dry_run:
        found.ring("sweep_sources")
    if as_json:
        print_json(_told(listed, imported, dry_run=dry_run))
    messages.print(_says(listed, imported, dry_run=dry_run), markup=False)


def export(
    format_: Annotated[
        ListFormat, typer.Option("--format", help="OPML 2.0 for any feed reader, or YAML.")
    ] = ListFormat.OPML,
) -> None:
    """Print all sources as a list that can be imported again, here or by any feed reader."""
    from worker.intake.listing.writing import write_opml, write_yaml
    from worker.intake.run_lists import export_entries
    from worker.store.database import now

    found = opened_house()
    entries = export_entries(found.database)
    with found.database.read() as conn:
        at = now(conn)
    title = f"{found.newsroom.name}: what is watched"
    lines = write_opml(entries, title=title, at=at) if format_ is ListFormat.OPML else write_yaml(entries)
    for line in lines:
        sys.stdout.buffer.write(line.encode())
    sys.stdout.buffer.flush()


def _told(listed: Listed, imported: ImportedList, *, dry_run: bool) -> dict[str, object]:
    from worker.intake.listing.entries import Fate

    fates = {str(fate): imported.fates[fate] for fate in Fate}
    return {"format": listed.format, **fates, "without_feed": listed.without_feed, "stored": not dry_run}


def _says(listed: Listed, imported: ImportedList, *, dry_run: bool) -> str:
    from worker.intake.listing.entries import Fate

    counts = ", ".join(f"{imported.fates[fate]:,} {fate}" for fate in (Fate.NEW, Fate.KNOWN, Fate.CHANGED))
    said = [f"{'nothing stored; would be' if dry_run else 'sources'}: {counts}"]
    if imported.repeated:
        places = ", ".join(imported.repeated[:_PLACES_TOLD]) + ", ..." * (len(imported.repeated) > _PLACES_TOLD)
        said.append(f"{len(imported.repeated):,} stand in the list before, and are passed over: {places}")
    if listed.without_feed:
        said.append(f"{listed.without_feed:,} outline{'s hold' if listed.without_feed > 1 else ' holds'} no feed")
    return "\n".join(said)


@contextmanager
def _progress(name: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar on a terminal's standard error."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=messages, transient=True, disable=not messages.is_terminal) as bar:
        task = bar.add_task(Path(name).name, total=total)
        yield lambda done: bar.update(task, completed=done)
