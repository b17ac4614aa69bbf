"""The command line as a program that has been started already, and forks for every command that it is told to run.

`tocsin` needs about a second to start, and the tests here run some hundred commands. What a fork runs is `main()` of
the command line, in a process of its own, up to the interpreter's own end; only the importing is shared.

python forked.py FD: reads an order a line, as JSON, from the socket FD, and answers each with an exit status.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import socket
import sys
from typing import Any, Final

from worker.cli import main

# What commands import only when they run, so that `--help` is quick.
_LATE: Final = (
    "worker.intake.run",
    "worker.matching.run_library",
    "worker.planning.run",
    "worker.signup.run_import",
    "worker.signup.run_newsletters",
    "worker.wiring",
)


def serve(orders: socket.socket) -> None:
    """Run one command after the other; return in every child, with the command still to run, and at the end."""
    with orders.makefile("r", encoding="utf-8") as lines:
        for line in lines:
            order = json.loads(line)
            child = os.fork()
            if not child:
                become(order)
                main()
                return
            _, status = os.waitpid(child, 0)
            orders.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


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
