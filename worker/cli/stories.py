"""`tocsin stories`: which story each article belongs to, from a file to standard output, without a database.

Parses and reports only; `matching` decides. Articles pass through one at a time, in the order in which they came, so
that memory does not grow with their number.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from worker.cli.json_lines import STDIN, Id, id_of, json_lines, write_line
from worker.errors import InputError


def stories(
    articles: Annotated[
        Path,
        typer.Option(help='JSON lines: {"id", "title", "summary", "body", "published_at", ...}; - for standard input.'),
    ],
) -> None:
    """Print each article's story, a JSON line each: {"article", "story"}; a story's id is its first article's."""
    from worker.matching.reading import article_text
    from worker.matching.stories_stream import Stream

    stream = Stream[Id]()
    for where, record in json_lines(articles):
        article = id_of(record, where)
        try:
            text, at_s = article_text(record), _published_at_s(record)
        except InputError as error:
            raise InputError(error.message, where=f"{where}, {error.where}", hint=error.hint) from error
        write_line({"article": article, "story": stream.place(article, text, at_s)})
        if articles == STDIN:
            sys.stdout.buffer.flush()


def _published_at_s(record: Mapping[str, Any]) -> float | None:
    from worker.adapters.sources.dates import parse_date

    value = record.get("published_at")
    if value is None or value == "":
        return None
    at = parse_date(value) if isinstance(value, str) else None
    if at is None:
        raise InputError(
            f"{value!r} is no time", where="published_at", hint='write ISO 8601, such as "2026-11-23T07:00:00Z"'
        )
    return at.timestamp()
