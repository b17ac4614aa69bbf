"""`make bench-matching`: our engine and Lucene Monitor over the same queries and articles, in turns, in one run.

Decides the order of things and what a run includes. Prints its section of docs/benchmarks.md, and writes it there when
the run was a whole one. Ends with status 1 if the two engines disagree about a single match.

    make bench-matching                           # about 20 minutes
    make bench-matching ARGS="--sizes 10000"      # two minutes; prints only
    make bench-matching ARGS="--no-peer"          # without Java
"""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.matching import peer as lucene
from tests.bench.matching import vocabulary, workload
from tests.bench.matching.command import ARTICLES, match_files
from tests.bench.matching.pairs import WARM_UP_S, Agreement, Speed, compare, take_turns
from tests.bench.matching.report import Run, Size, markdown
from tests.bench.matching.side import Side, SideError, stay_on_one_core
from tests.bench.matching.workload import Workload
from tests.bench.page import ROOT, write_section

_SIZES: Final = (1_000, 10_000, 100_000, 1_000_000)


@dataclass(frozen=True, kw_only=True, slots=True)
class Effort:
    """How much is done for the figures; tests of the benchmark are content with less."""

    pairs: int = 9
    updates: int = 2_000
    longest: int = 1_000_000
    times: int = 30
    command: Sequence[int] = ARTICLES
    warm_up_s: float = WARM_UP_S
    is_compiled: bool = True


class Bench:
    """A run over a workload, with the peer if there is a class path for it."""

    def __init__(self, work: Workload, class_path: str | None, *, effort: Effort, core: str) -> None:
        self._work, self._class_path, self._effort, self._core = work, class_path, effort, core
        self._version: str | None = None
        self._odd: dict[str, float] = {}
        self._languages: dict[str, dict[str, float]] = {}

    def run(self, sizes: Sequence[int]) -> Run:
        """Measure everything; odd inputs and languages with the largest index."""
        measured = [self._size(queries, is_last=queries == sizes[-1]) for queries in sizes]
        say("tocsin match")
        return Run(
            peer=self._version,
            core=self._core,
            sizes=measured,
            odd=self._odd,
            languages=self._languages,
            command=match_files(self._work, self._effort.command),
        )

    def _size(self, queries: int, *, is_last: bool) -> Size:
        with ExitStack() as stack:
            ours = stack.enter_context(start(self._work))
            say(f"{queries:,} queries: building")
            if self._effort.is_compiled:
                ours.ask("compile")
            index = ours.ask("register", self._work.topics, queries)
            peer = stack.enter_context(lucene.start(self._class_path, self._work)) if self._class_path else None
            peer_index = peer.ask("register", self._work.peer[1], queries) if peer else None
            self._version = peer.ask("version")["version"] if peer else None
            agreement, speed = self._measure(ours, peer, f"{queries:,} queries")
            steps = ours.ask("steps", 0, self._work.measured // 15)
            updates = ours.ask("updates", queries, self._effort.updates)
            hot = max(1, queries // 100)
            ours.ask("register", self._work.hot_topics, hot)
            if peer:
                peer.ask("register", self._work.peer[2], hot)
            hot_agreement, hot_speed = self._measure(ours, peer, f"{queries:,} queries, and {hot:,} on frequent words")
            if is_last:
                say("odd inputs, languages")
                self._odd, self._languages = self._alone(ours)
        return Size(
            queries=queries,
            index=index,
            peer_index=peer_index,
            speed=speed,
            agreement=agreement,
            hot_queries=hot,
            hot_speed=hot_speed,
            hot_agreement=hot_agreement,
            steps=steps,
            updates=updates,
        )

    def _alone(self, ours: Side) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
        odd = ours.ask("odd", self._effort.longest, self._effort.times)
        return odd, ours.ask("languages", self._effort.times)

    def _measure(self, ours: Side, peer: Side | None, what: str) -> tuple[Agreement | None, Speed]:
        agreement = compare(ours, peer, self._work.measured) if peer else None
        if agreement and not agreement.is_complete:
            say(
                f"{what}: DIFFERENT. (article, query) only ours {agreement.only_ours[:5]}, only theirs "
                f"{agreement.only_theirs[:5]}"
            )
        speed = take_turns(
            ours, peer, articles=self._work.measured, pairs=self._effort.pairs, warm_up_s=self._effort.warm_up_s
        )
        say(
            f"{what}: {1 / speed.ours_s:,.0f} articles/s"
            + (f", {speed.ratio:.1f} times the peer" if speed.ratio else "")
        )
        return agreement, speed


def start(work: Workload) -> Side:
    """Start our side over a workload."""
    sizes = (work.queries, work.hot_queries, work.measured, work.held_out)
    return Side([sys.executable, "-m", "tests.bench.matching.ours", str(work.folder), *map(str, sizes)])


def say(words: str) -> None:
    """Tell how far it is, on standard error."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {words}\n")


def positive(text: str) -> int:
    """Read a number from 1 on, for argparse."""
    if not text.isdecimal() or not int(text):
        raise ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)


def read_arguments() -> Namespace:
    parser = ArgumentParser(prog="make bench-matching", description="Tocsin's engine beside Lucene Monitor.")
    parser.add_argument("--sizes", type=positive, nargs="+", default=_SIZES, help="numbers of standing queries")
    parser.add_argument("--pairs", type=positive, default=9, help="turns of each side a figure (%(default)s)")
    parser.add_argument("--no-peer", action="store_true", help="measure Tocsin alone: needs no Java")
    parser.add_argument("--scratch", type=Path, default=ROOT / ".bench", help="where files are kept between runs")
    return parser.parse_args()


def main() -> int:
    arguments = read_arguments()
    sizes = tuple(sorted(arguments.sizes))
    scratch = arguments.scratch.absolute()
    try:
        class_path = None if arguments.no_peer else lucene.prepare(scratch / "lucene")
    except lucene.PeerError as error:
        sys.stderr.write(f"error: {error}\n       or measure without it: make bench-matching ARGS=--no-peer\n")
        return 2
    effort = Effort(pairs=arguments.pairs)
    queries = sizes[-1] + effort.updates
    work = Workload(folder=scratch / f"workload-{queries}", queries=queries, hot_queries=max(1, sizes[-1] // 100))
    say("articles and queries")
    workload.make(work, vocabulary.english())
    try:
        run = Bench(work, class_path, effort=effort, core=stay_on_one_core()).run(sizes)
    except SideError as error:
        sys.stderr.write(f"error: {error}; what it said itself is above\n")
        return 1
    written = markdown(run)
    sys.stdout.write(f"{written}\n")
    if sizes == _SIZES and class_path:
        write_section("matching", written)
    agreements = [one for size in run.sizes for one in (size.agreement, size.hot_agreement)]
    return int(any(one and not one.is_complete for one in agreements))


if __name__ == "__main__":
    sys.exit(main())
