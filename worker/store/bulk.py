"""Writes thousands of rows at once, as fast as a database takes them: COPY on PostgreSQL, executemany on SQLite.

Never decides. Columns that are not given get their plain default. Called by the statements that planning and lists of
readers write with.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Dialect
from sqlalchemy.exc import DBAPIError

from worker.store import copying
from worker.store.schema import Base

_VALUES_KEPT = 64


def insert(conn: Connection, table: type[Base], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Add rows, each a tuple of values in the order of `columns`; return how many. No row may be there already."""
    defaults = _defaults(table, columns)
    constant, given = tuple(defaults.values()), (*columns, *defaults)
    whole = [(*row, *constant) for row in rows]
    if not whole:
        return 0
    names = _names(conn, given)
    target = conn.dialect.identifier_preparer.quote(table.__tablename__)
    if conn.dialect.name == "sqlite":
        marks = ", ".join("?" * len(given))
        prepared = list(map(_preparing(table, given, conn.dialect), whole))
        conn.exec_driver_sql(f"INSERT INTO {target} ({names}) VALUES ({marks})", prepared)  # noqa: S608  names of ours
    else:
        _copy(conn, f"COPY {target} ({names}) FROM STDIN", copying.lines(table, given, whole, conn.dialect))
    return len(whole)


def _copy(conn: Connection, statement: str, lines: str) -> None:
    driver = conn.dialect.loaded_dbapi
    cursor: Any = conn.connection.cursor()  # psycopg's own
    try:
        with cursor, cursor.copy(statement) as copy:
            copy.write(lines)
    except driver.Error as error:  # in SQLAlchemy's words, as all other statements' errors, and without values
        raise DBAPIError.instance(
            statement, None, error, driver.Error, hide_parameters=True, dialect=conn.dialect
        ) from None


