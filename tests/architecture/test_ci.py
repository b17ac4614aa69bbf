"""What CI relies on: a skipped test fails there, `make` explains itself, and .ci/run runs the README's commands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = """
import pytest

def test_that_passes():
    pass

@pytest.mark.skipif({skip}, reason="there is no Chromium here")
def test_that_may_be_skipped():
    pass
"""


def pytest_in(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "--rootdir", str(folder), "-c", os.devnull, *options, str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("skip", "status"), [(False, 0), (True, 1)])
def test_a_skipped_test_fails_in_ci(skip: bool, status: int, tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text(TESTS.format(skip=skip))
    ran = pytest_in(tmp_path, "-p", "tests.no_skips")
    assert ran.returncode == status, ran.stdout
    assert ("test_that_may_be_skipped: Skipped: there is no Chromium here" in ran.stdout) == skip


def test_a_skipped_test_passes_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text(TESTS.format(skip=True))
    assert pytest_in(tmp_path).returncode == 0


def test_ci_runs_the_commands_of_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert re.findall(r"^(?:\S+=\S+ )?make ([a-z-]+)", script, re.MULTILINE) == ["demo", "lint", "test", "test-slow"]
    assert "export CI=1" in script
    subprocess.run(["bash", "-n", ROOT / ".ci" / "run"], check=True)


def test_ci_installs_every_package_that_a_test_may_miss() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    installed = {name for words in re.findall(r"packages\+?=\(([^)]*)\)", script) for name in words.split()}
    named = {
        name
        for path in (ROOT / "tests").rglob("*.py")
        for name in re.findall(r"Debian's packages? `([^`]+)`", path.read_text())
    }
    assert {"chromium", "postgresql"} <= named <= installed


def test_make_alone_tells_of_every_target() -> None:
    told = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    targets = re.findall(r"^\.PHONY: ([\w-]+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert re.findall(r"^  ([\w-]+) ", told, re.MULTILINE) == [target for target in targets if target != "help"]


def test_make_lets_modules_stay_compiled() -> None:
    command = ["make", "--no-print-directory", "--eval", "shown: ; @env", "shown"]
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}
    shown = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    assert {line for line in shown.splitlines() if line.startswith(("PYTHOND", "PYTHONU"))} == {"PYTHONUNBUFFERED=1"}


def test_make_says_what_to_do_without_a_python(tmp_path: Path) -> None:
    command = ["make", "--no-print-directory", f"VENV={tmp_path}/venv", "PYTHON=/bin/false", f"{tmp_path}/venv/.made"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode != 0
    assert "no Python 3.11 or later" in ran.stderr
    assert "make PYTHON=" in ran.stderr
