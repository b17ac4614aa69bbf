"""The command line as a program that has been started already, and forks for every command that it is told to run.

`tocsin` needs about a second to start, and the tests here run some hundred commands. What a fork runs is `main()` of
the command line, in a process of its own, up to its end; only the importing is shared.

python forked.py FD: reads an order a line, as JSON, from the socket FD, and answers each with an exit status.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any, Final, NoReturn

from worker.cli import main

# What commands import only when they run, so that `--help` is quick.
_LATE: Final = (
    "alembic.command",
    "alembic.ddl.sqlite",
    "kombu.transport.redis",
    "typer.rich_utils",
    "worker.adapters.sources.files",
    "worker.celery_app",
    "worker.cli.children",
    "worker.cli.explained",
    "worker.deliverability.dkim_keys",
    "worker.deliverability.examine",
    "worker.deliverability.run_keys",
    "worker.deliverability.run_lookups",
    "worker.feedback.mail.hearing",
    "worker.intake.judge_source",
    "worker.intake.run",
    "worker.intake.run_discovery",
    "worker.intake.run_sources",
    "worker.letters",
    "worker.matching.explanation",
    "worker.matching.run_backtest",
    "worker.matching.run_library",
    "worker.planning.run",
    "worker.planning.run_simulate",
    "worker.rendering.theme_check",
    "worker.signup.run_import",
    "worker.signup.run_newsletters",
    "worker.wiring",
)


def serve(orders: socket.socket) -> None:
    """Run one command after the other, each in a child; return when there are no more."""
    with orders.makefile("r", encoding="utf-8") as lines:
        for line in lines:
            order = json.loads(line)
            child = os.fork()
            if not child:
                become(order)
                end(main)
            _, status = os.waitpid(child, 0)
            orders.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def end(command: Callable[[], None]) -> NoReturn:
    """Run a command to the end of its process, as the interpreter does, but for taking all modules to pieces again.

    That would touch, and so copy, all that is shared: it takes as long as the command.
    """
    status = 0
    try:
        command()
    except SystemExit as ending:
        status = ending.code if isinstance(ending.code, int) else bool(ending.code)
        if isinstance(ending.code, str):
            sys.stderr.write(ending.code + "\n")
    except Exception:  # noqa: BLE001  in the place of the interpreter, which tells of all
        sys.excepthook(*sys.exc_info())
        status = 1
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads, as at every end
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
    except OSError:
        status = 120  # as the interpreter has it
    sys.stderr.flush()
    os._exit(status)


def become(order: dict[str, Any]) -> None:
    """Turn this process into what a shell would have started."""
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["folder"])
    sys.argv = ["tocsin", *order["words"]]
    for number, name in enumerate(("input", "output", "errors")):
        flags = os.O_RDONLY if name == "input" else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        descriptor = os.open(order[name], flags, 0o600)
        os.dup2(descriptor, number)
        os.close(descriptor)
    signal.alarm(order["within_s"])  # unhandled: it ends the process, whatever that hangs in


if __name__ == "__main__":
    for module in _LATE:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()  # what is shared stays shared: no collection in a child touches it
    serve(socket.socket(fileno=int(sys.argv[1])))
