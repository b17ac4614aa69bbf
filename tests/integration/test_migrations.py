"""A database comes to this program's version from nothing, by whoever comes first, and never backwards by accident."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from datetime import UTC, datetime
from multiprocessing.synchronize import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command, op
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from tests import builders
from tests.databases import opened
from worker.errors import ConfigurationError
from worker.store import house, migrate, newsletters
from worker.store.database import Database
from worker.store.schema import (
    Base,
    ContentStory,
    Delivery,
    Edition,
    Newsletter,
    Story,
    Subscription,
    Topic,
)


def differences(database: Database) -> list[object]:
    """Return what autogenerate would put into a new migration."""
    with database.read() as conn:
        context = MigrationContext.configure(conn, opts=migrate.METADATA_OPTIONS)
        return list(compare_metadata(context, Base.metadata))


def tables(database: Database) -> set[str]:
    with database.read() as conn:
        return set(sa.inspect(conn).get_table_names()) - {"alembic_version"}


def step(database: Database, target: str) -> None:
    with database.write() as conn:
        config = migrate._config()
        config.attributes["connection"] = conn
        (command.downgrade if target == "base" else command.upgrade)(config, target)


def test_an_empty_database_comes_to_the_newest_version_with_every_table(empty_database):
    with pytest.raises(ConfigurationError, match="empty: run `tocsin db upgrade`"):
        migrate.check_version(empty_database)
    assert migrate.upgrade(empty_database) == migrate.head()
    migrate.check_version(empty_database)
    assert tables(empty_database) == set(Base.metadata.tables)


def test_the_versions_are_those_that_alembic_finds():
    found = ScriptDirectory.from_config(migrate._config()).walk_revisions()
    assert [script.revision for script in found] == list(migrate._revisions())


def test_the_migrated_schema_is_the_declared_one(database):
    assert differences(database) == []


def test_upgrading_again_changes_nothing(database):
    with database.write() as conn:
        house.set_fact(conn, "kept", "yes")
    migrate.upgrade(database)
    with database.read() as conn:
        assert house.fact(conn, "kept") == "yes"


@pytest.mark.slow
def test_down_to_nothing_and_up_again(empty_database):
    migrate.upgrade(empty_database)
    step(empty_database, "base")
    assert tables(empty_database) == set()
    migrate.upgrade(empty_database)
    assert differences(empty_database) == []


def test_what_is_there_survives_the_way_back_to_before_rendering_and_up_again(database):
    with database.write() as conn:
        mina = builders.reader(conn, "mina")
        builders.edition(conn, [mina], story=builders.news(conn, builders.topic(conn, "diplomacy")))

    def rows() -> dict[str, int]:
        names = ("article", "match", "content_story", "delivery", "subscriber")
        with database.read() as conn:
            return {name: conn.execute(sa.text(f"SELECT count(*) FROM {name}")).scalar_one() for name in names}

    before = rows()
    assert all(before.values())
    with database.write() as conn:
        config = migrate._config()
        config.attributes["connection"] = conn
        command.downgrade(config, "0021")
    assert rows() == before
    migrate.upgrade(database)
    assert rows() == before
    assert differences(database) == []


@pytest.fixture
def newer(database: Database) -> Iterator[Database]:
    """A database that a later version has made."""
    set_version(database, "9999")
    yield database
    set_version(database, migrate.head())


def set_version(database: Database, version: str) -> None:
    with database.write() as conn:
        conn.execute(sa.text("UPDATE alembic_version SET version_num = :version"), {"version": version})


@pytest.mark.parametrize("open_it", [migrate.upgrade, migrate.check_version])
def test_a_newer_programs_database_is_left_alone_with_one_clear_line(newer, open_it):
    with pytest.raises(ConfigurationError, match="made by a newer Tocsin") as caught:
        open_it(newer)
    assert "9999" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_migration_that_fails_leaves_nothing_half_made(empty_database, monkeypatch):
    create_table = op.create_table

    def fail_at_last(name: str, *columns: sa.schema.SchemaItem, **options: Any) -> None:
        if name == "delivery":
            raise RuntimeError("in the middle")
        create_table(name, *columns, **options)

    monkeypatch.setattr(op, "create_table", fail_at_last)
    with pytest.raises(RuntimeError, match="in the middle"):
        migrate.upgrade(empty_database)
    assert tables(empty_database) == set()
    monkeypatch.undo()
    migrate.upgrade(empty_database)
    assert differences(empty_database) == []


def test_processes_that_start_together_migrate_once(empty_database):
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(3)
    url = empty_database.url.render_as_string(hide_password=False)
    processes = [context.Process(target=upgrade_at_once, args=(url, start)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert differences(empty_database) == []


def upgrade_at_once(url: str, start: Barrier) -> None:
    """Run in a process of its own."""
    with opened(url) as database:
        start.wait()
        migrate.upgrade(database)


def test_articles_from_before_terms_were_kept_wait_to_be_analysed(empty_database):
    with empty_database.write() as conn:
        config = migrate._config()
        config.attributes["connection"] = conn
        command.upgrade(config, "0002")
        values: dict[str, Any] = {"source": {"kind": "file", "name": "x"}, "story": {}}
        values["article"] = {"item_key": "x", "source_id": 1, "story_id": 1, "novelty": "new", "severity": "normal"}
        for name, given in values.items():
            table = sa.Table(name, sa.MetaData(), autoload_with=conn)
            conn.execute(sa.insert(table).values(**{column.name: _something(column) for column in table.c} | given))
    migrate.upgrade(empty_database)
    with empty_database.read() as conn:
        rows = conn.execute(sa.text("SELECT article_id, revision, analyser_version, terms FROM article_terms")).all()
    assert [tuple(row) for row in rows] == [(1, 1, 0, None)]


def _something(column: sa.Column[Any]) -> object:
    """Return a value that a column of this type takes; numbers are 1."""
    if column.nullable and column.name != "matched_at":
        return None
    kinds = {sa.DateTime: datetime(2026, 11, 23, tzinfo=UTC), sa.Boolean: True, sa.Integer: 1, sa.JSON: []}
    return next((value for kind, value in kinds.items() if isinstance(column.type, kind)), "")


@pytest.mark.slow
def test_own_queries_that_nobody_followed_sleep_from_the_second_version_on(empty_database):
    migrate.upgrade(empty_database)
    with empty_database.write() as conn:
        builders.topic(conn, "port")
        builders.own_query(conn, "ferry")
        followed = builders.own_query(conn, "harbour")
        builders.follow(conn, builders.reader(conn), followed, query="harbour")
    with empty_database.write() as conn:
        config = migrate._config()
        config.attributes["connection"] = conn
        command.downgrade(config, "0001")
    migrate.upgrade(empty_database)
    with empty_database.read() as conn:
        assert conn.execute(sa.select(Topic.canonical).where(Topic.dormant)).scalars().all() == ["ferry"]


@pytest.mark.slow
def test_what_was_sent_before_planning_was_whole_is_kept_down_and_up_again(empty_database):
    kept = (Subscription, Delivery, Edition, ContentStory, Story, Newsletter)
    migrate.upgrade(empty_database)
    with empty_database.write() as conn:
        named = dict.fromkeys(("name", "sender_name", "sender_address", "locale", "timezone", "schedule"), "top")
        newsletters.put(conn, {"slug": "top", **named})
        reader, topic = builders.reader(conn), builders.topic(conn, "port")
        followed = builders.follow(conn, reader, topic)
        _, story = builders.article(conn)
        builders.edition(conn, [reader], story=story, served={reader: (followed,)})
        before = [conn.execute(sa.select(table.__table__)).all() for table in kept]
    assert all(before)
    with empty_database.write() as conn:
        config = migrate._config()
        config.attributes["connection"] = conn
        command.downgrade(config, "0010")
    migrate.upgrade(empty_database)
    assert differences(empty_database) == []
    with empty_database.read() as conn:
        assert [conn.execute(sa.select(table.__table__)).all() for table in kept] == before
