"""The command line: `tocsin`. Parses, calls a room, reports.

Data goes to standard output, as JSON lines with `--json`; progress and messages go to standard error. Exit status: 0
done, 1 failed, 2 wrong usage or bad input, with one clear line.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from worker import __version__
from worker.cli import (
    articles,
    backfill,
    backtest,
    database,
    deliveries,
    demo,
    dkim,
    editions,
    endpoints,
    erase,
    explain,
    feedback,
    issues,
    keys,
    match,
    newsletters,
    plan,
    processes,
    providers,
    render,
    replay,
    resolve,
    simulate,
    sources,
    state,
    stories,
    subscribers,
    theme,
    topics,
    trace,
    translate,
    webhooks,
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
explain.register(topics.app, topics.stored_queries)
translate.register(topics.app)
backtest.register(topics.app)
backfill.register(topics.app)
app.command(rich_help_panel=_NEWS)(match.match)
app.command(rich_help_panel=_NEWS)(stories.stories)
subscribers.app.command()(erase.erase)
app.add_typer(subscribers.app, name="subscribers", rich_help_panel=_READERS)
app.add_typer(newsletters.app, name="newsletters", rich_help_panel=_READERS)
app.command(rich_help_panel=_MAIL)(plan.plan)
app.command(rich_help_panel=_MAIL)(simulate.simulate)
app.add_typer(editions.app, name="editions", rich_help_panel=_MAIL)
issues.register(editions.app)
replay.register(editions.app)
app.add_typer(deliveries.app, name="deliveries", rich_help_panel=_MAIL)
deliveries.app.command()(trace.trace)
deliveries.app.command()(resolve.resolve)
app.add_typer(feedback.app, name="feedback", rich_help_panel=_MAIL)
app.add_typer(providers.app, name="providers", rich_help_panel=_MAIL)
webhooks.register(feedback.app)
render.register(app)
app.add_typer(theme.app, name="theme", rich_help_panel=_MAIL)
app.add_typer(endpoints.app, name="webhooks", rich_help_panel=_READERS)
app.add_typer(database.app, name="db", rich_help_panel=_CARE)
app.command(rich_help_panel=_CARE)(state.doctor)
app.add_typer(keys.app, name="keys", rich_help_panel=_CARE)
app.add_typer(dkim.app, name="dkim", rich_help_panel=_CARE)
app.command(rich_help_panel=_CARE)(state.config)


def main() -> None:
    """Run the command line; every error raised on purpose becomes one clear line and an exit status."""
    try:
        try:
            _run()
        finally:
            sys.stdout.flush()  # now: at the interpreter's end nobody could catch what follows
    except OSError as error:  # our output has nowhere to go, so what is left of it must not be tried again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):  # its reader has seen enough: `tocsin ... | head`
            sys.exit(0)
        _leave(error, 1)


def _run() -> None:
    try:
        _command()()
    except SystemExit as ending:
        if isinstance(ending.__context__, BrokenPipeError):  # typer makes a failure of it
            raise ending.__context__ from None
        raise
    except (InputError, ConfigurationError) as error:
        _leave(error, 2)
    except TocsinError as error:
        _leave(error, 1)
    except Exception as error:
        if not _is_database_trouble(error):
            raise
        _leave(error, 1)


@cache  # a tenth of a second's work: tests run hundreds of commands in a process
def _command() -> Callable[[], None]:
    return typer.main.get_command(app)


def _leave(error: Exception, status: int) -> NoReturn:
    sys.stderr.write(f"tocsin: {getattr(error, 'orig', error)}\n")
    sys.exit(status)


def _is_database_trouble(error: Exception) -> bool:
    """Tell whether a database that was there has failed us: locked for too long, its disk full, its server gone."""
    sqlalchemy_exc = sys.modules.get("sqlalchemy.exc")  # never imported here: it would slow `--help` down
    return sqlalchemy_exc is not None and isinstance(error, sqlalchemy_exc.OperationalError)
