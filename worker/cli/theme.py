"""`tocsin theme`: is a folder of own templates fit to be used, and a small one to begin with.

Parses and reports; `rendering.theme_check` finds the faults, `seeds/theme` is the example.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.house import Json, messages, print_rows
from worker.errors import InputError
from worker.resources import seeds_dir

if TYPE_CHECKING:
    from worker.rendering.theme_files import Theme

app = typer.Typer(help="Own templates over ours.", no_args_is_help=True)


@app.command()
def check(
    folder: Annotated[Path | None, typer.Argument(help="The theme; by default TOCSIN_THEME's.")] = None,
    as_json: Json = False,
) -> None:
    """Look for all faults of a theme at once, and make every sample mail with it. Exit status 2 when it has any."""
    from worker.rendering import samples
    from worker.rendering.theme_check import check as find_faults

    theme = _theme(folder)
    faults = find_faults(theme)
    rows = [
        {
            "file": fault.file,
            "line": fault.line or None,
            "stops": fault.stops,
            "problem": fault.says if fault.stops else f"note: {fault.says}",
            "what_to_write": fault.hint,
        }
        for fault in faults
    ]
    if rows:
        print_rows(rows, as_json=as_json, columns=("file", "line", "problem", "what_to_write"))
    if any(fault.stops for fault in faults):
        raise typer.Exit(2)
    tags = ", ".join(theme.languages.tags)
    messages.print(f"OK: {len(theme.files)} files, {len(samples.KINDS)} mails tried in {tags}", markup=False)


@app.command()
def new(folder: Annotated[Path, typer.Argument(help="The folder to make; empty, if it is there.")]) -> None:
    """Write a small theme to begin with: other colours, a line in the footer, one changed block, one sentence."""
    example = seeds_dir() / "theme"
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError("there is something already", where=str(folder), hint="name a new folder")
    try:
        for file in sorted(found for found in example.rglob("*") if found.is_file()):
            target = folder / file.relative_to(example)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes())
            typer.echo(target)
    except OSError as error:
        raise InputError(f"{error.strerror}", where=f"{error.filename}", hint="name another folder") from error
    messages.print(f"Change what you like, then: tocsin theme check {folder}", markup=False)


def _theme(folder: Path | None) -> Theme:
    from worker.rendering.theme_files import read_theme
    from worker.wiring import house

    chosen = folder or house().theme_folder
    if chosen is None:
        raise InputError("no theme is set", hint="name a folder, or set TOCSIN_THEME; `tocsin theme new` makes one")
    return read_theme(chosen)
