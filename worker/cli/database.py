"""`tocsin db`: bring the database to this program's version."""

from __future__ import annotations

import typer

from worker.cli.house import messages

app = typer.Typer(help="The database's version.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    pass


@app.command()
def upgrade() -> None:
    """Make the database, or bring it to this program's version. Safe to run again, and by two at once."""
    from worker.store import migrate
    from worker.wiring import house

    database = house().database_of_any_version()
    revision = migrate.upgrade(database)
    messages.print(f"the database is at version {revision}")
