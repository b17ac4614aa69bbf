"""The door to SQL: one engine a process, transactions with a stated purpose, and the one clock.

Opens and closes transactions, never decides. `wiring` builds one `Database`; rooms ask it for `write()` or `read()` and
keep no transaction open while they talk to the network.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from worker.errors import ConfigurationError

BUSY_TIMEOUT_S = 30
CLOCK_OFFSET = "clock_offset_s"

AWAY: Final = (ConfigurationError, OperationalError, InterfaceError, NoConnection)
"""What is raised while the database is out of reach, or too busy: the fault of nothing that was to be stored."""


class Database:
    """One SQL database, on SQLite (WAL) or PostgreSQL, shared by the threads of a process."""

    def __init__(self, url: str) -> None:
        self.url = _parse(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _sqlite_engine(self.url) if self.is_sqlite else _postgresql_engine(self.url)
        self._one_writer = threading.RLock()
        self._writing_on: Connection | None = None

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that may write: committed at the end of the block, rolled back on any exception."""
        if not self.is_sqlite:
            with self._connect() as conn, conn.begin():
                yield conn
            return
        with self._one_writer, self._writer().begin() as transaction:
            yield transaction.connection

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that only reads: it waits for no writer on SQLite."""
        with self._connect() as opened:
            conn = opened.execution_options(read_only=True)
            with conn.begin():
                yield conn

    def flush_deleted(self) -> bool:
        """Take what was overwritten out of SQLite's write-ahead log too; False while somebody still reads from it.

        PostgreSQL does so by itself, when it vacuums.
        """
        if not self.is_sqlite:
            return True
        raw = self.engine.raw_connection()
        try:
            busy, _, _ = raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            raw.close()
        return not busy

    def close(self) -> None:
        """Give all connections back; the next use opens new ones."""
        if self._one_writer.acquire(blocking=False):  # who still writes is not disturbed
            try:
                if self._writing_on is not None:
                    self._writing_on.close()
            finally:
                self._one_writer.release()
        self.engine.dispose()

    def _writer(self) -> Connection:
        """Return the connection of SQLite's one writer, which stays open: to open one takes as long as writing rows."""
        if self._writing_on is None or self._writing_on.closed or self._writing_on.invalidated:
            self._writing_on = self._open()
        return self._writing_on

    @contextlib.contextmanager
    def _connect(self) -> Iterator[Connection]:
        with self._open() as conn:
            yield conn

    def _open(self) -> Connection:
        try:
            return self.engine.connect()
        except DBAPIError as error:  # out of reach, or no database at all
            shown = self.url.render_as_string(hide_password=True)
            raise ConfigurationError(f"cannot open the database {shown}: {_first_line(error)}") from error


def now(conn: Connection) -> datetime:
    """Return the one clock's time: the database's, plus an offset that only tests set.

    SQLite has no clock of its own but its machine's, so that machine's is read with its full precision.
    """
    if conn.dialect.name == "sqlite":
        at, offset_s = datetime.now(UTC), conn.exec_driver_sql(_QUICK_OFFSET).scalar()
    else:
        at, offset_s = conn.exec_driver_sql(_QUICK_CLOCK).one()
    return at.astimezone(UTC) + timedelta(seconds=float(offset_s or 0))  # PostgreSQL answers in the session's zone


# Asked for in nearly every transaction, some of them thousands a second: as text, which SQLAlchemy need not look up.
_QUICK_OFFSET = f"SELECT value FROM installation WHERE name = '{CLOCK_OFFSET}'"  # noqa: S608  a constant of ours
_QUICK_CLOCK = f"SELECT clock_timestamp(), ({_QUICK_OFFSET})"


def upsert(conn: Connection, table: type[Any], values: dict[str, Any], *, key: tuple[str, ...]) -> None:
    """Insert the row, or update every other column of the one that has the same `key`."""
    statement = insert_for(conn, table).values(values)
    changed = {name: statement.excluded[name] for name in values if name not in key}
    conn.execute(statement.on_conflict_do_update(index_elements=key, set_=changed))


def insert_for(conn: Connection, table: type[Any]) -> Any:  # noqa: ANN401  two unrelated classes with the same methods
    """Return the dialect's own INSERT, the one that knows ON CONFLICT."""
    return insert_for_dialect(conn.dialect.name, table)


def insert_for_dialect(dialect: str, table: type[Any]) -> Any:  # noqa: ANN401  as above
    """Return the INSERT that knows ON CONFLICT of the dialect of this name."""
    return (sqlite if dialect == "sqlite" else postgresql).insert(table)


def _parse(url: str) -> URL:
    example = "write sqlite:////path/to/tocsin.db or postgresql://user:password@host/tocsin"
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # Its own words would quote a password that was not percent-encoded.
        raise ConfigurationError(
            f"TOCSIN_DATABASE_URL is not a database URL; {example}; write signs in a password percent-encoded"
        ) from None
    if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
        raise ConfigurationError(f"TOCSIN_DATABASE_URL: {parsed.get_backend_name()} is not supported; {example}")
    if parsed.get_backend_name() == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if not parsed.database:
        raise ConfigurationError(f"TOCSIN_DATABASE_URL: an SQLite database needs a file; {example}")
    return parsed


def _sqlite_engine(url: URL) -> Engine:
    parent = Path(url.database or "").parent
    if not parent.is_dir():
        raise ConfigurationError(f"cannot open the database {url.database}: there is no directory {parent}")
    engine = sa.create_engine(
        url,
        pool_size=8,
        hide_parameters=True,  # a failed statement ends up in logs, which never hold an address
        connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the "begin" listener says when a transaction starts, and which kind
    _turn_to_wal(connection)
    for pragma in (
        "synchronous=FULL",  # an acknowledged step survives power loss: the delivery guarantee rests on it
        "foreign_keys=ON",
        "secure_delete=ON",  # what erasure deletes is overwritten
        f"busy_timeout={BUSY_TIMEOUT_S * 1000}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _turn_to_wal(connection: sqlite3.Connection) -> None:
    """Have the file keep a write-ahead log, which it then does for good.

    Of several processes that meet at a new file, SQLite tells all but one that it is locked, without the usual wait.
    """
    give_up_s = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() >= give_up_s:
                raise
            time.sleep(0.02)
        else:
            return


def _begin_sqlite(conn: Connection) -> None:
    # A deferred transaction that turns into a writer fails at once with "database is locked"; IMMEDIATE waits its turn.
    read_only = conn.get_execution_options().get("read_only", False)
    conn.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def _postgresql_engine(url: URL) -> Engine:
    return sa.create_engine(
        url, pool_size=8, pool_pre_ping=True, hide_parameters=True, connect_args={"connect_timeout": 10}
    )


def _first_line(error: Exception) -> str:
    text = str(getattr(error, "orig", None) or error).strip()
    return text.splitlines()[0] if text else type(error).__name__


def wait_for(database: Database, timeout_s: float) -> None:
    """Wait until the database answers; the last `ConfigurationError` when it does not in time."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            with database.read() as conn:
                conn.execute(sa.select(1))
        except ConfigurationError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.5)
        else:
            return
