"""Files of JSON objects, one a line, as commands read them: one at a time, a bad line refused with its place.

Decides what a line and an id must look like, nothing of what they mean. `match` and `stories` read through it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, TypeAlias

from worker.errors import InputError

Id: TypeAlias = str | int

STDIN: Final = Path("-")


def json_lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Read a file of JSON objects, one a line, without keeping any; blank lines are skipped. `-` is standard input.

    Yields where each stands ("news.jsonl, line 3") and what it is. Raises `InputError`.
    """
    name = "standard input" if path == STDIN else str(path)
    with ExitStack() as stack:
        try:
            file = sys.stdin.buffer if path == STDIN else stack.enter_context(path.open("rb"))
            for number, line in enumerate(file, start=1):
                if stripped := line.strip():
                    yield f"{name}, line {number}", _json_object(stripped, f"{name}, line {number}")
        except OSError as error:
            raise InputError(error.strerror or str(error), where=name, hint="name a file that can be read") from error


def id_of(record: Mapping[str, Any], where: str) -> Id:
    """Return a line's id, text or a whole number. Raises `InputError`."""
    value = record.get("id")
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise InputError("the id is missing, or is neither text nor a whole number", where=where, hint='write "id": 1')
    return value


def write_line(result: Mapping[str, object]) -> None:
    """Write an object to standard output as one line of JSON, in UTF-8."""
    # A lone surrogate has no bytes in UTF-8; written as an escape it stays valid JSON.
    sys.stdout.buffer.write(json.dumps(result, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n")


def _json_object(line: bytes, where: str) -> dict[str, Any]:
    try:
        record = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise InputError(
            "this line is no JSON", where=where, hint='write {"id": 1, ...} in UTF-8, all on one line'
        ) from error
    if not isinstance(record, dict):
        raise InputError("this line is no JSON object", where=where, hint='write {"id": 1, ...}, all on one line')
    return record
