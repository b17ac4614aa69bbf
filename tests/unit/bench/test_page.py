"""The page of benchmarks: a program writes its own section and leaves the others alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.page import PAGE, conditions, write_section

MARKERS = "<!-- {0}: written by a program from here -->\n<!-- {0}: to here -->\n"


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "benchmarks.md"
    path.write_text("# Page\n\n" + MARKERS.format("one") + "\nBy hand.\n\n" + MARKERS.format("two"))
    return path


def test_a_section_takes_the_place_of_its_former_self(page: Path) -> None:
    write_section("one", "slow", page=page)
    write_section("two", "other", page=page)
    write_section("one", "| quick | \\1 |\n", page=page)
    text = page.read_text()
    assert "slow" not in text
    places = [text.index(part) for part in ("# Page", "| quick | \\1 |", "By hand.", "other")]
    assert places == sorted(places)


def test_writing_the_same_twice_changes_nothing(page: Path) -> None:
    write_section("one", "same", page=page)
    once = page.read_text()
    write_section("one", "same", page=page)
    assert page.read_text() == once


def test_a_section_that_nobody_made_room_for_is_refused(page: Path) -> None:
    with pytest.raises(ValueError, match="has no section three"):
        write_section("three", "words", page=page)


@pytest.mark.parametrize("name", ["matching", "stories", "backtest", "latency"])
def test_the_page_has_room_for_every_benchmark(name: str, tmp_path: Path) -> None:
    copy = tmp_path / "benchmarks.md"
    copy.write_text(PAGE.read_text())
    write_section(name, "figures", page=copy)
    assert "\nfigures\n" in copy.read_text()


def test_conditions_name_the_machine_the_peer_and_the_commit() -> None:
    told = conditions("Lucene 8.8.1")
    assert "Lucene 8.8.1" in told
    assert "commit " in told
