"""One statement for many rows, at the driver's own speed.

SQLAlchemy works out each row's values anew, which for a row of ten columns takes longer than SQLite needs to write it.
Here a statement is compiled once a dialect, and values that repeat, such as the time of a transaction, are turned into
the driver's once. For the two statements that run for every single message.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Dialect

_VALUES_KEPT = 64


class Many:
    """`statement` sets or inserts the columns that `names` has, besides its own bind parameters, which it also has."""

    def __init__(self, statement: sa.UpdateBase, names: Sequence[str]) -> None:
        self._statement, self._names = statement, names
        self._compiled = functools.cache(self._compile)

    def execute(self, conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run the statement once a row; every row has all names."""
        text, names, processors = self._compiled(conn.dialect)
        values = ([process(row[name]) for name, process in processors] for row in rows)
        if conn.dialect.positional:
            conn.exec_driver_sql(text, [tuple(row) for row in values])
        else:
            conn.exec_driver_sql(text, [dict(zip(names, row, strict=True)) for row in values])

    def _compile(self, dialect: Dialect) -> tuple[str, Sequence[str], Sequence[tuple[str, Callable[[Any], Any]]]]:
        compiled = self._statement.compile(dialect=dialect, column_keys=list(self._names))
        assert isinstance(compiled, sa.sql.compiler.SQLCompiler)  # noqa: S101  for mypy: a DDL statement has none of this
        names = compiled.positiontup or list(self._names)
        return str(compiled), names, [(name, _processor(compiled.binds[name].type, dialect)) for name in names]


def _processor(kind: sa.types.TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any]:
    process = kind.dialect_impl(dialect).bind_processor(dialect)
    return functools.lru_cache(_VALUES_KEPT)(process) if process else _as_it_is


def _as_it_is(value: Any) -> Any:  # noqa: ANN401  what a driver takes
    return value
