"""Who is alive: never mistaken by a used-again process id, a zombie, or a corrected clock."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest

from worker.holder import boot_id, is_gone, process_name

SAY_NAME = "from worker.holder import process_name; print(process_name(), flush=True); input()"


@pytest.fixture
def other() -> Iterator[subprocess.Popen[str]]:
    """A process that says its name and waits."""
    with subprocess.Popen(
        [sys.executable, "-c", SAY_NAME], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


def name_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_process_knows_itself_alive():
    assert process_name() == process_name()
    assert process_name().startswith(f"{os.getpid()}@")
    assert not is_gone(process_name())


def test_another_process_is_alive_until_it_is_killed_and_gone_at_once_then(other):
    name = name_of(other)
    assert not is_gone(name)
    other.kill()
    deadline = time.monotonic() + 5
    while not is_gone(name):  # a zombie until somebody waits for it, and gone all the same
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert psutil.pid_exists(other.pid)
    other.wait()
    assert is_gone(name)


def test_a_used_again_process_id_is_another_process():
    pid, _, started = process_name().partition("@")
    assert is_gone(f"{pid}@{started}1")
    assert is_gone(f"{pid}@")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts starts from boot")
@pytest.mark.parametrize("step_s", [-3600, -1, 1, 3600])
def test_a_step_of_the_wall_clock_kills_nobody(other, monkeypatch, step_s):
    """Linux derives the time of the boot from the wall clock, and with it every process's start."""
    name = name_of(other)
    boot_time = psutil.boot_time()
    monkeypatch.setattr("psutil._pslinux.boot_time", lambda: boot_time + step_s)
    assert not is_gone(name)
    assert not is_gone(process_name())


@pytest.mark.parametrize("name", ["", "nobody", "@", "-1@5", "1 @5", "1.5@2"])
def test_what_names_no_process_is_not_declared_dead(name):
    assert not is_gone(name)


def test_a_number_that_is_no_process_is_gone():
    assert is_gone("4194999@77")  # above the largest id that Linux gives


def test_a_boot_is_one_and_the_same_for_all_processes_of_a_machine(other):
    assert name_of(other)
    told = subprocess.run(
        [sys.executable, "-c", "from worker.holder import boot_id; print(boot_id())"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == boot_id() != ""
