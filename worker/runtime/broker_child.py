"""The embedded broker as its parent sees it: how to start it, and when it can be used.

Starts nothing itself. Called by the command line, which hands the child to the supervisor.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import psutil
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
        ready=lambda: is_ready(port),
        stops_last=True,
    )


def broker_url(port: int) -> str:
    """Return the URL under which Celery finds the embedded broker.

    >>> broker_url(6399)
    'redis://127.0.0.1:6399/0'
    """
    return f"redis://{HOST}:{port}/0"


def is_ready(port: int) -> bool:
    """Tell whether a broker that this process has started answers, with all its data loaded.

    Not somebody else's Redis on that port, nor a stale Valkey that the new wrapper has yet to end: the server's own
    parent, the wrapper, must be our child.
    """
    client = Redis(host=HOST, port=port, socket_timeout=0.5, retry=Retry(NoBackoff(), 0))
    try:
        client.ping()  # refused while it loads
        wrapper = psutil.Process(client.info("server")["process_id"]).parent()
        return wrapper is not None and wrapper.ppid() == os.getpid()
    except (RedisError, psutil.Error):
        return False
    finally:
        client.close()
