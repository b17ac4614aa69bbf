"""pyproject.toml names exactly what is imported, and the locks hold all of it, by hash and without a host."""

from __future__ import annotations

import ast
import functools
import json
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = ("requirements.lock", "requirements-build.lock", "requirements-dev.lock", "requirements-bench.lock")

# Imported, but chosen by a package that is named: their versions must go together.
COMES_WITH = {
    "aiohttp": "httpx-aiohttp",
    "billiard": "celery",
    "kombu": "celery",
    "redis": "celery",
    "starlette": "fastapi",
}
# Named, though no line of ours imports them.
USED_BY = {
    "lxml-html-clean": "jusText, which trafilatura imports, and which does not name it",
    "psycopg": "SQLAlchemy, for postgresql:// URLs",
    "python-multipart": "FastAPI, for forms",
    "sniffio": "httpcore, which looks for it in every request, and in vain where it is not installed",
    "tzdata": "zoneinfo, where the system has no zones",
}

# Of what is not installed everywhere, so that nobody can be asked: a distribution's import name, where it differs.
IMPORTED_AS = {"django-post-office": "post_office"}


def named(requirements: Iterable[object]) -> set[str]:
    return {canonicalize_name(Requirement(one).name) for one in requirements if isinstance(one, str)}


def imported(folder: Path) -> Iterator[str]:
    """Yield the top-level names that the files below `folder` import from elsewhere."""
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from (alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.split(".")[0]


def distributions(names: Iterable[str]) -> set[str]:
    """Return the distributions that provide imported names; names of ours and Python's own left out."""
    outside = {name for name in names if name not in sys.stdlib_module_names and name not in {"worker", "tests"}}
    return {canonicalize_name(providers()[name][0]) for name in outside}


@functools.cache
def providers() -> dict[str, list[str]]:
    """Return which distributions provide each import name; to read it takes seconds."""
    return dict(packages_distributions())


def locked(lock: str) -> dict[str, str]:
    pins = re.findall(r"^([\w.-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in pins}


def test_what_the_package_imports_is_named() -> None:
    needed = distributions(imported(ROOT / "worker"))
    runtime = named(PROJECT["project"]["dependencies"])
    assert needed - runtime - set(COMES_WITH) == set()
    assert set(COMES_WITH.values()) <= runtime


def test_what_is_named_is_imported() -> None:
    needed = distributions(imported(ROOT / "worker"))
    assert named(PROJECT["project"]["dependencies"]) - needed - set(USED_BY) == set()


def test_what_the_tests_import_is_named() -> None:
    # Only `make bench` and its like install these.
    bench = {IMPORTED_AS.get(name, name) for name in named(PROJECT["dependency-groups"]["bench"])}
    names = [*imported(ROOT / "tests"), *imported(ROOT / "docs")]
    assert bench <= set(names)
    needed = distributions(name for name in names if name not in bench)
    dev = named([*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["dev"]])
    assert needed - dev - set(COMES_WITH) - {"grimp"} == set()  # import-linter's own graph


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_is_made_of_hashed_pins_and_names_no_place(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert not re.search(r"://|^-|\s@\s", text, re.MULTILINE)
    blocks = re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE)[1:]
    assert blocks
    assert all("--hash=sha256:" in block for block in blocks)


def test_the_judges_from_npm_are_pinned_by_hash_and_name_no_place() -> None:
    folder = ROOT / "tests" / "contract" / "mail"
    wanted = json.loads((folder / "package.json").read_text())["dependencies"]
    own, *packages = json.loads((folder / "package-lock.json").read_text())["packages"].values()
    assert own["dependencies"] == wanted
    assert all(re.fullmatch(r"[\d.]+", version) for version in wanted.values())
    assert packages
    assert [one for one in packages if "resolved" in one or not one["integrity"].startswith("sha512-")] == []


@pytest.mark.parametrize(
    ("lock", "requirements"),
    [
        ("requirements.lock", PROJECT["project"]["dependencies"]),
        ("requirements-build.lock", PROJECT["dependency-groups"]["build"]),
        ("requirements-dev.lock", [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["dev"]]),
        ("requirements-bench.lock", PROJECT["dependency-groups"]["bench"]),
    ],
)
def test_a_lock_is_current(lock: str, requirements: list[object]) -> None:
    pins = locked(lock)
    for line in requirements:
        if isinstance(line, str):
            requirement = Requirement(line)
            assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), f"{line}: run `make lock`"


def test_a_package_has_one_version_in_all_locks() -> None:
    dev = locked("requirements-dev.lock")
    for lock in LOCKS[:-1]:
        assert locked(lock).items() <= dev.items(), lock
    bench = locked(LOCKS[-1])  # what the other locks do not have may be added, nothing changed
    assert {name: dev[name] for name in bench.keys() & dev.keys()}.items() <= bench.items()
