"""Reads the rows of a CSV file, whatever wrote it: commas, semicolons or tabs, with or without a byte order mark.

Decides what a row is, never what it means; holds one at a time. The readers of lists call it.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator
from typing import BinaryIO, Final

from worker.errors import InputError

_LONGEST_LINE_BYTES: Final = 1 << 20
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_DELIMITERS: Final = ",;\t"


def read_rows(stream: BinaryIO) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not blank, each with the number of its first line; the header comes first.

    The header tells what stands between two cells. Raises `InputError` for what is no CSV in UTF-8.
    """
    lines = _decoded(stream)
    first = next(lines, "")
    delimiter = max(_DELIMITERS, key=first.count)  # the first of equals, so that one column is read too
    rows = csv.reader(itertools.chain([first], lines), strict=True, delimiter=delimiter)
    number = 1
    try:
        for row in rows:
            if row or number == 1:
                yield number, row
            number = rows.line_num + 1
    except csv.Error as error:
        raise InputError(f"the line cannot be read: {error}", where=f"line {rows.line_num}") from error


def _decoded(stream: BinaryIO) -> Iterator[str]:
    number = 0
    while raw := stream.readline(_LONGEST_LINE_BYTES):
        number += 1
        if number == 1 and raw.startswith(_UTF16):
            raise InputError("the file is in UTF-16", hint="save it as CSV in UTF-8")
        if len(raw) == _LONGEST_LINE_BYTES:
            raise InputError("the line is longer than 1 MB", where=f"line {number}", hint="this is no list of readers")
        if b"\0" in raw:
            raise InputError("there is a NUL byte", where=f"line {number}", hint="save the list again as CSV in UTF-8")
        try:
            yield raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise InputError(
                f"byte {error.start + 1} is not UTF-8", where=f"line {number}", hint="save the list as CSV in UTF-8"
            ) from error
