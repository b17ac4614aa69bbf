"""The wheel holds everything that runs: templates, catalogues, seeds and migrations; and it runs from anywhere."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel, built with the locked backend and without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the wheel, and nothing else, has been unpacked as an installer does."""
    folder = tmp_path_factory.mktemp("installed")
    options = ["--quiet", "--no-deps", "--no-index", "--no-compile", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, "--target", folder, wheel], check=True)
    return folder


def run(installed: Path, *command: str, cwd: Path) -> str:
    environment = {"PYTHONPATH": str(installed), "PATH": "", "TOCSIN_HOME": str(cwd / "home"), "COLUMNS": "120"}
    done = subprocess.run(
        [sys.executable, *command], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("folder", "inside"),
    [
        ("templates", "worker/_resources/templates"),
        ("seeds", "worker/_resources/seeds"),
        ("worker", "worker"),
    ],
)
def test_every_file_travels_in_the_wheel(folder: str, inside: str, wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    files = [path.relative_to(ROOT / folder) for path in (ROOT / folder).rglob("*") if path.is_file()]
    wanted = {f"{inside}/{path}" for path in files if path.suffix != ".pyc"}
    assert len(wanted) > 10
    assert wanted <= held, sorted(wanted - held)


def test_nothing_else_travels_in_the_wheel(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"worker"}


def test_the_wheel_brings_the_command(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        (entries,) = [name for name in opened.namelist() if name.endswith("entry_points.txt")]
        assert "tocsin = worker.cli:main" in opened.read(entries).decode()


def test_the_installed_package_helps_and_finds_its_own_files(installed: Path, tmp_path: Path) -> None:
    assert "tocsin" in run(installed, "-m", "worker", "--help", cwd=tmp_path)
    asked = "import worker.resources as r; print(r.templates_dir(), r.seeds_dir())"
    assert run(installed, "-c", asked, cwd=tmp_path).split() == [
        str(installed / "worker" / "_resources" / name) for name in ("templates", "seeds")
    ]


def test_the_installed_package_makes_its_database(installed: Path, tmp_path: Path) -> None:
    run(installed, "-m", "worker", "db", "upgrade", cwd=tmp_path)
    assert (tmp_path / "home" / "tocsin.db").stat().st_size > 0
