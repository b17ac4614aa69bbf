"""`tocsin newsletters`: the editorial newsletters of the house."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from worker.cli.house import Json, messages, opened_house, print_rows, reader_of

app = typer.Typer(help="Editorial newsletters.", no_args_is_help=True)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A YAML list of newsletters.")],
) -> None:
    """Store newsletters, all or none; one whose slug is known takes the place of the earlier one."""
    from worker.signup.run_newsletters import import_newsletters

    stored = import_newsletters(opened_house().database, file)
    new = sum(stored.values())
    messages.print(f"{new} newsletters added, {len(stored) - new} replaced")


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Print all newsletters."""
    from worker.store import newsletters

    with opened_house().database.read() as conn:
        rows = newsletters.listed(conn)
    columns = ("slug", "name", "schedule", "timezone", "timing", "approval", "next_due_at", "readers")
    print_rows(rows, as_json=as_json, columns=columns)


_Slug = Annotated[str, typer.Argument(help="The newsletter's slug.")]
_Address = Annotated[str, typer.Argument(help="A reader's address, however it is spelt.")]


@app.command()
def follow(newsletter: _Slug, address: _Address) -> None:
    """Let a reader who has confirmed have a newsletter."""
    from worker.signup import run_newsletters

    found = opened_house()
    run_newsletters.follow(found.database, newsletter, reader_of(found, address))
    messages.print(f"{address} follows {newsletter}", markup=False)


@app.command()
def unfollow(newsletter: _Slug, address: _Address) -> None:
    """Send a reader a newsletter no more."""
    from worker.signup import run_newsletters

    found = opened_house()
    ended = run_newsletters.unfollow(found.database, newsletter, reader_of(found, address))
    messages.print(f"{address} {'follows' if ended else 'did not follow'} {newsletter}{' no more' if ended else ''}")
