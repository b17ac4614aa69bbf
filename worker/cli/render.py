"""`tocsin render`: writes a sample mail of a kind, to look at without a database, a broker or a reader.

Parses and reports only; `rendering.samples` has the content and `rendering.compile` makes the mail.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from worker.errors import InputError
from worker.rendering import samples
from worker.rendering.compile import Renderer


def register(app: typer.Typer) -> None:
    """Add `render` to the command line."""
    app.command("render", rich_help_panel="Mail")(render)


def render(
    kind: Annotated[str, typer.Argument(help=f"One of {', '.join(samples.KINDS)}.")],
    locale: Annotated[str, typer.Option(help=f"One of {', '.join(samples.LOCALES)}.")] = "en",
    out: Annotated[Path, typer.Option(help="The folder to write to; made if need be.")] = Path(),
) -> None:
    """Write KIND.html, KIND.txt and KIND.eml of a made-up mail, and print their paths."""
    _demand(kind, samples.KINDS, "kind of mail")
    _demand(locale, samples.LOCALES, "locale")
    files = faces(kind, locale)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for file, data in files.items():
            (out / file).write_bytes(data)
            typer.echo(out / file)
    except OSError as error:
        raise InputError(f"{error.strerror}", where=f"{error.filename}", hint="choose a folder with --out") from error


def faces(kind: str, locale: str) -> dict[str, bytes]:
    """Return the sample's files: their names and contents."""
    mail = Renderer(newsroom=samples.newsroom(locale)).compile(samples.content(kind, locale))
    personal = samples.personal(kind, locale)
    return {
        f"{kind}.html": mail.mailed_html(personal).encode(),
        f"{kind}.txt": mail.text(personal).encode(),
        f"{kind}.eml": mail.fill(personal),
    }


def _demand(value: str, known: tuple[str, ...], what: str) -> None:
    if value not in known:
        raise InputError(f"no {what} is called {value!r}", hint=f"choose one of {', '.join(known)}")
