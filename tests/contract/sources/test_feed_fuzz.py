"""No document, however it is mutated, crashes or hangs a parser, or takes more memory than a limit."""

from __future__ import annotations

import itertools
import os
import time
from pathlib import Path

import pytest

from tests.contract.sources.fuzzing import Child, drill, outcome
from tests.contract.sources.mutants import CONTENT_TYPES, bombs, mutants

_SMALL_BYTES = 40_000
_KEEP = Path(__file__).parents[3] / ".fuzz"


def test_small_bombs_and_some_mutants_are_articles_or_an_input_error():
    small = (data for _, data in bombs() if len(data) < _SMALL_BYTES)
    some = (data for _, data in itertools.islice(mutants(seed=7), 60) if len(data) < _SMALL_BYTES)
    for number, data in enumerate(itertools.chain(small, some)):
        assert outcome(data, CONTENT_TYPES[number % len(CONTENT_TYPES)]) in {"articles", "refused"}


@pytest.mark.drill
@pytest.mark.timeout(3_600)
def test_minutes_of_mutants_and_every_bomb_do_no_harm():
    seed = int(os.environ.get("FUZZ_SEED") or time.time())
    report = drill(seconds=float(os.environ.get("FUZZ_S") or 300), seed=seed, keep=_KEEP)
    print(f"\nseed {seed}: {report}")  # noqa: T201  `make fuzz` shows it
    assert not report.failures


@pytest.mark.drill
def test_the_drill_sees_a_child_that_dies():
    child = Child()
    child._process.kill()
    child._process.wait()
    assert "died" in str(child.read(b"x", "")["outcome"])
    child.close()
