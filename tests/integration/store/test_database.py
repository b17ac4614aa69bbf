"""The door to SQL: the one clock, transactions that wait their turn, and errors in one clear line."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from tests.builders import set_clock, time_of
from tests.databases import opened
from worker.errors import ConfigurationError
from worker.store import house
from worker.store.database import Database, now, upsert, wait_for
from worker.store.schema import Heartbeat, Installation


def test_the_clock_is_utc_whatever_zone_the_server_is_in(database):
    at = time_of(database)
    assert at.utcoffset() == timedelta(0)
    assert abs(at - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize("ahead", [timedelta(days=40), timedelta(hours=-1), timedelta(seconds=0.25), timedelta(0)])
def test_the_clock_can_be_set_ahead_and_behind_for_all_processes(database, database_url, ahead):
    set_clock(database, ahead=ahead)
    with opened(database_url) as other:
        assert abs(time_of(other) - datetime.now(UTC) - ahead) < timedelta(seconds=20)


def test_the_clock_goes_on_within_a_transaction(database):
    with database.read() as conn:
        first = now(conn)
        threading.Event().wait(0.01)
        assert now(conn) > first


def test_times_come_back_as_aware_utc_to_the_microsecond(database):
    at = datetime(2026, 3, 29, 1, 0, 0, 123456, tzinfo=UTC)
    with database.write() as conn:
        conn.execute(sa.insert(Heartbeat).values(name="bulk", at=at.astimezone(tz=None)))
        assert house.heartbeats(conn) == {"bulk": at}
        assert conn.execute(sa.select(Heartbeat.at)).scalar_one().utcoffset() == timedelta(0)


def test_a_naive_time_is_refused(database):
    with pytest.raises(sa.exc.StatementError, match="aware"), database.write() as conn:
        conn.execute(sa.insert(Heartbeat).values(name="bulk", at=datetime(2026, 1, 1)))  # noqa: DTZ001  the thing under test


def test_a_failed_block_leaves_nothing(database):
    def half() -> None:
        with database.write() as conn:
            house.set_fact(conn, "half", "done")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    with database.read() as conn:
        assert house.fact(conn, "half") is None


def test_writers_of_several_processes_wait_for_each_other_instead_of_failing(database_url, database):
    def count(_: int) -> None:
        with opened(database_url) as own:
            for _round in range(10):
                with own.write() as conn:
                    conn.execute(sa.select(Installation.value)).all()  # a reader that becomes a writer
                    house.draw(conn, "rounds")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count, range(4)))
    with database.read() as conn:
        assert house.reached(conn, "rounds") == 40


def test_readers_do_not_wait_for_a_writer(database):
    with database.write() as writing:
        house.set_fact(writing, "name", "new")
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(_read_name, database).result(5) is None
    assert _read_name(database) == "new"


def _read_name(database: Database) -> str | None:
    with database.read() as conn:
        return house.fact(conn, "name")


def test_an_upsert_changes_everything_but_the_key(database):
    with database.write() as conn:
        for value in ("one", "two"):
            upsert(conn, Installation, {"name": "fact", "value": value}, key=("name",))
        assert conn.execute(sa.select(Installation.name, Installation.value)).all() == [("fact", "two")]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("no url at all", "not a database URL"),
        ("mysql://news:hunter2@db/tocsin", "mysql is not supported"),
        ("sqlite://", "needs a file"),
        ("sqlite:////no/such/directory/tocsin.db", "there is no directory"),
    ],
)
def test_a_wrong_url_is_one_clear_line_that_keeps_the_password(url, message):
    with pytest.raises(ConfigurationError, match=message) as caught:
        Database(url)
    assert "\n" not in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_server_that_does_not_answer_is_one_clear_line_that_keeps_the_password(tmp_path):
    database = Database(f"postgresql://news:hunter2@/tocsin?host={tmp_path}")
    with pytest.raises(ConfigurationError, match="cannot open the database") as caught, database.read():
        pass
    assert "\n" not in str(caught.value)
    assert "hunter2" not in str(caught.value)
    with pytest.raises(ConfigurationError):
        wait_for(database, timeout_s=0)


@pytest.mark.parametrize("content", [b"this is no database, but a letter to the editor\n" * 100, None])
def test_a_file_that_is_no_database_is_one_clear_line(tmp_path, content):
    file = tmp_path / "tocsin.db"
    file.mkdir() if content is None else file.write_bytes(content)
    database = Database(f"sqlite:///{file}")
    with pytest.raises(ConfigurationError, match="cannot open the database") as caught, database.read():
        pass
    assert "\n" not in str(caught.value)
    database.close()


def test_waiting_for_a_database_that_is_there_returns(database):
    wait_for(database, timeout_s=0)
