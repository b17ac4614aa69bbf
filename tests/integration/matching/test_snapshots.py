"""Snapshots spare a fresh process its compiling, and never change what it matches: whose they are, or in what state."""

from __future__ import annotations

import fcntl
import logging
import multiprocessing
import os
import random
import re
import shutil
import signal
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests import builders
from tests.conftest import POSTGRESQL_SLOWLY
from tests.databases import opened
from tests.integration.matching.test_following import assert_equals_one_built_anew, leave, put, take_up
from worker.matching import run_snapshots
from worker.matching.run_following import Follower
from worker.matching.run_snapshots import Snapshots
from worker.store import snapshots as marks
from worker.store.database import Database

QUERIES = ("harbour", "ferry -treaty", "ballot", "@port treaty")


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_snapshots, "FEWEST_CHANGES", 2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "home" / "cache"


@pytest.fixture
def reader(database: Database) -> int:
    """A reader with some queries of their own, and a shared topic that one of these names."""
    put(database, "port", "harbour")
    with database.write() as conn:
        reader = builders.reader(conn)
    for query in QUERIES:
        take_up(database, reader, query)
    return reader


def followed(database: Database, folder: Path) -> Follower:
    """Return what a process that starts now has, when its snapshot is written, if it writes one."""
    snapshots = Snapshots(database, folder)
    follower = Follower(database, snapshots)
    assert_equals_one_built_anew(follower, database)
    snapshots.wait()
    return follower


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.engine"))


@pytest.fixture
def snapshot(database: Database, reader: int, folder: Path) -> Path:
    """A snapshot of all that the reader follows."""
    assert reader
    followed(database, folder)
    (file,) = files(folder)
    return file


def compiled(caplog: pytest.LogCaptureFixture) -> list[int]:
    return [int(found) for found in re.findall(r"(\d+) topics compiled", caplog.text)]


@pytest.mark.usefixtures("snapshot")
def test_a_fresh_process_compiles_only_what_has_changed_since_the_snapshot(reader, database, folder, caplog):
    with caplog.at_level(logging.INFO, logger="worker.matching"):
        followed(database, folder)
        leave(database, reader, "ballot")
        followed(database, folder)
        put(database, "port", "gangway")
        followed(database, folder)
    assert compiled(caplog) == [1, 3]  # the query that left; then again, with the topic and the query that names it


@pytest.mark.usefixtures("snapshot")
def test_it_is_not_read_by_others(folder):
    assert folder.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("left", [0, 1, 0.5, 0.99])
def test_a_torn_file_is_passed_over(left, snapshot, database, folder):
    whole = snapshot.read_bytes()
    snapshot.write_bytes(whole[: int(left * len(whole)) if left < 1 else 1])
    followed(database, folder)


def test_a_file_with_a_wrong_byte_is_passed_over_or_was_not_needed(snapshot, database, folder):
    whole = snapshot.read_bytes()
    for place in random.Random(1).sample(range(len(whole)), 10):
        snapshot.write_bytes(whole[:place] + bytes([whole[place] ^ 0x10]) + whole[place + 1 :])
        followed(database, folder)


def empty(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()


@pytest.mark.parametrize("harm", [shutil.rmtree, empty])
@pytest.mark.usefixtures("snapshot")
def test_the_folder_may_be_emptied_at_any_time(harm, database, folder):
    harm(folder)
    followed(database, folder)
    assert len(files(folder)) == 1


def test_what_other_code_has_written_is_passed_over_and_replaced(snapshot, database, folder, monkeypatch, caplog):
    monkeypatch.setattr(run_snapshots, "code_version", lambda: "newer")
    with caplog.at_level(logging.INFO, logger="worker.matching"):
        followed(database, folder)
    assert compiled(caplog) == [5]
    assert len(files(folder)) == 1
    assert not snapshot.exists()


def test_another_databases_file_is_passed_over_and_left_alone(snapshot, folder, make_url, caplog):
    with opened(make_url("postgresql")) as other:
        put(other, "ships", "ferry")
        put(other, "talks", "treaty")
        put(other, "votes", "ballot")
        with caplog.at_level(logging.INFO, logger="worker.matching"):
            followed(other, folder)
    assert compiled(caplog) == [3]
    assert snapshot.exists()
    assert len(files(folder)) == 2


def test_a_restored_backup_takes_no_snapshot_from_its_future(snapshot, reader, database, folder):
    """The counter gives the same numbers out again, for other topics."""
    with database.write() as conn:
        marks.forget(conn, snapshot.stem)  # as if from before the snapshot was made
        conn.execute(sa.text("DELETE FROM subscription"))
        conn.execute(sa.text("DELETE FROM topic WHERE canonical = 'ballot'"))
        conn.execute(sa.text("UPDATE counter SET value = 3 WHERE name = 'topics_generation'"))
    for query in ("gangway", "dockers", "tide"):
        take_up(database, reader, query)
    followed(database, folder)


@pytest.mark.usefixtures("reader")
def test_one_process_writes_and_the_others_go_on(database, folder):
    folder.mkdir(parents=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        followed(database, folder)
    assert files(folder) == []


def test_what_somebody_else_has_just_written_is_not_written_again(snapshot, database, folder):
    snapshots = Snapshots(database, folder)
    follower = Follower(database, snapshots)
    snapshots.note_changes(1_000, follower.engine(), 1)
    snapshots.wait()
    assert files(folder) == [snapshot]


def test_a_new_one_replaces_the_old_one_and_what_killed_writers_have_left(snapshot, reader, database, folder):
    draft, stranger, old_stranger = (folder / name for name in ("a.draft.123", "b.engine", "c.engine"))
    for file in (draft, stranger, old_stranger):
        file.write_bytes(b"torn")
    os.utime(old_stranger, (time.time() - 90_000, time.time() - 90_000))
    for query in ("gangway", "dockers", "tide"):
        take_up(database, reader, query)
    followed(database, folder)
    left = set(folder.iterdir()) - {folder / "lock", stranger}
    assert len(left) == 1
    assert snapshot not in left
    with database.read() as conn:
        assert set(marks.noted(conn)) == {file.stem for file in left}


@pytest.mark.usefixtures("reader")
def test_a_folder_that_cannot_be_used_costs_time_only(database, tmp_path, caplog):
    (tmp_path / "cache").write_text("a file in the place of a folder")
    followed(database, tmp_path / "cache")
    assert "no snapshot of the topics could be written" in caplog.text


@pytest.mark.usefixtures("snapshot")
@pytest.mark.parametrize("database_url", POSTGRESQL_SLOWLY, indirect=True)
def test_a_writer_may_be_killed_at_any_moment(reader, database, database_url, folder):
    context = multiprocessing.get_context("spawn")
    chance = random.Random(7)
    for number in range(3):
        take_up(database, reader, f"word{number}")
        writer = context.Process(target=write_without_end, args=(database_url, folder))
        writer.start()
        time.sleep(1.5 + chance.random())
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        followed(database, folder)
    for query in ("gangway", "dockers", "tide"):
        take_up(database, reader, query)
    followed(database, folder)
    assert list(folder.glob("*.draft*")) == []


def write_without_end(url: str, folder: Path) -> None:
    """Run in a process of its own."""
    with opened(url) as database:
        snapshots = Snapshots(database, folder)
        engine = Follower(database).engine()
        while True:
            snapshots._keep(engine, 1)
