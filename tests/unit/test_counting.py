"""Counting for pages rests three times as long as it took."""

from __future__ import annotations

from typing import Any

import pytest

from worker.errors import TooLongError
from worker.matching import run_vetoes
from worker.matching.run_vetoes import Vetoes
from worker.web.counting import Counts

NOTHING: Any = None


class Desk:
    """A clock, and a counter that takes two seconds by it."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.asked: list[str] = []
        self.fails = False

    def count(self, _database: object, query: str, _title: str) -> Vetoes:
        self.asked.append(query)
        self.now_s += 2
        if self.fails:
            raise TooLongError("too long")
        return Vetoes(stories=len(self.asked), is_estimated=False, words=())


@pytest.fixture
def desk(monkeypatch):
    desk = Desk()
    monkeypatch.setattr(run_vetoes, "vetoes", desk.count)
    return desk


def test_it_counts_a_quarter_of_the_time_and_remembers(desk):
    counts = Counts(clock=lambda: desk.now_s)
    first = counts.of(NOTHING, "a", "t")
    assert first is not None
    assert counts.of(NOTHING, "b", "t") is None
    assert counts.of(NOTHING, "a", "t") == first
    desk.now_s += 5.9
    assert counts.of(NOTHING, "b", "t") is None
    desk.now_s += 0.1
    assert counts.of(NOTHING, "b", "t") is not None
    desk.now_s += 600
    assert counts.of(NOTHING, "a", "t") is not None
    assert desk.asked == ["a", "b", "a"]


def test_what_took_too_long_rests_too(desk):
    counts = Counts(clock=lambda: desk.now_s)
    desk.fails = True
    assert counts.of(NOTHING, "a", "t") is None
    assert counts.of(NOTHING, "a", "t") is None
    assert desk.asked == ["a"]
