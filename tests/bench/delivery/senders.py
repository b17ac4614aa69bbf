"""Peers in Python: the standard library's smtplib in threads, and aiosmtplib on uvloop, their connections kept open.

Answers `send COUNT CONNECTIONS PORT` with the seconds it took, as a line of JSON. Started by `peers.py`:
python -m tests.bench.delivery.senders smtplib|aiosmtplib FILE
"""

from __future__ import annotations

import asyncio
import json
import smtplib
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import aiosmtplib
import uvloop

_FROM: Final = "news@courier.example"
_TO: Final = "crowd.1@reader.example"


def shares(count: int, connections: int) -> list[int]:
    """Deal messages out to connections.

    >>> shares(7, 3)
    [3, 2, 2]
    """
    return [count // connections + (number < count % connections) for number in range(connections)]


def with_smtplib(message: bytes, count: int, connections: int, port: int) -> None:
    """Send from as many threads as there are connections."""

    def work(share: int) -> None:
        with smtplib.SMTP("127.0.0.1", port) as server:
            for _ in range(share):
                server.sendmail(_FROM, [_TO], message)

    threads = [threading.Thread(target=work, args=(share,)) for share in shares(count, connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def with_aiosmtplib(message: bytes, count: int, connections: int, port: int) -> None:
    """Send from one event loop."""

    async def work(share: int) -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, use_tls=False, start_tls=False) as server:
            for _ in range(share):
                await server.sendmail(_FROM, [_TO], message)

    async def work_all() -> None:
        await asyncio.gather(*(work(share) for share in shares(count, connections)))

    uvloop.run(work_all())


SENDERS: Final[dict[str, Callable[[bytes, int, int, int], None]]] = {
    "smtplib": with_smtplib,
    "aiosmtplib": with_aiosmtplib,
}


def main() -> None:
    """Answer requests until there are no more."""
    send, message = SENDERS[sys.argv[1]], Path(sys.argv[2]).read_bytes()
    for line in sys.stdin:
        count, connections, port = map(int, line.split()[1:])
        started_s = time.perf_counter()
        send(message, count, connections, port)
        sys.stdout.write(json.dumps({"seconds": time.perf_counter() - started_s}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
