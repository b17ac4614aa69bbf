"""Real databases for the tests: a private PostgreSQL cluster for the session, SQLite files, both migrated once.

Starts and stops servers, makes and empties databases; asserts nothing. `conftest.py` makes fixtures of it.
"""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql
from sqlalchemy import event

from worker.store import migrate
from worker.store.database import Database
from worker.store.schema import Base

_START_S: Final = 20.0
_SERVER_OPTIONS: Final = {
    "listen_addresses": "",  # a socket in a private directory is the only way in
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "32MB",
    "max_connections": "60",
    # Neither UTC nor whole hours away from it: what relies on the session's zone shows at once.
    "timezone": "Asia/Kathmandu",
}


class PostgresMissingError(Exception):
    """There is no PostgreSQL here that a test could start; says why."""


class Cluster:
    """A private PostgreSQL server. It dies with this process, however that ends.

    Made for tests, which wait for no disk; `options` are settings of the server's in place of theirs.
    """

    def __init__(self, **options: str) -> None:
        self._options = _SERVER_OPTIONS | options
        self._bin = _find_binaries()
        self._account = _account()
        self._folder = Path(tempfile.mkdtemp(prefix="tocsin-pg-", dir="/tmp"))  # a socket's path has 107 bytes
        self._names = (f"t{number}" for number in itertools.count())
        self._migrated: list[str] = []
        self._cleaners: dict[str, psycopg.Connection[Any]] = {}
        if self._account is not None:
            os.chown(self._folder, self._account.pw_uid, self._account.pw_gid)
        try:
            self._run(
                "initdb", "-D", self._data, "-U", "tocsin", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"
            )
            self._server = self._start()
            self._admin = psycopg.connect(self._conninfo("postgres"), autocommit=True)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the server and everything of it."""
        for cleaner in self._cleaners.values():
            cleaner.close()
        if admin := getattr(self, "_admin", None):
            admin.close()
        if server := getattr(self, "_server", None):
            server.send_signal(signal.SIGINT)  # "fast": ends sessions instead of waiting for them
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def restart(self, *, crash: bool, away_s: float = 0.0) -> None:
        """Stop, in order or as if by a crash, stay away for a while, and start again. Every session is lost."""
        self._admin.close()
        self._server.send_signal(signal.SIGQUIT if crash else signal.SIGINT)
        self._server.wait(_START_S)
        time.sleep(away_s)
        self._server = self._start()
        self._admin = psycopg.connect(self._conninfo("postgres"), autocommit=True)

    @contextmanager
    def migrated(self) -> Iterator[str]:
        """Give the URL of a migrated, empty database; it is emptied and used again, for to copy one takes a second."""
        name = self._migrated.pop() if self._migrated else self._make_migrated()
        yield self._url(name)
        self._empty(name)  # not after an error: who knows who still uses it
        self._migrated.append(name)

    @contextmanager
    def bare(self) -> Iterator[str]:
        """Give the URL of a database without a table."""
        name = self._create()
        try:
            yield self._url(name)
        finally:
            self._admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def _url(self, name: str) -> str:
        return f"postgresql://tocsin@/{name}?host={self._folder}"

    def _conninfo(self, name: str) -> str:
        return f"host={self._folder} user=tocsin dbname={name}"

    def _create(self) -> str:
        name = next(self._names)
        self._admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        return name

    def _make_migrated(self) -> str:
        name = self._create()
        with opened(self._url(name)) as database:
            migrate.upgrade(database)
        return name

    def _empty(self, name: str) -> None:
        """Delete all rows, in a session that stays: a new one takes fifty times as long, to learn of all tables."""
        for is_last in (False, True):
            cleaner = self._cleaners.get(name) or self._make_cleaner(name)
            try:
                cleaner.execute("SELECT pg_temp.emptied()")
            except psycopg.OperationalError:  # a test has ended all sessions, or the server
                self._cleaners.pop(name).close()
                if is_last or not cleaner.broken:
                    raise
            else:
                return

    def _make_cleaner(self, name: str) -> psycopg.Connection[Any]:
        cleaner = self._cleaners[name] = psycopg.connect(self._conninfo(name), autocommit=True)
        cleaner.execute("SET lock_timeout = '5s'")  # a test that leaves a transaction open is found out
        tables = [sql.Identifier(table.name) for table in reversed(Base.metadata.sorted_tables)]
        row = "IF EXISTS (SELECT FROM {0}) THEN DELETE FROM {0}; END IF;"
        body = sql.SQL(" ").join(sql.SQL(row).format(table) for table in tables)
        make = "CREATE FUNCTION pg_temp.emptied() RETURNS void LANGUAGE plpgsql AS $$ BEGIN {} END $$"
        cleaner.execute(sql.SQL(make).format(body))
        return cleaner

    def _start(self) -> subprocess.Popen[bytes]:
        options = [word for name, value in self._options.items() for word in ("-c", f"{name}={value}")]
        argv = [*_dying_with_us(), str(self._bin / "postgres"), "-D", self._data, "-k", str(self._folder), *options]
        with (self._folder / "log").open("wb") as log:
            server: subprocess.Popen[bytes] = subprocess.Popen(
                argv,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,  # a Ctrl-C is for the tests, which then stop the server themselves
                **self._as_account(),
            )
        give_up_s = time.monotonic() + _START_S
        while True:
            try:
                psycopg.connect(self._conninfo("postgres")).close()
            except psycopg.OperationalError as error:
                if server.poll() is not None or time.monotonic() > give_up_s:
                    server.kill()
                    server.wait()
                    raise RuntimeError((self._folder / "log").read_text(errors="replace")) from error
                time.sleep(0.02)
            else:
                return server

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._bin / program), *arguments], capture_output=True, check=False, cwd="/", **self._as_account()
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr.decode(errors='replace')}")

    def _as_account(self) -> dict[str, Any]:
        """PostgreSQL refuses to run as root: then it runs as its own account."""
        account = self._account
        return {} if account is None else {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


class SqliteTemplate:
    """A migrated SQLite file, of which every test gets a copy."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "migrated.db"
        database = Database(f"sqlite:///{self._file}")
        migrate.upgrade(database)
        database.close()  # the last connection takes the write-ahead log back into the file

    def copy(self, file: Path) -> str:
        """Copy it, and return the URL of the copy."""
        shutil.copyfile(self._file, file)
        return f"sqlite:///{file}"


@contextmanager
def opened(url: str) -> Iterator[Database]:
    """Open a database until the block ends; on SQLite without waiting for the disk, which tests cannot pull out."""
    database = Database(url)
    if database.is_sqlite:
        event.listen(database.engine, "connect", _hurry)
    try:
        yield database
    finally:
        database.close()


def _hurry(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")


def _find_binaries() -> Path:
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    on_path = shutil.which("initdb")
    if versions:
        return versions[-1].parent
    if on_path:
        return Path(on_path).resolve().parent
    raise PostgresMissingError("PostgreSQL's server programs are not installed (Debian's package `postgresql`)")


def _account() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError as error:
        raise PostgresMissingError("root cannot run PostgreSQL, and there is no account `postgres`") from error


def _dying_with_us() -> list[str]:
    """Return the prefix of a command that makes Linux end it when the process that started it is gone."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "INT"] if setpriv else []
