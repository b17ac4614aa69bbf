"""What all tests share: hypothesis's manners, a browser, and databases. SQL tests run on SQLite and on PostgreSQL."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from tests.databases import Cluster, PostgresMissingError, SqliteTemplate, opened
from tests.engines import share_compiled_statements
from worker.store import editions
from worker.store.database import Database

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Two busy cores: how long an example takes says nothing. `make test-slow` asks for "thorough": see tests/thorough.py.
hypothesis.settings.register_profile("house", deadline=None, max_examples=50)
hypothesis.settings.register_profile("thorough", hypothesis.settings.get_profile("house"))
if hypothesis.settings.get_current_profile_name() != "thorough":
    hypothesis.settings.load_profile("house")

share_compiled_statements()


class _Loggers(dict[str, logging.Logger | logging.PlaceHolder]):
    """Goes through a copy: pytest goes through all loggers before each test, while a thread may be importing numba."""

    def values(self) -> list[logging.Logger | logging.PlaceHolder]:  # type: ignore[override]  # nobody keeps the view
        return list(super().values())


logging.root.manager.loggerDict = _Loggers(logging.root.manager.loggerDict)

BOTH = ("sqlite", "postgresql")
# For what takes ten seconds on either: `@pytest.mark.parametrize("database_url", POSTGRESQL_SLOWLY, indirect=True)`.
POSTGRESQL_SLOWLY = ("sqlite", pytest.param("postgresql", marks=pytest.mark.slow))
MakeUrl = Callable[..., str]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Leave what is collected to no garbage collector: two million objects that stay, gone through again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster]:
    """A private PostgreSQL server for the session; where there is none, tests are skipped, but in CI they fail."""
    try:
        cluster = Cluster()
    except PostgresMissingError as missing:
        if os.environ.get("CI"):
            pytest.fail(f"CI must run every test on PostgreSQL too: {missing}")
        pytest.skip(str(missing))
    try:
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium for the tests of a file."""
    from tests.chromium import launched

    with launched() as chromium:
        yield chromium


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> SqliteTemplate:
    """A migrated SQLite file."""
    return SqliteTemplate(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture
def make_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeUrl]:
    """Make a database of a kind, migrated or empty, that lasts as long as the test; give its URL."""
    with ExitStack() as stack:

        def make(kind: str, *, migrated: bool = True) -> str:
            if kind == "postgresql":
                cluster: Cluster = request.getfixturevalue("postgres_cluster")
                return stack.enter_context(cluster.migrated() if migrated else cluster.bare())
            file = tmp_path / "tocsin.db"
            template: SqliteTemplate = request.getfixturevalue("sqlite_template")
            return template.copy(file) if migrated else f"sqlite:///{file}"

        yield make


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest, make_url: MakeUrl) -> str:
    """The URL of a migrated database, on SQLite and on PostgreSQL; for tests with several processes."""
    return make_url(request.param)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A migrated database, on SQLite and on PostgreSQL. In whatever state a test leaves it, nobody may be lost."""
    with opened(database_url) as database:
        yield database
        assert_conserved(database)


@pytest.fixture(params=BOTH)
def empty_database(request: pytest.FixtureRequest, make_url: MakeUrl) -> Iterator[Database]:
    """A database without a single table, on SQLite and on PostgreSQL."""
    with opened(make_url(request.param, migrated=False)) as database:
        yield database


def assert_conserved(database: Database) -> None:
    """Hold the books: states sum up to the audience, and a fixed audience has exactly its rows."""
    with database.read() as conn:
        terms = editions.conservation(conn)
        assert terms.pop("audience") == sum(terms.values())
        assert editions.audience_holds(conn)
