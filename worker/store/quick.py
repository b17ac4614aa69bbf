"""Statements that run for every single message or group of them, at the driver's own speed.

SQLAlchemy works out a statement's values anew for each row, and its lists for each execution, which takes longer than
SQLite needs to do it. Here a statement is compiled once a dialect, and values that repeat, such as the time of a
transaction, are turned into the driver's once.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, CursorResult, Dialect

_VALUES_KEPT = 64


class Quick:
    """`build` makes the statement for a dialect's name; `columns` are those that it sets or inserts by name alone.

    All else that it needs are its own bind parameters. A list is one only by `in_list`.
    """

    def __init__(self, build: Callable[[str], sa.ClauseElement], *, columns: Sequence[str] = ()) -> None:
        self._build, self._columns = build, columns
        self._compiled = functools.cache(self._compile)

    def once(self, conn: Connection, values: Mapping[str, Any]) -> CursorResult[*tuple[Any, ...]]:
        """Run the statement with the values of all its parameters."""
        text, drive = self._compiled(conn.dialect)
        return conn.exec_driver_sql(text, drive(values))

    def tuples(self, conn: Connection, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run the statement and return all its rows as the driver gives them."""
        result = self.once(conn, values)
        assert result.cursor is not None  # noqa: S101  for mypy: a statement that returns rows has one
        rows = list(result.cursor.fetchall())
        result.close()
        return rows

    def for_each(self, conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run the statement once a row, of which there is at least one."""
        text, drive = self._compiled(conn.dialect)
        conn.exec_driver_sql(text, [drive(row) for row in rows])

    def _compile(self, dialect: Dialect) -> tuple[str, Callable[[Mapping[str, Any]], Any]]:
        compiled = self._build(dialect.name).compile(dialect=dialect, column_keys=list(self._columns))
        assert isinstance(compiled, sa.sql.compiler.SQLCompiler)  # noqa: S101  for mypy: a DDL statement has none of this
        names = compiled.positiontup or sorted(set(compiled.bind_names.values()))
        values = [_value(name, compiled.binds[name], dialect) for name in names]
        if dialect.positional:
            return str(compiled), lambda row: tuple([value(row) for value in values])
        return str(compiled), lambda row: {name: value(row) for name, value in zip(names, values, strict=True)}


def among(column: Any, words: Iterable[StrEnum]) -> sa.ColumnElement[bool]:  # noqa: ANN401  a column or a mapped attribute
    """Return `column IN (words)` with the words spelt out, in their order: they are ours.

    Nothing has to be bound for each row, and SQLite recognises the condition of a partial index.
    """
    condition: sa.ColumnElement[bool] = column.in_([sa.literal_column(f"'{word}'") for word in words])
    return condition


def in_list(dialect: str, column: sa.orm.InstrumentedAttribute[Any], name: str) -> sa.ColumnElement[bool]:
    """Return `column IN` a list of any length that is one parameter, of this name, and is looked up by an index."""
    if dialect == "sqlite":
        listed = sa.func.json_each(sa.bindparam(name, type_=sa.JSON)).table_valued("value")
        return column.in_(sa.select(listed.c.value))
    return column == sa.any_(sa.bindparam(name, type_=sa.ARRAY(column.type)))


def _value(name: str, bind: sa.BindParameter[Any], dialect: Dialect) -> Callable[[Mapping[str, Any]], Any]:
    """Return what finds a parameter's value, in the driver's form, among those of the caller, or in the statement."""
    process = bind.type.dialect_impl(dialect).bind_processor(dialect) or _as_it_is
    if bind.callable is not None:
        ask = bind.callable
        return lambda _: process(ask())
    if not bind.required:
        fixed = process(bind.value)
        return lambda _: fixed
    if process is _as_it_is:
        return operator.itemgetter(name)
    kept = process if isinstance(bind.type, sa.ARRAY | sa.JSON) else functools.lru_cache(_VALUES_KEPT)(process)
    return lambda values: kept(values[name])


def _as_it_is(value: Any) -> Any:  # noqa: ANN401  what a driver takes
    return value
