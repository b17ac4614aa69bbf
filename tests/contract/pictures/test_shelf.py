"""Pictures on disk: up to a limit, the least used going first, and never older than a month."""

from __future__ import annotations

import os
import time
from pathlib import Path

from worker.adapters.pictures.shelf import MAX_AGE_S, Shelf

KB = bytes(1_000)


def file_of(folder: Path, number: int) -> Path:
    [found] = folder.glob(f"??/{number:016x}")
    return found


def used(folder: Path, number: int, ago_s: float) -> None:
    file = file_of(folder, number)
    os.utime(file, (time.time() - ago_s, file.stat().st_mtime))


def test_what_is_kept_is_there_for_the_next_process_too(tmp_path):
    Shelf(tmp_path / "new" / "folder", max_bytes=10_000).put(7, KB)
    again = Shelf(tmp_path / "new" / "folder", max_bytes=10_000)
    assert again.get(7) == KB
    assert again.get(8) is None


def test_beyond_the_limit_the_least_used_go_first(tmp_path):
    shelf = Shelf(tmp_path, max_bytes=5_000)
    for number in range(1, 6):
        shelf.put(number, KB)
        used(tmp_path, number, ago_s=100_000 - number)
    assert shelf.get(1) == KB  # used anew, and so it outlives the others
    shelf.put(6, KB)
    assert [number for number in range(1, 7) if shelf.get(number)] == [1, 4, 5, 6]


def test_a_limit_holds_across_processes_that_count_for_themselves(tmp_path):
    shelves = [Shelf(tmp_path, max_bytes=5_000) for _ in range(3)]
    for number in range(60):
        shelves[number % 3].put(number, KB)
    assert sum(file.stat().st_size for file in tmp_path.glob("??/*")) <= 15_000


def test_a_picture_is_not_shown_for_longer_than_a_month(tmp_path):
    shelf = Shelf(tmp_path, max_bytes=5_000)
    shelf.put(7, KB)
    old = time.time() - MAX_AGE_S - 10
    os.utime(file_of(tmp_path, 7), (time.time(), old))
    assert shelf.get(7) is None
    shelf.put(7, KB + KB)
    assert shelf.get(7) == KB + KB


def test_a_disk_that_takes_nothing_costs_nobody_a_picture(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    shelf = Shelf(tmp_path / "file", max_bytes=5_000)
    shelf.put(7, KB)
    assert shelf.get(7) is None
