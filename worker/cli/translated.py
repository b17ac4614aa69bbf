"""What `tocsin topics translate` does: reads foreign queries, has them translated, writes topics and a report.

Reports and counts only; `matching.foreign` decides. Topics go to standard output or a file, the report to standard
error. `translate` calls it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from worker.cli.house import messages
from worker.errors import InputError, QueryError
from worker.matching.foreign.listings import Entry, entries
from worker.matching.foreign.naming import Slugs, cleaned, shortened
from worker.matching.foreign.origin import Source
from worker.matching.foreign.translation import translate
from worker.matching.foreign.writing import Topic, as_json, as_yaml, check, summary

_STDIN = Path("-")
_PIPED_COLUMNS = 1000
_DIFFERENCES = {
    Source.GOOGLE: "Google also finds plurals and synonyms of words without quotes; a topic finds words as they are",
    Source.NEXIS: "Nexis also finds the regular plural of every word; a topic finds words as they are",
}


def carry_over(file: Path, source: Source, out: Path | None, *, as_json_lines: bool) -> None:
    """Write the topics and the report. Leaves with status 1 if something was lost; `InputError` if everything was."""
    where = "standard input" if file == _STDIN else str(file)
    topics, refused = _translated(entries(_read(file, where), where=where), source)
    _report(topics, refused, source)
    if not topics:
        raise _nothing(refused, where)
    _write([as_json(topic) if as_json_lines else as_yaml(topic) for topic in topics], out)
    if refused or not all(topic.translation.is_whole for topic in topics):
        raise typer.Exit(1)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Refused:
    entry: Entry
    error: QueryError


def _nothing(refused: Sequence[_Refused], where: str) -> InputError:
    first, *others = refused
    if others:
        return InputError(f"none of its {len(refused)} queries can be carried over", where=where, hint="see above why")
    return InputError(first.error.message, where=f"{where}, line {first.entry.line}", hint=first.error.hint)


def _translated(found: Sequence[Entry], source: Source) -> tuple[list[Topic], list[_Refused]]:
    from rich.progress import track

    slugs = Slugs()
    topics: list[Topic] = []
    refused: list[_Refused] = []
    shown = messages.is_terminal and len(found) > 100
    for entry in track(found, "translating", console=messages, transient=True, disable=not shown):
        try:
            translation = translate(entry.query, source, lang=entry.lang, region=entry.region)
        except QueryError as error:
            refused.append(_Refused(entry=entry, error=error))
        else:
            slug = slugs.of(entry.name or shortened(entry.query), entry.line)
            topics.append(Topic(slug=slug, entry=entry, translation=translation))
    return topics, refused


def _report(topics: Sequence[Topic], refused: Sequence[_Refused], source: Source) -> None:
    rows = sorted([*_findings(topics), *_refusals(refused)], key=lambda row: row[0])
    if rows:
        table = Table(box=None, header_style="bold")
        for name in ("line", "what", "became", "what to check"):
            table.add_column(name, overflow="fold")
        for line, *cells in rows:
            table.add_row(str(line), *(Text(cleaned(cell)) for cell in cells))
        width = None if sys.stderr.isatty() else _PIPED_COLUMNS
        Console(stderr=True, width=width).print(table)
    if source in _DIFFERENCES:
        messages.print(_DIFFERENCES[source])
    messages.print(summary(topics, len(refused)))


def _findings(topics: Sequence[Topic]) -> Iterator[tuple[int, str, str, str]]:
    for topic in topics:
        for finding in topic.translation.findings:
            yield topic.entry.line, finding.text, finding.fate, check(finding)


def _refusals(refused: Sequence[_Refused]) -> Iterator[tuple[int, str, str, str]]:
    for one in refused:
        hint = f" ({one.error.hint})" if one.error.hint else ""
        yield one.entry.line, shortened(one.entry.query or one.entry.name), "refused", f"{one.error.message}{hint}"


def _read(file: Path, where: str) -> str:
    try:
        raw = sys.stdin.buffer.read() if file == _STDIN else file.read_bytes()
        return raw.decode("utf-8-sig")
    except OSError as error:
        raise InputError(error.strerror or str(error), where=where, hint="name a file that can be read") from error
    except UnicodeDecodeError as error:
        raise InputError(f"is not UTF-8 at byte {error.start}", where=where, hint="save it as UTF-8") from error


def _write(pieces: Sequence[str], out: Path | None) -> None:
    if out is None:
        sys.stdout.write("".join(pieces))
        return
    try:
        out.write_text("".join(pieces), encoding="utf-8")
    except OSError as error:
        raise InputError(
            error.strerror or str(error), where=str(out), hint="name a file that can be written"
        ) from error
