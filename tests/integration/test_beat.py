"""Beat ends when it is told to, wherever it happens to be."""

from __future__ import annotations

import subprocess
import sys

_TOLD_IN_A_FINALISER = """
import os, signal, time
from worker import tasks
from worker.celery_app import app

class Unlucky:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)

def unlucky_sleep(seconds, sleep=time.sleep):
    Unlucky()
    sleep(seconds)

time.sleep = unlucky_sleep
app.conf.update(broker_url="memory://", beat_schedule={})
app.start(["beat", "-l", "WARNING"])
"""


def test_sigterm_in_a_finaliser_ends_beat_too():
    ended = subprocess.run(
        [sys.executable, "-c", _TOLD_IN_A_FINALISER], timeout=30, capture_output=True, text=True, check=False
    )
    assert "SystemExit" in ended.stderr  # Python has told of it, and gone on
    assert ended.returncode == 0
