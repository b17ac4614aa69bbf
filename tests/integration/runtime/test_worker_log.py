"""What a worker's log tells: our own plain lines too, whatever level Celery gives the root logger."""

from __future__ import annotations

import os
import subprocess
import sys

_WORKER = """
import logging
from worker.celery_app import app
from worker.cli.processes import log_to_stderr

log_to_stderr()
app.log.setup(loglevel="WARNING", redirect_stdouts=False)  # as a worker with `-l WARNING` does
logging.getLogger("worker.intake.run_watching").info("source 7, Wire, was failing and is ok")
logging.getLogger("celery.worker").info("a task is received")
"""


def _log(**environment: str) -> str:
    told = {**os.environ, **environment}
    run = subprocess.run([sys.executable, "-c", _WORKER], env=told, capture_output=True, text=True, check=True)
    return run.stderr


def test_a_workers_log_tells_of_a_source_that_is_well_again_and_not_of_every_task():
    said = _log()
    assert "INFO worker.intake.run_watching: source 7, Wire, was failing and is ok" in said
    assert "a task is received" not in said


def test_whoever_wants_warnings_only_says_so():
    assert _log(TOCSIN_LOG_LEVEL="WARNING") == ""
