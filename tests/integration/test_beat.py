"""Beat ends when it is told to, wherever it happens to be."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.redis_server import redis_server

_TOLD_IN_A_FINALISER = """
import os, signal, sys, time
from celery.beat import Scheduler
from worker.cli import main

class Unlucky:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)

def unlucky(real):
    def told(*arguments):
        Unlucky()
        return real(*arguments)
    return told

{moment}
sys.argv = ["tocsin", "beat"]
main()
"""
_MOMENTS = {
    "while it starts": "Scheduler.setup_schedule = unlucky(Scheduler.setup_schedule)",
    "between two turns": "time.sleep = unlucky(time.sleep)",
}


@pytest.mark.parametrize("moment", _MOMENTS)
def test_sigterm_in_a_finaliser_ends_beat_too(moment, database_url, tmp_path):
    with redis_server(tmp_path) as broker:
        ours = {"TOCSIN_HOME": f"{tmp_path}/home", "TOCSIN_DATABASE_URL": database_url, "TOCSIN_BROKER_URL": broker.url}
        ended = subprocess.run(
            [sys.executable, "-c", _TOLD_IN_A_FINALISER.format(moment=_MOMENTS[moment])],
            env=os.environ | ours,
            timeout=30,
            capture_output=True,
            text=True,
            check=False,
        )
    assert "SystemExit" in ended.stderr  # Python has told of it, and gone on
    assert ended.returncode == 0
