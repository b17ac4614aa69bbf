"""The fuzz drill's two halves: a child that reads documents within limits, and whoever hands them to it and looks on.

    python -m tests.contract.sources.fuzzing [--seconds N] [--seed N] [--keep FOLDER]
    python -m tests.contract.sources.fuzzing FILE ...        reads again what was kept

A document may give articles or an `InputError`. Whatever else comes of it, more time or more memory than the limits
allow, is a failure: its bytes are kept in a file, to be read again.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Final

from tests.contract.sources.mutants import CONTENT_TYPES, bombs, mutants

MEMORY_BYTES: Final = 1_500_000_000
CPU_S: Final = 40.0
"""For one document, on a slow machine; the worst found takes a third of it."""

_MUTANTS_A_BOMB: Final = 50
_WAIT_S: Final = 240.0
_MEGABYTE: Final = 1_000_000


@dataclass(kw_only=True)
class Report:
    """What a drill has seen."""

    read: int = 0
    refused: int = 0
    worst_s: float = 0.0
    worst: str = ""
    peak_mb: float = 0.0
    largest: str = ""
    failures: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """Tell it in lines."""
        return "\n".join(
            (
                f"{self.read:,} documents, {self.refused:,} of them refused; {len(self.failures)} failures",
                f"the slowest took {self.worst_s:.1f} s of the processor: {self.worst}",
                f"the largest took the child to {self.peak_mb:.0f} MB: {self.largest}",
                *self.failures,
            )
        )


class Child:
    """A process of its own, in which documents are read one by one; another one for each that dies."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.contract.sources.fuzzing", "--child"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def read(self, data: bytes, content_type: str) -> dict[str, object]:
        """Return what became of a document: its outcome, processor seconds and peak in MB."""
        stdin, stdout = self._pipes()
        try:
            stdin.write(json.dumps([len(data), content_type]).encode() + b"\n" + data)
            stdin.flush()
        except BrokenPipeError:
            return {"outcome": "died"}
        if not select.select([stdout], [], [], _WAIT_S)[0]:
            return {"outcome": "hangs"}
        line = stdout.readline()
        told: dict[str, object] = json.loads(line) if line else {"outcome": f"died, {self._process.wait()}"}
        return told

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for pipe in self._pipes():
            pipe.close()

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        assert self._process.stdin
        assert self._process.stdout
        return self._process.stdin, self._process.stdout


def drill(*, seconds: float, seed: int, keep: Path) -> Report:
    """Read mutants until the time is over, and among them the bombs. Failing documents are written to `keep`."""
    report, child, ends_at = Report(), Child(), time.monotonic() + seconds
    try:
        for number, (name, data) in enumerate(_mingled(seed)):
            told = child.read(data, CONTENT_TYPES[number % len(CONTENT_TYPES)])
            if not _noted(report, name, told):
                path = _kept(keep, f"{seed}-{number}", data)
                report.failures.append(f"{told['outcome']}: {name}; kept as {path}")
                child.close()
                child = Child()
            if time.monotonic() > ends_at:
                break
    finally:
        child.close()
    return report


def _mingled(seed: int) -> Iterator[tuple[str, bytes]]:
    """Give each bomb after some mutants: bombs take seconds, and alone they would take all of a short drill."""
    changed = mutants(seed)
    for bomb in bombs():
        yield from islice(changed, _MUTANTS_A_BOMB)
        yield bomb
    yield from changed


def _noted(report: Report, name: str, told: dict[str, object]) -> bool:
    """Count a document, and tell whether it did no harm."""
    report.read += 1
    spent_s, peak_mb = float(str(told.get("s", 0))), float(str(told.get("mb", 0)))
    if spent_s > report.worst_s:
        report.worst_s, report.worst = spent_s, name
    if peak_mb > report.peak_mb:
        report.peak_mb, report.largest = peak_mb, name
    if spent_s > CPU_S:
        told["outcome"] = f"{spent_s:.0f} s, {told['outcome']}"
        return False
    report.refused += told["outcome"] == "refused"
    return told["outcome"] in {"articles", "refused"}


def _kept(keep: Path, name: str, data: bytes) -> Path:
    keep.mkdir(parents=True, exist_ok=True)
    path = keep / f"{name}.bin"
    path.write_bytes(data)
    return path


def outcome(data: bytes, content_type: str) -> str:
    """Read a document as a feed is, then as one that somebody hands in."""
    from worker.adapters.sources.files import read_document, read_feed  # the parent has no need of parsers
    from worker.errors import InputError

    became = "articles"
    for read in (read_feed, read_document):
        try:
            read(data, url="https://news.example/feed", content_type=content_type)
        except InputError as error:
            became = "refused"
            if len(str(error)) > 2_000 or len(str(error).splitlines()) != 1:
                return f"an error that is no line: {str(error)[:100]!r}"
        except Exception as error:  # noqa: BLE001  whatever it is, it is what the drill looks for
            return f"{type(error).__name__}: {str(error)[:200]}"
    return became


def _be_child() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    while line := sys.stdin.buffer.readline():
        size, content_type = json.loads(line)
        data = sys.stdin.buffer.read(size)
        Path("/proc/self/clear_refs").write_text("5")  # the peak counts anew
        began_s = time.process_time()
        became = outcome(data, content_type)
        told = {"outcome": became, "s": time.process_time() - began_s, "mb": _peak_mb()}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


def _peak_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1_024 / _MEGABYTE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, help="kept documents to read again")
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--keep", type=Path, default=Path(".fuzz"))
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child:
        _be_child()
    elif chosen.files:
        child = Child()
        for path in chosen.files:
            sys.stdout.write(f"{path}: {child.read(path.read_bytes(), '')}\n")
        child.close()
    else:
        report = drill(seconds=chosen.seconds, seed=chosen.seed, keep=chosen.keep)
        sys.stdout.write(f"seed {chosen.seed}: {report}\n")
        sys.exit(bool(report.failures))


if __name__ == "__main__":
    os.environ.setdefault("PYTHONHASHSEED", "0")
    main()
