"""`tocsin editions`: the runs, and whether each one's books balance."""

from __future__ import annotations

from typing import Annotated

import typer

from worker.cli.house import Json, opened_house, print_json, print_rows
from worker.errors import InputError
from worker.model import EditionId

app = typer.Typer(help="Alerts, digests and other runs.", no_args_is_help=True)


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option(help="How many, the newest first.", min=1)] = 100_000,
    as_json: Json = False,
) -> None:
    """Print editions, the newest first."""
    from worker.store import editions

    with opened_house().database.read() as conn:
        rows = editions.listed(conn, limit=limit)
    print_rows(rows, as_json=as_json, columns=("id", "kind", "locale", "status", "audience", "slot", "due_at"))


@app.command()
def show(
    edition: Annotated[int, typer.Argument(help="The edition's number.")],
    as_json: Json = False,
) -> None:
    """Print one edition with its conservation figures: everybody in its audience is in exactly one of them."""
    from worker.store import editions

    with opened_house().database.read() as conn:
        found = editions.listed(conn, edition_id=EditionId(edition), limit=1)
        if not found:
            raise InputError(f"there is no edition {edition}", hint="see `tocsin editions list`")
        shown = {**found[0], "conservation": editions.conservation(conn, EditionId(edition))}
    if as_json:
        print_json(shown)
        return
    rows = [{"field": name, "value": value} for name, value in shown.items() if name != "conservation"]
    rows += [{"field": name, "value": str(count)} for name, count in shown["conservation"].items()]
    print_rows(rows, as_json=False, columns=("field", "value"))
