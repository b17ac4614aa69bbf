"""The embedded broker as its parent sees it: how to start it, and when it can be used.

Starts nothing itself. Called by the command line, which hands the child to the supervisor.
"""

from __future__ import annotations

import sys
from pathlib import Path

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from worker.runtime.broker import HOST, PROGRAM
from worker.runtime.child import Child


def broker_child(*, home: Path, port: int) -> Child:
    """Describe the broker of a home; the first child to start and the last to stop. Its data lie in `broker/`."""
    directory = (home / "broker").resolve()
    log = home / "logs" / "valkey.log"
    return Child(
        name="broker",
        argv=[sys.executable, "-m", PROGRAM, "--dir", str(directory), "--port", str(port), "--log", str(log)],
        ready=lambda: is_ready(directory, port),
        stops_last=True,
    )


def broker_url(port: int) -> str:
    """Return the URL under which Celery finds the embedded broker.

    >>> broker_url(6399)
    'redis://127.0.0.1:6399/0'
    """
    return f"redis://{HOST}:{port}/0"


def is_ready(directory: Path, port: int) -> bool:
    """Tell whether the broker of this very directory answers; somebody else's Redis on that port does not count."""
    patient_once = Retry(NoBackoff(), 0)
    client = Redis(host=HOST, port=port, socket_timeout=1, retry=patient_once, decode_responses=True)
    try:
        # While it still loads its file it answers the first question, but not the second.
        return client.config_get("dir").get("dir") == str(directory) and bool(client.ping())
    except RedisError:
        return False
    finally:
        client.close()
