"""Tries whether a relay or provider can be reached as a worker would reach it, short of handing over a message.

Changes nothing. `tocsin doctor` asks.
"""

from __future__ import annotations

import asyncio
import socket

from worker.adapters.transports.smtp_connection import SmtpConnection
from worker.adapters.transports.smtp_session import trust
from worker.adapters.transports.spec import Scheme, TransportSpec
from worker.errors import SendError


def trouble(spec: TransportSpec, *, within_s: float) -> str | None:
    """Say what keeps us from a way out, None when nothing does. Raises `ConfigurationError` as a worker would.

    A relay is greeted, TLS begun and the login tried, once. Of an HTTP provider only the connection is: its key is
    first told with a message.
    """
    try:
        socket.create_connection((spec.host, spec.port), timeout=within_s).close()
    except OSError as error:
        return f"no answer from {spec.name} at {spec.host}:{spec.port} ({error.strerror or error})"
    if spec.scheme not in set(Scheme):
        return None
    try:
        asyncio.run(asyncio.wait_for(_greet(spec), within_s))
    except TimeoutError:
        return f"{spec.name} at {spec.host}:{spec.port} has not greeted us within {within_s:g} s"
    except SendError as error:
        return f"{spec.name}: {error.text}"
    return None


async def _greet(spec: TransportSpec) -> None:
    await (await SmtpConnection.open(spec, trust(spec))).close()
