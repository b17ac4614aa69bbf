"""What a stranger would notice first: sizes, loose ends, and paths or hosts of one machine."""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILE_LINES, FUNCTION_LINES = 350, 60
# Alembic writes a migration as one function, and it must stay as it was once it has run somewhere.
GENERATED = ROOT / "worker" / "store" / "migrations" / "versions"


def tracked() -> list[Path]:
    """Return the files that are, or are about to be, in the repository."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


TEXTS = {path: path.read_text(errors="replace") for path in tracked() if path.suffix not in {".png", ".mo"}}
MODULES = [path for path in sorted((ROOT / "worker").rglob("*.py")) if GENERATED not in path.parents]


def lines_with(pattern: str) -> list[str]:
    found = re.compile(pattern)
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path, text in TEXTS.items()
        for number, line in enumerate(text.splitlines(), 1)
        if found.search(line)
    ]


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def functions(path: Path) -> list[tuple[str, int]]:
    """Return each function's name and its number of lines."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    nodes = [node for node in ast.walk(parsed(path)) if isinstance(node, kinds)]
    return [(node.name, (node.end_lineno or node.lineno) - node.lineno + 1) for node in nodes]


def test_a_module_can_be_read_at_one_sitting() -> None:
    assert [path for path in MODULES if path.read_text().count("\n") > FILE_LINES] == []
    assert [(path, name) for path in MODULES for name, lines in functions(path) if lines > FUNCTION_LINES] == []


def test_half_of_all_functions_have_fewer_than_ten_lines() -> None:
    assert statistics.median(lines for path in MODULES for _, lines in functions(path)) < 10


def test_a_module_says_what_it_does() -> None:
    assert [path for path in MODULES if not ast.get_docstring(parsed(path))] == []


def test_nothing_is_left_for_later() -> None:
    assert lines_with(r"\b(TO[D]O|FIX[M]E|X[X]X|HA[C]K)\b") == []


def test_no_path_of_one_machine_is_named() -> None:
    places = [re.escape(f"{place}/") for place in (ROOT, Path.home()) if len(place.parts) > 1]
    assert lines_with("|".join([*places, r"/(root|Users|work)/\w", r"/home/[a-z]\w*/"])) == []


def test_no_package_index_is_named() -> None:
    assert lines_with(r"--(extra-)?index-url|--find[-]links|pypi\.org|pythonhosted\.org|registry\.npmjs") == []


def test_a_rule_is_switched_off_only_with_its_reason_beside_it() -> None:
    bare = r"# (noqa: [A-Z]+\d+(, ?[A-Z]+\d+)*|type: ignore\[[\w, -]+\])\s*$"
    assert [line for line in lines_with(bare) if line.split(":")[0].endswith(".py")] == []
    assert lines_with(r"# (noqa|type: ignore)\s*$") == []
