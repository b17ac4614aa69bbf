"""Keys made once and kept: complete or not there, the same for every process, readable by their owner only."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from worker.errors import ConfigurationError
from worker.keys import keep_key


def test_a_key_is_made_once_and_long_enough(tmp_path):
    key = keep_key(tmp_path, "links")
    assert len(key) >= 32
    assert keep_key(tmp_path, "links") == key != keep_key(tmp_path, "suppression")


def test_only_its_owner_can_read_it_and_nothing_else_is_left(tmp_path):
    keep_key(tmp_path, "links")
    folder = tmp_path / "keys"
    assert (folder / "links").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in folder.iterdir()] == ["links"]


def test_threads_that_ask_at_once_get_one_key(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: keep_key(tmp_path, "links"), range(32)))) == 1


def test_processes_that_start_at_once_get_one_key(tmp_path):
    with multiprocessing.get_context("fork").Pool(4) as pool:
        assert len(set(pool.starmap(keep_key, [(tmp_path, "links")] * 16))) == 1
        pool.close()
        pool.join()


def test_a_process_that_died_while_making_it_leaves_no_half_key(tmp_path, monkeypatch):
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", die)
    with pytest.raises(KeyboardInterrupt):
        keep_key(tmp_path, "links")
    monkeypatch.undo()
    assert len(keep_key(tmp_path, "links")) >= 32


@pytest.mark.parametrize("content", [b"", b"short", b"\xff\xfe\x00"])
def test_a_damaged_key_is_not_replaced_in_silence(tmp_path, content):
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "links").write_bytes(content)
    with pytest.raises(ConfigurationError, match="damaged: restore it"):
        keep_key(tmp_path, "links")
    assert (tmp_path / "keys" / "links").read_bytes() == content


def test_a_home_that_cannot_hold_keys_is_one_clear_line(tmp_path):
    (tmp_path / "keys").write_text("a file where a folder should be")
    with pytest.raises(ConfigurationError, match="cannot keep a key at") as caught:
        keep_key(tmp_path, "links")
    assert "\n" not in str(caught.value)
    assert isinstance(tmp_path, Path)
