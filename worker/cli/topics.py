"""`tocsin topics`: the shared topics that readers follow, checked before they are stored."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from worker.cli.house import Json, messages, opened_house, print_rows

app = typer.Typer(help="Topics that readers follow.", no_args_is_help=True)


@app.command("import")
def import_(
    paths: Annotated[list[Path], typer.Argument(help="YAML files, folders of them, or JSON lines as `list` prints.")],
) -> None:
    """Store topics, all or none. Each one's examples are checked first: it must match some texts and not others."""
    from worker.matching.library import read_topics
    from worker.matching.run_library import import_topics

    new, changed = import_topics(opened_house().database, read_topics(paths))
    messages.print(f"{new} topics added, {changed} replaced")


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Print all topics; the JSON lines are fit for `tocsin match --topics`."""
    from worker.store import topics

    with opened_house().database.read() as conn:
        rows = topics.topics(conn, shared_only=True)
    shown = ({"id": row.slug, "name": row.name.get("en", row.slug), "query": row.query} for row in rows)
    print_rows(shown, as_json=as_json, columns=("id", "name", "query"))
    for row in rows:
        if row.disabled_reason:
            messages.print(f"{row.slug} is switched off: {row.disabled_reason}")


@app.command()
def check() -> None:
    """Check every stored topic again: that its query is understood, and that its examples hold."""
    from worker.matching.run_library import check_stored
    from worker.store import topics

    with opened_house().database.read() as conn:
        rows = topics.topics(conn, shared_only=True)
    check_stored(rows)
    messages.print(f"{len(rows)} topics hold")


def stored_queries() -> dict[str, str]:
    """Return the stored topics' queries by slug, for a query that names one with `@`."""
    from worker.store import topics

    with opened_house().database.read() as conn:
        return {row.slug: row.query for row in topics.topics(conn, shared_only=True) if row.slug}
