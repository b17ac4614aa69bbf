"""`tocsin match` end to end, as a user runs it: files in, lines out, with its own `--stats`.

Decides the sizes: 4,000 articles with 10,000 topics, and 1,000 against 20,000 articles for whether memory grows.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice, repeat
from pathlib import Path
from typing import Any, Final

from tests.bench.matching.workload import Workload

_TOPICS: Final = 10_000
ARTICLES: Final = (4_000, 1_000, 20_000)


def match_files(workload: Workload, articles: Sequence[int] = ARTICLES) -> list[dict[str, Any]]:
    """Return what `tocsin match --stats` says of itself for each number of articles."""
    topics = workload.folder / "command-topics.jsonl"
    _write(topics, islice(_lines(workload.topics), _TOPICS))
    return [_match(topics, workload, count) for count in articles]


def _match(topics: Path, workload: Workload, count: int) -> dict[str, Any]:
    articles = workload.folder / "command-articles.jsonl"
    endless = chain.from_iterable(_lines(workload.articles) for _ in repeat(None))
    _write(articles, islice(endless, count))
    command = [sys.executable, "-m", "worker", "match", "--topics", str(topics), "--articles", str(articles), "--stats"]
    ran = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True)
    figures: dict[str, Any] = json.loads(ran.stderr.strip().splitlines()[-1])
    return figures


def _lines(path: Path) -> Iterator[str]:
    with path.open() as file:
        yield from file


def _write(path: Path, lines: Iterable[str]) -> None:
    with path.open("w") as file:
        file.writelines(lines)
