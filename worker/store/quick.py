"""Statements that run for every single message or group of them, at the driver's own speed.

SQLAlchemy works out a statement's values anew for each row, and its lists for each execution, which takes longer than
SQLite needs to do it. Here a statement is compiled once a dialect, and values that repeat, such as the time of a
transaction, are turned into the driver's once.
"""

from __future__ import annotations

import functools
import json
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, CursorResult, Dialect
from sqlalchemy.types import TypeEngine

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
        compiled = self._compiled(conn.dialect)
        return conn.exec_driver_sql(compiled.text, compiled.drive(values))

    def tuples(self, conn: Connection, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run the statement and return all its rows as the driver gives them."""
        result = self.once(conn, values)
        assert result.cursor is not None  # noqa: S101  for mypy: a statement that returns rows has one
        rows = list(result.cursor.fetchall())
        result.close()
        return rows

    def rows(self, conn: Connection, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run the statement and return all its rows, each value as its column's type has it: numbers, texts, times.

        SQLite's driver lets other threads in at every row, and waits for its turn to go on: rows come in one piece.
        """
        compiled = self._compiled(conn.dialect)
        if conn.dialect.name == "sqlite":
            one_piece = f"SELECT json_group_array(json_array({', '.join(compiled.names)})) FROM ({compiled.text})"  # noqa: S608  our own
            found = json.loads(conn.exec_driver_sql(one_piece, compiled.drive(values)).scalar_one())
        else:
            found = self.tuples(conn, values)
        columns: list[Sequence[Any]] = list(zip(*found, strict=True))
        if not columns:
            return []
        for place, read in compiled.readers:
            columns[place] = [read(value) for value in columns[place]]
        return list(zip(*columns, strict=True))

    def for_each(self, conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run the statement once a row, of which there is at least one."""
        compiled = self._compiled(conn.dialect)
        conn.exec_driver_sql(compiled.text, [compiled.drive(row) for row in rows])

    def _compile(self, dialect: Dialect) -> _Compiled:
        compiled = self._build(dialect.name).compile(dialect=dialect, column_keys=list(self._columns))
        assert isinstance(compiled, sa.sql.compiler.SQLCompiler)  # noqa: S101  for mypy: a DDL statement has none of this
        names = compiled.positiontup or sorted(set(compiled.bind_names.values()))
        values = {name: _value(name, compiled.binds[name], dialect) for name in names}  # one may stand many times

        def by_name(row: Mapping[str, Any]) -> dict[str, Any]:
            return {name: value(row) for name, value in values.items()}

        def in_order(row: Mapping[str, Any]) -> tuple[Any, ...]:
            found = by_name(row)
            return tuple([found[name] for name in names])

        return _Compiled(
            text=str(compiled),
            names=[f'"{column.keyname}"' for column in compiled._result_columns],  # noqa: SLF001  nothing public tells
            drive=in_order if dialect.positional else by_name,
            readers=[
                (place, _remembering(column.type, read))
                for place, column in enumerate(compiled._result_columns)  # noqa: SLF001  as above
                if (read := column.type.dialect_impl(dialect).result_processor(dialect, None)) is not None
            ],
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Compiled:
    """A statement in a dialect's words.

    `drive` turns a caller's values into its parameters, `readers` what comes in which column into what its type says.
    """

    text: str
    names: Sequence[str]  # of the columns of its rows
    drive: Callable[[Mapping[str, Any]], Any]
    readers: Sequence[tuple[int, Callable[[Any], Any]]]


def handed_in(dialect: str, **columns: TypeEngine[Any]) -> sa.Subquery:
    """Return a table of rows that are one parameter, `rows`: JSON, an array a row with its values in this order.

    A statement for all of them runs once, in one call of the driver's, where `for_each` would make a call a row.
    """
    rows = sa.bindparam("rows", type_=sa.Text)
    values: list[sa.ColumnElement[Any]]
    if dialect == "sqlite":
        row = sa.func.json_each(rows).table_valued("value").c.value
        values = [sa.func.json_extract(row, sa.literal_column(f"'$[{place}]'")) for place in range(len(columns))]
    else:
        row = sa.func.json_array_elements(sa.cast(rows, sa.JSON)).table_valued("value").c.value
        texts = [row.op("->>")(sa.literal_column(str(place))) for place in range(len(columns))]
        values = [sa.cast(text, kind) for text, kind in zip(texts, columns.values(), strict=True)]
    return sa.select(*(value.label(name) for name, value in zip(columns, values, strict=True))).subquery("handed_in")


def among(column: Any, words: Iterable[StrEnum]) -> sa.ColumnElement[bool]:  # noqa: ANN401  a column or a mapped attribute
    """Return `column IN (words)` with the words spelt out, in their order: they are ours.

    Nothing has to be bound for each row, and SQLite recognises the condition of a partial index. A bound word that is
    compared with a partial index's column makes it plan the whole statement anew at every execution.
    """
    condition: sa.ColumnElement[bool] = column.in_([sa.literal_column(f"'{word}'") for word in words])
    return condition


def any_of(column: Any, words: Iterable[StrEnum]) -> sa.ColumnElement[bool]:  # noqa: ANN401  as above
    """Return the same as a row of OR, as partial indexes have it that SQLite checks for every step of a mail."""
    return sa.or_(*(column == sa.literal_column(f"'{word}'") for word in words))


def unindexed(column: Any) -> sa.ColumnElement[Any]:  # noqa: ANN401  as above
    """Return a text column in a form that no index is looked up by, for rows that are named by their ids besides.

    PostgreSQL expects next to nothing in a partial index of passing states, and adds a look at all of it. In the middle
    of a large send it holds tens of thousands of entries of rows that have moved on.
    """
    text: sa.ColumnElement[Any] = column.concat(sa.literal_column("''"))
    return text


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
    kept = _remembering(bind.type, process)
    return lambda values: kept(values[name])


def _remembering(kind: TypeEngine[Any], process: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return process if isinstance(kind, sa.ARRAY | sa.JSON) else functools.lru_cache(_VALUES_KEPT)(process)


def _as_it_is(value: Any) -> Any:  # noqa: ANN401  what a driver takes
    return value
