"""Who may import whom: the contracts of .importlinter hold, and each of them would notice."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINT_IMPORTS = Path(sys.executable).parent / "lint-imports"

# A file of the package, what is written into it, and the contract that this breaks.
VIOLATIONS = {
    "worker/store/house.py": ("import worker.wiring", "Imports point downward only"),
    "worker/intake/decide.py": ("import worker.matching.tree", "Imports point downward only"),
    "worker/newcomer.py": ("", "Imports point downward only"),
    "worker/matching/tree.py": ("import sqlalchemy", "In a room, what is not named run only decides"),
    "worker/planning/newcomer.py": ("import jinja2", "In a room, what is not named run only decides"),
    "worker/signup/decide.py": ("import worker.store.people", "In a room, what is not named run only decides"),
    "worker/lifecycle.py": ("import httpx", "What all floors share touches nothing outside"),
    "worker/delivery/run.py": ("import celery", "Celery is known in tasks"),
    "worker/letters.py": ("import worker.settings", "Settings are read in wiring only"),
    "worker/keys.py": ("import rich", "The command line's library"),
}


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "200"}  # a contract and its verdict in one line
    command = [str(LINT_IMPORTS), "--no-logo", "--no-cache"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def broken_copy(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    copy = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "worker", copy / "worker", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tests" / "architecture", copy / "tests" / "architecture")
    shutil.copy(ROOT / ".importlinter", copy)
    for file, (line, _) in VIOLATIONS.items():
        with (copy / file).open("a") as opened:
            opened.write(f"\n{line}\n")
    return lint(copy)


def test_every_import_keeps_to_the_contracts() -> None:
    linted = lint(ROOT)
    assert linted.returncode == 0, linted.stdout + linted.stderr


@pytest.mark.parametrize("file", VIOLATIONS)
def test_a_forbidden_import_breaks_its_contract(file: str, broken_copy: subprocess.CompletedProcess[str]) -> None:
    line, contract = VIOLATIONS[file]
    module = file.removesuffix(".py").replace("/", ".")
    told = broken_copy.stdout
    assert broken_copy.returncode == 1, told + broken_copy.stderr
    assert any(row.startswith(contract) and row.endswith("BROKEN") for row in told.splitlines()), told
    imported = line.removeprefix("import ")
    assert f"{module} -> {imported}" in told if imported else module.rpartition(".")[2] in told


@pytest.mark.parametrize("door", ["worker.tasks", "worker.cli"])
def test_a_door_opens_without_the_matching_engine(door: str) -> None:
    """Mail workers and most commands would load it for nothing; what they load later, acceptance tests see."""
    heavy = {"numba", "llvmlite", "numpy", "Stemmer", "worker.matching.engine", "worker.matching.run"}
    program = f"import sys, {door}; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not heavy & set(ran.stdout.split())
