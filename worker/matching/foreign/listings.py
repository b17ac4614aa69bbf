"""The files that people have their queries in: lines, spreadsheets, exports of Google Alerts and of Meltwater.

Decides which of these a text is, and what in it is a query and what its name. Reads no file itself and understands no
query. Pure; the `translate` command calls it.

- Lines: one query each; a line that begins with `# ` is a comment.
- CSV, also with semicolons or tabs: a header names a column `query` and, if there is one, `name`.
- JSON, an object a line or a list of them: `query` and `name`. What Google Takeout exports has `language` and `country`
  besides, which restrict an alert where `apply_language_restrict` and `apply_region_restrict` say so (Data Portability
  API, "Alerts schema"). Meltwater's API has an object in a query's place ("Managing saved searches").
- OPML and Atom, as feed readers export alerts' feeds: the query stands behind "Google Alert - ".
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any, Final

from worker.errors import InputError

_QUERY: Final = ("query", "search query", "search string", "boolean", "search", "keywords", "keyword", "alert")
_NAME: Final = ("name", "alert name", "search name", "title", "topic", "label")
_DELIMITERS: Final = ",;\t"
_ALERT: Final = ("Google Alert - ", "Google Alert – ")
_QUOTING: Final = 'put the query in quotes and double those inside: Korea,"""north korea"" OR dprk"'
_HINT: Final = (
    'write one query a line, or CSV with the columns name,query, or JSON lines: {"name": "...", "query": "..."}'
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One query as it was found: where it stands, its name or "", and what its settings restrict it to, or ""."""

    line: int
    query: str
    name: str = ""
    lang: str = ""
    region: str = ""


def entries(text: str, *, where: str) -> list[Entry]:
    r"""Find the queries in a file's text; `where` names the file. Raises `InputError` if there are none.

    >>> [entry.query for entry in entries("# ours\n\nkorea\n", where="alerts.txt")]
    ['korea']
    """
    text = text.removeprefix("\ufeff")
    if text.lstrip().startswith("<"):
        found = _of_feeds(text)
    elif (records := _records(text, where)) is not None:
        found = [_of_record(record, line, where) for line, record in records]
    elif (delimiter := _delimiter(text)) is not None:
        found = list(_of_table(text, delimiter, where))
    else:
        lines = enumerate(text.splitlines(), start=1)
        found = [Entry(line=line, query=query.strip()) for line, query in lines if not _is_comment(query)]
    if not found:
        raise InputError("there is no query in it", where=where, hint=_HINT)
    return found


def _is_comment(line: str) -> bool:
    return not line.strip() or line.strip() == "#" or line.lstrip().startswith(("# ", "#\t", "##", "#!"))


def _delimiter(text: str) -> str | None:
    """Tell what separates a table's columns, or `None` if no line at its top names a column of queries."""
    head = next((line for line in text.splitlines() if not _is_comment(line)), "")
    for delimiter in _DELIMITERS:
        columns = [name.strip().lower() for name in next(csv.reader([head], delimiter=delimiter), [])]
        if any(name in _QUERY for name in columns) and (len(columns) > 1 or columns == ["query"]):
            return delimiter
    return None


def _of_table(text: str, delimiter: str, where: str) -> Iterator[Entry]:
    header: list[str] = []
    for line, row in _rows(text, delimiter, where):
        if not header:
            header = [name.lower() for name in row]
        elif any(row[len(header) :]):
            raise InputError("more columns than the header has", where=f"{where}, line {line}", hint=_QUOTING)
        else:
            cells = dict(zip(header, row, strict=False))
            yield Entry(line=line, query=_first(cells, _QUERY), name=_first(cells, _NAME))


def _rows(text: str, delimiter: str, where: str) -> Iterator[tuple[int, list[str]]]:
    """Read a table's rows, each with the number of its first line, comments and empty rows left out.

    Quotes are a table's own, or a query's: `Korea,"north korea"` from somebody's hand means a phrase. They are a
    query's where no table would need them, unless the header has them, too.
    """
    lines = text.splitlines(keepends=True)
    reader = csv.reader(lines, delimiter=delimiter)
    is_quoted: bool | None = None  # whether the header is
    begins = 1
    try:
        for row in reader:
            line, begins = begins, reader.line_num + 1
            raw = "".join(lines[line - 1 : reader.line_num]).rstrip("\r\n")
            if not any(map(str.strip, row)) or _is_comment(raw):
                continue
            is_quoted = raw.startswith('"') if is_quoted is None else is_quoted
            if not is_quoted and raw != _joined(row, delimiter):
                if begins - line > 1:
                    raise InputError("a quote is never closed", where=f"{where}, line {line}", hint=_QUOTING)
                yield line, [cell.strip() for cell in raw.split(delimiter)]
            else:
                yield line, [cell.strip() for cell in row]
    except csv.Error as error:
        raise InputError(f"is no CSV: {error}", where=f"{where}, line {begins}", hint=_QUOTING) from error


def _joined(row: Sequence[str], delimiter: str) -> str:
    """Write a row with no more quotes than it needs."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\r\n").writerow(row)
    return text.getvalue().removesuffix("\r\n")


def _first(cells: Mapping[str, Any], names: tuple[str, ...]) -> Any:  # noqa: ANN401  JSON may hold anything
    return next((cells[name] for name in names if cells.get(name)), "")


def _records(text: str, where: str) -> list[tuple[int, Any]] | None:
    """Read JSON, whole or by the line; `None` if it is something else."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        return _json_lines(text, where)
    while isinstance(whole, dict):
        lists = [value for value in whole.values() if isinstance(value, list)]
        if "query" in whole or len(lists) != 1:
            return [(1, whole)]
        whole = lists[0]
    return [(number, record) for number, record in enumerate(whole, start=1)] if isinstance(whole, list) else None


def _json_lines(text: str, where: str) -> list[tuple[int, Any]] | None:
    records: list[tuple[int, Any]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if _is_comment(line):
            continue
        try:
            records.append((number, json.loads(line)))
        except (ValueError, RecursionError) as error:
            if not records:  # {NATO} and [a or b] are queries, too
                return None
            raise InputError("this line is no JSON", where=f"{where}, line {number}", hint=_HINT) from error
    return records


def _of_record(record: object, line: int, where: str) -> Entry:
    if isinstance(record, str):
        return Entry(line=line, query=record)
    if isinstance(record, dict):
        record = record.get("search", record) if isinstance(record.get("search"), dict) else record
        query = _first(record, _QUERY)
        query = _meltwater(query) if isinstance(query, dict) else query
        if isinstance(query, str) and query:
            return Entry(
                line=line,
                query=query,
                name=str(_first(record, _NAME)),
                lang=str(record.get("language") or "") if record.get("apply_language_restrict") is True else "",
                region=str(record.get("country") or "") if record.get("apply_region_restrict") is True else "",
            )
    raise InputError("this entry has no query", where=f"{where}, entry {line}", hint=_HINT)


def _meltwater(query: Mapping[str, Any]) -> str:
    """Write what Meltwater's API has in a query's place: a Boolean query, or three lists of keywords."""
    if isinstance(boolean := query.get("boolean"), str):
        return boolean
    wanted, any_of, without = (
        [f'"{word}"' for word in query.get(f"{kind}_keywords") or () if isinstance(word, str)]
        for kind in ("all", "any", "not")
    )
    parts = [*wanted, *([f"({' OR '.join(any_of)})"] if any_of else [])]
    return " AND ".join(parts) + (f" NOT ({' OR '.join(without)})" if without else "")


def _of_feeds(text: str) -> list[Entry]:
    outlines = _Outlines()
    outlines.feed(text)
    outlines.close()
    return [Entry(line=line, query=query) for line, query in dict.fromkeys(outlines.found)]


class _Outlines(HTMLParser):
    """Finds alerts' titles in OPML and Atom, however well it is formed."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[int, str]] = []
        self._title = ""
        self._is_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._is_title = tag == "title"
        if tag == "outline":
            values = dict(attrs)
            self._take(values.get("title") or values.get("text") or "")

    def handle_data(self, data: str) -> None:
        self._title += data if self._is_title else ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._take(self._title)
            self._title, self._is_title = "", False

    def _take(self, title: str) -> None:
        for beginning in _ALERT:
            if title.startswith(beginning):
                self.found.append((self.getpos()[0], title.removeprefix(beginning).strip()))
