"""`tocsin topics explain`: how a query is read, and what it finds in an article.

Parses and shows only; `matching` decides. The query's tree goes to standard output; a refusal goes to standard error,
with a caret under the place. Topics are loaded only for a query that names one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer
from rich.cells import cell_len
from rich.console import Console

from worker.errors import InputError, QueryError

if TYPE_CHECKING:
    from worker.matching.analyser import ArticleText

LoadQueries: TypeAlias = Callable[[], Mapping[str, str]]
"""Fetches all topics' queries by slug."""


def register(app: typer.Typer, load_queries: LoadQueries) -> None:
    """Add `explain` to a command group; `load_queries` is called only for a query with an `@`."""

    @app.command("explain")
    def command(
        query: Annotated[str, typer.Argument(help="The query, as a topic would have it.")],
        article: Annotated[Path | None, typer.Option(help="A text or JSON file to look for it in.")] = None,
        as_object: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    ) -> None:
        """Show how a query is read and, given an article, what it finds there."""
        explain(query, article, load_queries, as_object=as_object)


def explain(query: str, article_file: Path | None, load_queries: LoadQueries, *, as_object: bool = False) -> None:
    """Print a query's tree and, given a file, what stands in it. Leaves with status 2 if either is refused."""
    from worker.cli.explained import as_json, as_lines, as_tree
    from worker.matching.analyser import analyse
    from worker.matching.evaluate import evidence
    from worker.matching.explanation import explain as explained
    from worker.matching.query import parse
    from worker.matching.references import resolve, slugs

    try:
        node = parse(query)
        topics = load_queries() if slugs(node) else {}
        resolved = resolve(node, topics)
        article = analyse(_read(article_file)) if article_file else None
        step = explained(node, topics, article)
    except QueryError as error:
        if error.where:
            _refuse(QueryError(error.reason, offset=error.offset, where=f"@{error.where}", hint=error.hint))
        _refuse(error, _pointer(query, error.offset))
    except InputError as error:
        _refuse(error)
    else:
        spans = evidence(resolved, article) if article else ()
        if as_object:
            # A lone surrogate has no bytes in UTF-8; written as an escape it stays valid JSON.
            shown = json.dumps(as_json(step, resolved, spans), ensure_ascii=False) + "\n"
            typer.echo(shown.encode("utf-8", "backslashreplace"), nl=False)
            return
        console = Console(highlight=False)
        console.print(as_tree(step, spans))
        for line in as_lines(resolved, article, spans):
            console.print(line, soft_wrap=True)


def _read(path: Path) -> ArticleText:
    from worker.matching.analyser import ArticleText
    from worker.matching.reading import article_text

    try:
        text = path.read_bytes().decode("utf-8-sig")
        if not text.lstrip().startswith("{"):
            title, _, body = text.strip().partition("\n")
            return ArticleText(title=title, body=body)
        record = json.loads(text)
    except OSError as error:
        raise InputError(error.strerror or str(error), where=str(path), hint="name a file that can be read") from error
    except (ValueError, RecursionError) as error:
        raise InputError(
            "this is neither UTF-8 text nor JSON", where=str(path), hint='write text, or {"title", "body"}'
        ) from error
    return article_text(record)


def _pointer(query: str, offset: int) -> str:
    """Return the query's line that has the offset, and a caret under the place.

    >>> print(_pointer("북한 (a", 3))
      북한 (a
           ^
    """
    from worker.cli.explained import printable

    before, after = query[:offset], query[offset:]
    head = printable(before.rpartition("\n")[2]).replace("\t", " ")
    tail = printable(after.partition("\n")[0]).replace("\t", " ")
    return f"  {head}{tail}\n  {' ' * cell_len(head)}^"


def _refuse(error: InputError, pointer: str = "") -> None:
    typer.echo(f"error: {error}", err=True)
    if pointer:
        typer.echo(pointer, err=True)
    raise typer.Exit(2) from error
