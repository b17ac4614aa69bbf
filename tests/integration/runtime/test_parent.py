"""A child never outlives its parent."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from worker.runtime.parent import PARENT_VARIABLE
from worker.runtime.ports import ensure_free

FAMILY = Path(__file__).with_name("family.py")
# Starts the rest of its command line, whose parent it is, and says so; then waits to be killed.
A_PARENT = f"""
import os, subprocess, sys
environment = {{**os.environ, "{PARENT_VARIABLE}": str(os.getpid())}}
subprocess.Popen(sys.argv[1:], env=environment, start_new_session=True).wait()
"""
AN_INDIFFERENT_PARENT = "import subprocess, sys; subprocess.Popen(sys.argv[1:], start_new_session=True).wait()"


@pytest.fixture
def family(tmp_path, until):
    """Start a family below a parent; return the parent, the family's process ids, and the report."""
    parents = []

    def start(*options, parent=A_PARENT):
        report = tmp_path / "report.txt"
        started = subprocess.Popen([sys.executable, "-c", parent, sys.executable, FAMILY, report, *options])
        parents.append(started)
        until(lambda: report.exists() and report.read_text().endswith("\n"), within_s=5)
        return started, [int(pid) for pid in report.read_text().splitlines()[0].split()[1:]], report

    yield start
    for parent in parents:
        parent.kill()
        parent.wait(timeout=5)


def test_everything_is_gone_within_10_s_when_the_supervisor_is_killed(small_up, until, gone):
    up = small_up("--children", "2", "--stubborn")
    everybody = up.everybody()
    assert len(everybody) == 2 + 3, "the broker's wrapper and Valkey, the family's parent and two children"

    killed_s = time.monotonic()
    up.process.kill()
    up.process.wait(timeout=2)
    until(lambda: gone(*everybody), within_s=10)

    assert time.monotonic() - killed_s > 7, "those who ignore SIGTERM have their time of grace"
    ensure_free("127.0.0.1", up.port, "the next start", "nothing")


@pytest.mark.parametrize("means", [["--polling"], []], ids=["by_asking", "told_by_the_kernel"])
def test_a_family_is_asked_to_end_when_its_parent_is_killed(family, until, gone, means):
    parent, pids, report = family("--children", "1", *means)
    parent.kill()
    until(lambda: gone(*pids), within_s=2)
    # The kernel may ask twice: at the end of the parent's first thread, and again at that of its last.
    assert {f"SIGTERM {pid}" for pid in pids} <= set(report.read_text().splitlines()), "each of them was asked"


@pytest.mark.parametrize("means", [["--polling"], []], ids=["by_asking", "told_by_the_kernel"])
def test_pool_children_end_when_their_worker_is_killed(family, until, gone, means):
    _, (worker, *children), _ = family("--children", "2", *means)
    os.kill(worker, signal.SIGKILL)
    until(lambda: gone(*children), within_s=2)


def test_a_worker_that_ignores_its_end_takes_its_pool_children_along(family, until, gone):
    parent, (worker, *children), _ = family("--children", "2", "--stubborn", "--grace", "0.6")
    started_s = time.monotonic()
    parent.kill()
    until(lambda: gone(worker, *children), within_s=3)
    assert time.monotonic() - started_s < 1.2, "one time of grace, not one for each generation"


def test_a_child_whose_parent_died_before_it_looked_ends_at_once(tmp_path):
    report = tmp_path / "report.txt"
    nobody = subprocess.Popen([sys.executable, "-c", ""])
    nobody.wait(timeout=5)
    orphan = subprocess.Popen([sys.executable, FAMILY, report], env={**os.environ, PARENT_VARIABLE: str(nobody.pid)})
    assert orphan.wait(timeout=3) == 0
    assert "SIGTERM" in report.read_text()


def test_a_process_that_nobody_supervises_outlives_its_parent_and_its_own_children_do_not(family, until, gone):
    parent, (worker, child), _ = family("--children", "1", parent=AN_INDIFFERENT_PARENT)
    parent.kill()
    parent.wait(timeout=5)
    time.sleep(0.6)
    assert not gone(worker)
    assert not gone(child)
    os.kill(worker, signal.SIGKILL)
    until(lambda: gone(child), within_s=2)
