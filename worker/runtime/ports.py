"""TCP ports of this machine: find a free one, insist on one, wait until somebody listens.

Tells a person in one line what to change; starts and stops nothing. Called by the command line before it starts
children, and by the embedded broker.
"""

from __future__ import annotations

import errno
import socket
import time
from typing import Final

import psutil

from worker.errors import ConfigurationError

LOOK_EVERY_S: Final = 0.05


def free_port(host: str = "127.0.0.1") -> int:
    """Return a port that is free now; somebody else may take it before the caller does."""
    with socket.create_server((host, 0)) as server:
        port: int = server.getsockname()[1]
        return port


def ensure_free(host: str, port: int, what: str, variable: str, *, wait_s: float = 0.0) -> None:
    """Make sure that `what` ("the embedded broker") will be able to listen on the port.

    Waits up to `wait_s` for children of a supervisor that was killed a moment ago. Raises `ConfigurationError`: one
    line with the port, who wants it, who has it where the system tells, and the environment variable to change.
    """
    give_up_s = time.monotonic() + wait_s
    while (error := _try_to_listen(host, port)) is not None:
        if error.errno != errno.EADDRINUSE or time.monotonic() >= give_up_s:
            problem = f"{what} cannot listen on port {port} of {host}: {_reason(error, port)}"
            raise ConfigurationError(f"{problem}; choose another with {variable}") from error
        time.sleep(LOOK_EVERY_S)


def is_listening(host: str, port: int) -> bool:
    """Tell whether somebody, whoever it is, accepts connections there."""
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def wait_until_listening(host: str, port: int, timeout_s: float) -> bool:
    """Wait until somebody accepts connections there; False when nobody does within `timeout_s`."""
    give_up_s = time.monotonic() + timeout_s
    while not (listening := is_listening(host, port)) and time.monotonic() < give_up_s:
        time.sleep(LOOK_EVERY_S)
    return listening


def _try_to_listen(host: str, port: int) -> OSError | None:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        socket.create_server((host, port), family=family).close()
    except OSError as error:  # a host name that does not resolve (socket.gaierror) is an OSError too
        return error
    return None


def _reason(error: OSError, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"it is in use by {_holder(port)}"
        case errno.EACCES:
            return "ports below 1024 are for root"
        case errno.EADDRNOTAVAIL:
            return "this machine has no such address"
        case _:
            return (error.strerror or str(error)).lower()


def _holder(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
            if listens and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    except psutil.Error:  # macOS tells root only; the process may also have just ended
        pass
    return "another program"
