"""The matching benchmark works at a tiny size, without its peer. What its figures are is not looked at."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from tests.bench.matching import workload
from tests.bench.matching.__main__ import Bench, Effort, start
from tests.bench.matching.pairs import compare, take_turns
from tests.bench.matching.peer import PeerError, prepare
from tests.bench.matching.queries import hot, polish, queries, written
from tests.bench.matching.report import markdown
from tests.bench.matching.side import Side, SideError
from tests.bench.matching.vocabulary import invented
from tests.bench.matching.workload import Workload
from tests.bench.matching.world import World
from worker.matching.analyser import analyse
from worker.matching.evaluate import holds
from worker.matching.query import And, Node, Or, canonical, parse
from worker.matching.tree import all_of, any_of

QUERIES = 150
WORDS = invented(2_000)


def make(folder: Path, *, wanted: int = QUERIES) -> Workload:
    work = Workload(folder=folder, queries=wanted, hot_queries=5, measured=20, held_out=10)
    workload.make(work, WORDS, names=300, topics=8)
    return work


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Workload:
    return make(tmp_path_factory.mktemp("workload"))


@pytest.fixture(scope="module")
def sides(work: Workload) -> Iterator[list[Side]]:
    with ExitStack() as stack:
        pair = [stack.enter_context(start(work)) for _ in range(2)]
        for side in pair:
            side.ask("register", work.topics, QUERIES)
        yield pair


def test_the_same_seed_gives_the_same_bytes_and_fewer_queries_the_beginning(work: Workload, tmp_path: Path) -> None:
    fewer = make(tmp_path, wanted=50)
    assert fewer.articles.read_bytes() == work.articles.read_bytes()
    assert work.topics.read_bytes().startswith(fewer.topics.read_bytes())
    assert len(fewer.topics.read_text().splitlines()) == 50


def once(node: Node) -> Node:
    """Leave out what a group of words names twice, as the parser does."""
    match node:
        case Or():
            return any_of(tuple(map(once, node.children)))
        case And():
            return all_of(tuple(map(once, node.children)))
        case _:
            return node


def test_a_query_reads_back_as_what_was_meant() -> None:
    world = World(WORDS, seed=1, names=300, topics=8)
    for node in [*islice(queries(world, Random(2)), 500), *islice(hot(["toma", "nepo", "sagu"]), 8)]:
        assert canonical(parse(written(node))) == canonical(once(node))


def test_a_query_for_the_peer_says_how_long_each_list_is() -> None:
    node = parse('toma (nepo OR "sagu disa") -kuri*')
    assert polish(node) == "and 3 term toma or 2 term nepo phrase 2 sagu disa not prefix kuri"


def test_our_side_finds_what_the_meaning_of_the_queries_says(work: Workload, sides: list[Side]) -> None:
    nodes = {number: parse(query) for number, query in workload.read_queries(work.topics, 0, QUERIES)}
    articles = [analyse(article) for article in workload.read_articles(work, 0, 10)]
    expected = [[number for number, node in nodes.items() if holds(node, article)] for article in articles]
    assert sum(map(len, expected)) > 5
    assert sides[0].ask("sets", 0, 10)["sets"] == expected


def test_two_sides_that_agree_take_turns(work: Workload, sides: list[Side]) -> None:
    assert compare(sides[0], sides[1], articles=10).is_complete
    speed = take_turns(sides[0], sides[1], articles=work.measured, pairs=3, warm_up_s=0.01)
    assert speed.ratio
    assert len(speed.ratios) == 3
    assert speed.matches > 0


def test_a_difference_is_found_on_either_side(work: Workload, sides: list[Side]) -> None:
    with start(work) as fewer:
        fewer.ask("register", work.topics, QUERIES // 2)
        assert compare(sides[0], fewer, articles=10).only_ours
        assert compare(fewer, sides[0], articles=10).only_theirs


def test_a_run_without_the_peer_fills_every_table(work: Workload) -> None:
    effort = Effort(pairs=2, updates=5, longest=5_000, times=1, command=[3, 6], is_compiled=False)
    written_page = markdown(Bench(work, None, effort=effort, core="").run([QUERIES // 3]))
    assert "no peer in this run" in written_page
    assert all(language in written_page for language in ("English", "Korean", "Arabic"))
    assert "| article without a word |" in written_page
    assert written_page.count("\n### ") == 8


def test_a_side_that_ends_is_an_error() -> None:
    with (
        Side([sys.executable, "-c", "pass"]) as side,
        pytest.raises(SideError, match="ended over 'run', with status 0"),
    ):
        side.ask("run", 0, 1)


def test_without_a_compiler_the_peer_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PeerError, match=r"apt-get install .*default-jdk-headless"):
        prepare(tmp_path)


def test_the_command_lines_topics_are_those_of_the_engine(work: Workload) -> None:
    numbers = [json.loads(line)["id"] for line in work.topics.read_text().splitlines()]
    assert numbers == list(range(QUERIES))