def update(conn: Connection, table: type[Base], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Set columns of rows, in the order given, each with values in the order of `columns`: the `id` comes first."""
    prepare = _preparing(table, columns, conn.dialect)
    target = conn.dialect.identifier_preparer.quote(table.__tablename__)
    quoted = _names(conn, columns).split(", ")
    if conn.dialect.name == "sqlite":
        prepared = [(*values[1:], values[0]) for values in map(prepare, rows)]
        settings = ", ".join(f"{name} = ?" for name in quoted[1:])
        if prepared:
            conn.exec_driver_sql(f"UPDATE {target} SET {settings} WHERE id = ?", prepared)  # noqa: S608  names of ours
        return len(prepared)
    records = [dict(zip(columns, row, strict=True)) for row in rows]
    if not records:
        return 0
    kinds = [table.__table__.c[name].type.compile(conn.dialect) for name in columns]
    known = ", ".join(f"{name} {kind}" for name, kind in zip(quoted, kinds, strict=True))
    settings = ", ".join(f"{name} = u.{name}" for name in quoted[1:])
    conn.exec_driver_sql(
        f"UPDATE {target} SET {settings} FROM json_to_recordset(CAST(%s AS json)) AS u({known})"  # noqa: S608  names of ours
        f" WHERE {target}.id = u.id",
        (json.dumps(records, ensure_ascii=False, default=str),),
    )
    return len(records)


def insert_new(
    conn: Connection, table: type[Base], columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> dict[str, int]:
    """Add the rows whose `hash`, the first of the columns, is new, and return their ids by it.

    In order of the hash, so that two who add the same wait for each other in one direction only.
    """
    defaults = _defaults(table, columns)
    prepare = _preparing(table, [*columns, *defaults], conn.dialect)
    prepared = [prepare((*row, *defaults.values())) for row in sorted(rows, key=lambda row: row[0])]
    if not prepared:
        return {}
    names = _names(conn, [*columns, *defaults])
    target = conn.dialect.identifier_preparer.quote(table.__tablename__)
    if conn.dialect.name == "sqlite":
        before = ids_of(conn, table, [row[0] for row in prepared])
        new = [row for row in prepared if row[0] not in before]
        if not new:
            return {}
        marks = ", ".join("?" * len(new[0]))
        conn.exec_driver_sql(f"INSERT INTO {target} ({names}) VALUES ({marks})", new)  # noqa: S608  names of ours
        return ids_of(conn, table, [row[0] for row in new])
    # One JSON text: psycopg writes arrays element by element, in Python.
    kinds = ", ".join(f"{name} {table.__table__.c[name].type.compile(conn.dialect)}" for name in [*columns, *defaults])
    records = [dict(zip([*columns, *defaults], row, strict=True)) for row in prepared]
    added = conn.exec_driver_sql(
        f"INSERT INTO {target} ({names}) SELECT {names}"  # noqa: S608  names of ours
        f" FROM json_to_recordset(CAST(%s AS json)) AS u({kinds})"
        " ORDER BY hash ON CONFLICT (hash) DO NOTHING RETURNING hash, id",
        (json.dumps(records, ensure_ascii=False, default=str),),
    ).all()
    return {row[0]: row[1] for row in added}


def ids_of(conn: Connection, table: type[Base], hashes: Sequence[str]) -> dict[str, int]:
    """Return the ids of rows by their `hash`; what is not there is left out."""
    if not hashes:
        return {}
    target = conn.dialect.identifier_preparer.quote(table.__tablename__)
    is_sqlite = conn.dialect.name == "sqlite"
    wanted = "IN (SELECT value FROM json_each(?))" if is_sqlite else "= ANY(%s)"
    found = f"SELECT hash, id FROM {target} WHERE hash {wanted}"  # noqa: S608  names of ours
    rows = conn.exec_driver_sql(found, (json.dumps(list(hashes)) if is_sqlite else list(hashes),)).all()
    return {row[0]: row[1] for row in rows}


def _names(conn: Connection, columns: Iterable[str]) -> str:
    return ", ".join(conn.dialect.identifier_preparer.quote(name) for name in columns)


def _defaults(table: type[Base], columns: Sequence[str]) -> dict[str, Any]:
    """Return the plain defaults of those columns that are not given; the database knows none of them."""
    return {
        column.name: column.default.arg
        for column in table.__table__.columns
        if column.name not in columns and isinstance(column.default, sa.ColumnDefault) and column.default.is_scalar
    }


def _preparing(
    table: type[Base], columns: Sequence[str], dialect: Dialect
) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    """Return what turns a row into the driver's values."""
    changes = []
    for place, name in enumerate(columns):
        kind = table.__table__.c[name].type.dialect_impl(dialect)  # JSON on SQLite may be an array on PostgreSQL
        process: Callable[[Any], Any] | None = kind.bind_processor(dialect)
        if process is not None:
            changes.append((place, _keeping(kind, process)))
    if not changes:
        return tuple

    def prepare(row: Sequence[Any]) -> tuple[Any, ...]:
        values = list(row)
        for place, process in changes:
            values[place] = process(values[place])
        return tuple(values)

    return prepare


def _keeping(kind: sa.types.TypeEngine[Any], process: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a processor that remembers its latest results: by value, or by the object where that cannot be hashed."""
    if isinstance(kind, sa.ARRAY):
        return process
    if not isinstance(kind, sa.JSON):
        return functools.lru_cache(_VALUES_KEPT)(process)
    by_value = functools.lru_cache(_VALUES_KEPT)(process)
    known: dict[int, tuple[Any, Any]] = {}  # the object too: a number is another's once it has gone

    def processed(value: Any) -> Any:  # noqa: ANN401  a column's value
        if type(value) is tuple:
            return by_value(value)
        found = known.get(id(value))
        if found is None:
            if len(known) >= _VALUES_KEPT:
                known.clear()
            found = known[id(value)] = (value, process(value))
        return found[1]

    return processed
