"""`tocsin render`: writes a sample mail of a kind, to look at without a database, a broker or a reader.

Parses and reports only; `rendering.samples` has the content and `rendering.compile` makes the mail.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from worker.errors import InputError
from worker.rendering.sample_kinds import KINDS, LOCALES

if TYPE_CHECKING:
    from worker.rendering.theme_files import Theme

_ALL = "all"


def register(app: typer.Typer) -> None:
    """Add `render` to the command line."""
    app.command("render", rich_help_panel="Mail")(render)


def render(
    kind: Annotated[str, typer.Argument(help=f"One of {', '.join(KINDS)}; or {_ALL}.")],
    locale: Annotated[str, typer.Option(help=f"One of {', '.join(LOCALES)}, or another language of the theme.")] = "en",
    out: Annotated[Path, typer.Option(help="The folder to write to; made if need be.")] = Path(),
    theme: Annotated[Path | None, typer.Option(help="A folder of own templates; by default TOCSIN_THEME's.")] = None,
) -> None:
    """Write KIND.html, KIND.txt and KIND.eml of a made-up mail, and print their paths."""
    _demand(kind, (*KINDS, _ALL), "kind of mail")
    templates = _templates(theme)
    _demand(locale, templates.languages.tags, "locale")
    made = [faces(one, locale, templates) for one in (KINDS if kind == _ALL else (kind,))]
    try:
        out.mkdir(parents=True, exist_ok=True)
        for file, data in (face for files in made for face in files.items()):
            (out / file).write_bytes(data)
            typer.echo(out / file)
    except OSError as error:
        raise InputError(f"{error.strerror}", where=f"{error.filename}", hint="choose a folder with --out") from error


def faces(kind: str, locale: str, theme: Theme | None = None) -> dict[str, bytes]:
    """Return the sample's files: their names and contents."""
    from worker.rendering import samples
    from worker.rendering.compile import Renderer
    from worker.rendering.theme_trial import sample, spoken_in

    spoken = spoken_in(locale)
    mail = Renderer(newsroom=samples.newsroom(spoken), theme=theme).compile(sample(kind, locale))
    personal = samples.personal(kind, spoken)
    return {
        f"{kind}.html": mail.mailed_html(personal).encode(),
        f"{kind}.txt": mail.text(personal).encode(),
        f"{kind}.eml": mail.fill(personal),
    }


def _templates(folder: Path | None) -> Theme:
    """Return the templates in force. The settings are read only if they name a theme: an empty machine has none."""
    from worker.rendering.theme_check import load_theme

    if folder is None and "TOCSIN_THEME" in os.environ:
        from worker.wiring import house

        return house().theme
    return load_theme(folder)


def _demand(value: str, known: tuple[str, ...], what: str) -> None:
    if value not in known:
        raise InputError(f"no {what} is called {value!r}", hint=f"choose one of {', '.join(known)}")
