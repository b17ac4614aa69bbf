r"""Writes rows as PostgreSQL's COPY reads them (PostgreSQL, "COPY", text format): a column at a time, not a value.

What thousands of rows share, a moment or a record, is written once. Never decides; `bulk` sends what comes out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Dialect

from worker.store.schema import Base

_NULL: Final = r"\N"
_SPECIAL: Final = re.compile(r"[\\\t\n\r]")
_ESCAPED: Final = {"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"}


def lines(table: type[Base], columns: Sequence[str], rows: Iterable[Sequence[Any]], dialect: Dialect) -> str:
    """Return the rows, each a tuple of values in the order of `columns`, as one text; "" where there are none."""
    by_column = zip(*rows, strict=True)
    written = [
        _column(table.__table__.c[name].type.dialect_impl(dialect), values, dialect)
        for name, values in zip(columns, by_column, strict=False)
    ]
    return "".join(f"{line}\n" for line in map("\t".join, zip(*written, strict=True)))


def _column(kind: sa.types.TypeEngine[Any], values: Sequence[Any], dialect: Dialect) -> list[str]:
    numbers = list(map(id, values))
    by_number = dict(zip(numbers, values, strict=True))
    if len(by_number) > 1:
        if isinstance(kind, sa.Integer):
            return [_NULL if value is None else str(value) for value in values]
        if isinstance(kind, sa.String) and kind.bind_processor(dialect) is None:
            return texts(values)
    write = _writer(kind, dialect)
    written = {number: _NULL if value is None else write(value) for number, value in by_number.items()}
    return [written[number] for number in numbers]


def _writer(kind: sa.types.TypeEngine[Any], dialect: Dialect) -> Callable[[Any], str]:
    """Return what writes a value of a type that is neither a whole number nor plain text."""
    if isinstance(kind, sa.JSON):
        return lambda value: _escaped(json.dumps(value))
    if isinstance(kind, sa.ARRAY):  # of numbers: other arrays there are none
        return lambda value: f"{{{','.join(map(str, value))}}}"
    bind: Callable[[Any], Any] | None = kind.bind_processor(dialect)
    return (lambda value: _escaped(str(bind(value)))) if bind else (lambda value: _escaped(str(value)))


def texts(values: Sequence[str | None]) -> list[str]:
    r"""Write a column of texts.

    >>> texts(["a", None, "tab\there"])
    ['a', '\\N', 'tab\\there']
    """
    given = list(filter(None, values))
    if _SPECIAL.search("".join(given)):
        return [_NULL if value is None else _escaped(value) for value in values]
    return given if len(given) == len(values) else [_NULL if value is None else value for value in values]


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda found: _ESCAPED[found[0]], text)
