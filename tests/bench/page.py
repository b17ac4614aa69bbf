"""docs/benchmarks.md: each benchmark writes its own section of it, between two markers, and nothing else.

Decides how tables and the conditions of a run look. Never measures. Every program in tests/bench calls `write_section`;
people write what stands outside of the markers.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "benchmarks.md"


def write_section(name: str, markdown: str, *, page: Path = PAGE) -> None:
    """Put a benchmark's words between its markers, in the place of what it wrote last time.

    Raises `ValueError` if the page has no such section: a person decides where a new one goes.
    """
    text = page.read_text()
    found = re.search(f"({_begin(name)}\n).*?({_end(name)}\n)", text, re.DOTALL)
    if not found:
        raise ValueError(f"{page.name} has no section {name}: write the lines {_begin(name)} and {_end(name)} into it")
    page.write_text(f"{text[: found.end(1)]}\n{markdown.strip()}\n\n{text[found.start(2) :]}")


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Draw a Markdown table: the first column stands to the left, figures to the right.

    >>> print(table(["size", "ratio"], [["10,000", 12.5]]))
    | size | ratio |
    |---|---:|
    | 10,000 | 12.5 |
    """
    lines = [headings, *rows]
    drawn = ["| " + " | ".join(map(str, line)) + " |" for line in lines]
    return "\n".join([drawn[0], "|---" + "|---:" * (len(headings) - 1) + "|", *drawn[1:]])


def conditions(*more: str) -> str:
    """Say in one line where, when and of what a run was; `more` are versions of peers and the like."""
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    parts = [
        f"{_processor()}, {os.cpu_count()} cores",
        f"{platform.python_implementation()} {platform.python_version()}",
        *more,
        f"load average at the end {load}",
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        f"commit {_commit()}",
    ]
    return f"Measured on: {'; '.join(parts)}."


def _begin(name: str) -> str:
    return f"<!-- {name}: written by a program from here -->"


def _end(name: str) -> str:
    return f"<!-- {name}: to here -->"


def _processor() -> str:
    try:
        models = re.findall(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        models = []
    return models[0] if models else platform.processor() or platform.machine()


def _commit() -> str:
    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()

    changed = " with changes" if git("status", "--porcelain", "--untracked-files=no", "--", "worker", "tests") else ""
    return (git("rev-parse", "--short", "HEAD") or "unknown") + changed
