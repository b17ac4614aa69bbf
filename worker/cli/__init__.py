"""The command line: `tocsin`. Parses, calls a room, reports.

Data goes to standard output, as JSON lines with `--json`; progress and messages go to standard error. Exit status: 0
done, 1 failed, 2 wrong usage or bad input, with one clear line.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from worker import __version__
from worker.cli import (
    articles,
    database,
    deliveries,
    demo,
    editions,
    explain,
    match,
    newsletters,
    plan,
    processes,
    render,
    sources,
    state,
    subscribers,
    topics,
)
from worker.cli.house import choose_home
from worker.errors import ConfigurationError, InputError, TocsinError

_RUN, _NEWS, _READERS, _MAIL, _CARE = "Run it", "News", "Readers", "Mail", "Look after it"

app = typer.Typer(
    name="tocsin",
    help="The newsletter and alert delivery worker of a newsroom. Begin with: tocsin demo",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"tocsin {__version__}\n")
        raise typer.Exit


@app.callback()
def _options(
    home: Annotated[
        Path | None, typer.Option(help="Where the embedded mode keeps everything; TOCSIN_HOME says the same.")
    ] = None,
    version: Annotated[  # noqa: ARG001  the callback does the work
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    choose_home(home)


app.command(rich_help_panel=_RUN)(demo.demo)
app.command(rich_help_panel=_RUN)(processes.up)
app.command(rich_help_panel=_RUN)(processes.web)
app.command(rich_help_panel=_RUN)(processes.worker)
app.command(rich_help_panel=_RUN)(processes.beat)
app.command(rich_help_panel=_RUN)(processes.inbox)
app.add_typer(sources.app, name="sources", rich_help_panel=_NEWS)
app.add_typer(articles.app, name="articles", rich_help_panel=_NEWS)
app.add_typer(topics.app, name="topics", rich_help_panel=_NEWS)
topics.app.command("explain")(explain.explain)
match.register(app)
app.add_typer(subscribers.app, name="subscribers", rich_help_panel=_READERS)
app.add_typer(newsletters.app, name="newsletters", rich_help_panel=_READERS)
app.command(rich_help_panel=_MAIL)(plan.plan)
app.add_typer(editions.app, name="editions", rich_help_panel=_MAIL)
app.add_typer(deliveries.app, name="deliveries", rich_help_panel=_MAIL)
render.register(app)
app.add_typer(database.app, name="db", rich_help_panel=_CARE)
app.command(rich_help_panel=_CARE)(state.doctor)
app.command(rich_help_panel=_CARE)(state.config)


def main() -> None:
    """Run the command line; every error raised on purpose becomes one clear line and an exit status."""
    try:
        app()
    except (InputError, ConfigurationError) as error:
        _say(str(error))
        sys.exit(2)
    except TocsinError as error:
        _say(str(error))
        sys.exit(1)
    except BrokenPipeError:  # the reader of our output has gone: `tocsin ... | head`
        sys.stderr.close()
        sys.exit(0)


def _say(text: str) -> None:
    sys.stderr.write(f"tocsin: {text}\n")
