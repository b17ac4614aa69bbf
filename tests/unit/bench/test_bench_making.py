"""The benchmark of making works at a tiny size. What its figures are is not looked at."""

from __future__ import annotations

import re

from tests.bench import bench_making


def test_each_way_to_make_a_message_is_held_against_its_peer(monkeypatch):
    monkeypatch.setattr(bench_making, "_TURN_S", 1e-6)
    monkeypatch.setattr(bench_making, "_READERS", 20)
    monkeypatch.setattr(bench_making, "_DIGESTS", 20)
    text = "\n".join(bench_making.lines(rounds=1))
    assert len(re.findall(r"\| \*\*[\d.,]+\*\* \|", text)) == 5
    whole, smaller = (int(size.replace(",", "")) for size in re.findall(r"([\d,]+) bytes", text))
    assert 20_000 < smaller < 30_000 < whole < 40_000
