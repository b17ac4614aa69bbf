"""What the tests of real processes share: a mark by which leftovers are found, patience, and a small `tocsin up`."""

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from worker.runtime.ports import free_port

MARK = "TOCSIN_TEST_MARK"
Until = Callable[..., None]


def _alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _marked(mark: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            is_ours = process.environ().get(MARK) == mark and process.pid != os.getpid()
        except psutil.Error:  # somebody else's, a zombie, or gone
            continue
        if is_ours:
            found.append(process)
    return found


@pytest.fixture(autouse=True)
def nothing_left_behind(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever a test starts, it ends: every process inherits a mark through its environment."""
    mark = uuid.uuid4().hex
    monkeypatch.setenv(MARK, mark)
    monkeypatch.delenv("TOCSIN_PARENT_PID", raising=False)
    yield
    left = _marked(mark)
    commands = [" ".join(process.cmdline()) for process in left if process.is_running()]
    for process in left:
        process.kill()
    assert not commands, "left behind"


@pytest.fixture
def until() -> Until:
    """Wait for a condition; a test fails that waits longer than it says."""

    def wait(condition: Callable[[], object], *, within_s: float) -> None:
        give_up_s = time.monotonic() + within_s
        while not condition():
            assert time.monotonic() < give_up_s, f"not within {within_s} s"
            time.sleep(0.02)

    return wait


@pytest.fixture
def gone() -> Callable[..., bool]:
    """Tell whether all these processes have ended."""
    return lambda *pids: not any(_alive(pid) for pid in pids)


class SmallUp:
    """`small_up.py` as a process of its own."""

    def __init__(self, home: Path, port: int, *options: str) -> None:
        self.home, self.port = home, port
        self._events = home.with_name(f"{home.name}-{self.port}.jsonl")
        self._errors = self._events.with_suffix(".err")
        argv = [sys.executable, str(Path(__file__).with_name("small_up.py")), str(home), str(port), *options]
        with self._events.open("wb") as out, self._errors.open("wb") as err:
            # As a shell does it: a process group that gets the terminal's Ctrl-C.
            self.process = subprocess.Popen(argv, stdout=out, stderr=err, process_group=0)

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._events.read_text().splitlines()]

    def errors(self) -> str:
        return self._errors.read_text()

    def is_up(self) -> bool:
        assert self.process.poll() is None, self.errors()
        return {"up": True} in self.events()

    def pid(self, name: str) -> int:
        return int([event["pid"] for event in self.events() if event.get("name") == name and event["pid"]][-1])

    def everybody(self) -> list[int]:
        return [child.pid for child in psutil.Process(self.process.pid).children(recursive=True)]


@pytest.fixture
def small_up(tmp_path: Path, until: Until) -> Iterator[Callable[..., SmallUp]]:
    """Start a small `tocsin up` on `home` and wait until it is up."""
    started = []

    def start(*options: str, home: Path = tmp_path / "home", port: int = 0, wait: bool = True) -> SmallUp:
        up = SmallUp(home, port or free_port(), *options)
        started.append(up)
        if wait:
            until(up.is_up, within_s=10)
        return up

    yield start
    for up in started:
        up.process.terminate()
        up.process.wait(timeout=12)
