"""`tocsin match`: which topics each article concerns, from files to standard output, without a database.

Parses, reports and counts only; `matching` decides. Articles pass through one at a time, so that memory does not grow
with their number. Topics are taken or refused as a whole, before the first article is read.
"""

from __future__ import annotations

import gc
import json
import resource
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from worker.cli.json_lines import STDIN, Id, id_of, json_lines, write_line
from worker.errors import InputError, QueryError

if TYPE_CHECKING:
    from worker.matching.engine import Engine
    from worker.matching.evidence import Match, Span
    from worker.matching.query import Node

_MAX_RSS_UNIT_BYTES = 1 if sys.platform == "darwin" else 1024  # getrusage(2) counts differently there


def register(app: typer.Typer) -> None:
    """Add `match` to the command line."""
    app.command("match")(match)


def match(
    topics: Annotated[Path, typer.Option(help='JSON lines: {"id", "query"}; @id names another topic.')],
    articles: Annotated[Path, typer.Option(help='JSON lines: {"id", "title", "body", ...}; - for standard input.')],
    evidence: Annotated[bool, typer.Option("--evidence", help="Add the places that made each topic match.")] = False,
    stats: Annotated[bool, typer.Option("--stats", help="Write speed and memory to standard error.")] = False,
) -> None:
    """Print, for each article, the topics that it concerns: {"article", "topics"}, one JSON line each."""
    try:
        _run(topics, articles, with_evidence=evidence, with_stats=stats)
    except InputError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error


@dataclass(frozen=True, kw_only=True, slots=True)
class _Index:
    """The topics, ready to be matched: the engine knows each by the place of its id among the sorted `ids`."""

    engine: Engine
    ids: tuple[Id, ...]


def _run(topics: Path, articles: Path, *, with_evidence: bool, with_stats: bool) -> None:
    started_s = time.perf_counter()
    index = _read_topics(topics)
    gc.freeze()  # the index is there to stay; going through it again and again would cost more than all matching
    built_s = time.perf_counter()
    count = 0
    for where, record in json_lines(articles):
        write_line(_result(index, record, where, with_evidence=with_evidence))
        count += 1
        if articles == STDIN:
            sys.stdout.buffer.flush()
    sys.stdout.buffer.flush()
    if with_stats:
        matched_s = time.perf_counter() - built_s
        peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAX_RSS_UNIT_BYTES
        figures = {
            "topics": len(index.ids),
            "articles": count,
            "build_s": round(built_s - started_s, 6),
            "match_s": round(matched_s, 6),
            "articles_per_s": round(count / matched_s, 1) if matched_s else 0.0,
            "peak_memory_bytes": peak_bytes,
        }
        typer.echo(json.dumps(figures), err=True)


def _result(index: _Index, record: Mapping[str, Any], where: str, *, with_evidence: bool) -> dict[str, object]:
    from worker.matching.analyser import analyse
    from worker.matching.reading import article_text

    article = id_of(record, where)
    try:
        analysed = analyse(article_text(record))
    except InputError as error:
        raise InputError(error.message, where=where, hint=error.hint) from error
    if not with_evidence:
        return {"article": article, "topics": [index.ids[number] for number in index.engine.matching(analysed)]}
    matches = index.engine.match(analysed)
    return {
        "article": article,
        "topics": [index.ids[match.expression] for match in matches],
        "evidence": {str(index.ids[match.expression]): _spans(match) for match in matches},
    }


def _spans(match: Match) -> list[dict[str, object]]:
    return [_span(span) for span in match.spans]


def _span(span: Span) -> dict[str, object]:
    return {"field": span.field, "start": span.start, "end": span.end, "part": span.part, "alias": span.alias}


def _read_topics(path: Path) -> _Index:
    from worker.matching.engine import Engine
    from worker.matching.references import resolve_all

    ids: dict[str, Id] = {}
    places: dict[str, str] = {}
    queries: dict[str, Node] = {}
    for where, record in json_lines(path):
        topic = id_of(record, where)
        slug = str(topic)
        if slug in ids:
            raise InputError(f"the id {slug!r} is there already ({places[slug]})", where=where, hint="use each id once")
        ids[slug], places[slug] = topic, where
        queries[slug] = _parse(record, where)
    try:
        resolved = resolve_all(queries)
    except QueryError as error:
        raise _at(error, places[error.where]) from error
    order = sorted(ids, key=lambda slug: (isinstance(ids[slug], str), ids[slug]))
    engine = Engine.build({number: resolved[slug] for number, slug in enumerate(order)})
    return _Index(engine=engine, ids=tuple(ids[slug] for slug in order))


def _parse(record: Mapping[str, Any], where: str) -> Node:
    from worker.matching.query import parse

    query = record.get("query")
    if not isinstance(query, str):
        raise InputError("a topic needs a query", where=where, hint='write {"id": "russia", "query": "russia"}')
    try:
        return parse(query)
    except QueryError as error:
        raise _at(error, where) from error


def _at(error: QueryError, where: str) -> QueryError:
    return QueryError(error.reason, offset=error.offset, where=where, hint=error.hint)
