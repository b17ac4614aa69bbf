"""`tocsin topics explain`: how a query is read, and what it finds in an article.

Parses and shows only; `matching` decides. The query's tree goes to standard output; a refusal goes to standard error,
with a caret under the place. Topics are loaded only for a query that names one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, TypeAlias

import typer
from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from worker.cli.refusals import printable, refuse, refuse_query
from worker.errors import InputError, QueryError
from worker.matching.analyser import AnalysedArticle, ArticleText, analyse
from worker.matching.evaluate import evidence, holds
from worker.matching.evidence import Match
from worker.matching.query import (
    And,
    AnyOf,
    AtLeast,
    Case,
    Leaf,
    Near,
    Node,
    Not,
    Or,
    Phrase,
    Prefix,
    Reference,
    Term,
    canonical,
    children,
    parse,
)
from worker.matching.reading import article_text
from worker.matching.references import resolve, slugs

LoadQueries: TypeAlias = Callable[[], Mapping[str, str]]
"""Fetches all topics' queries by slug."""

_HIGHLIGHT = "bold reverse"


def register(app: typer.Typer, load_queries: LoadQueries) -> None:
    """Add `explain` to a command group; `load_queries` is called only for a query with an `@`."""

    @app.command("explain")
    def command(
        query: Annotated[str, typer.Argument(help="The query, as a topic would have it.")],
        article: Annotated[Path | None, typer.Option(help="A text or JSON file to look for it in.")] = None,
    ) -> None:
        """Show how a query is read and, given an article, what it finds there."""
        explain(query, article, load_queries)


def explain(query: str, article_file: Path | None, load_queries: LoadQueries) -> None:
    """Print a query's tree and, given a file, what stands in it. Leaves with status 2 if either is refused."""
    try:
        node = parse(query)
        resolved = resolve(node, load_queries()) if slugs(node) else node
        article = analyse(_read(article_file)) if article_file else None
    except QueryError as error:
        refuse_query(error, query)
    except InputError as error:
        refuse(error)
    else:
        _show(resolved, article)


def _show(node: Node, article: AnalysedArticle | None) -> None:
    console = Console(highlight=False)
    console.print(_tree(node, article))
    console.print(Text(f"reads as: {canonical(node)}"), soft_wrap=True)
    for line in _findings(node, article) if article else ():
        console.print(line, soft_wrap=True)


def _tree(node: Node, article: AnalysedArticle | None) -> Tree:
    tree = Tree(_label(node, article))
    for child in children(node):
        tree.children.append(_tree(child, article))
    return tree


def _label(node: Node, article: AnalysedArticle | None) -> Text:
    sign = "" if article is None else "✓ " if holds(node, article) else "✗ "
    match node:
        case And():
            return Text(f"{sign}all of")
        case Or():
            return Text(f"{sign}any of")
        case Not():
            return Text(f"{sign}without")
        case Near():
            return Text(f"{sign}within {node.distance} words{', in this order' if node.is_ordered else ''}")
        case AtLeast():
            return Text(f"{sign}at least {node.count} times")
        case AnyOf():
            return Text(f"{sign}at least {node.count} of")
        case Reference():
            return Text(f"{sign}@{node.slug}")
        case Term() | Prefix() | Phrase():
            where = f", {node.scope} only" if node.scope else ""
            where += f", first {node.within:,} words" if node.within else ""
            return Text.assemble(sign, (canonical(node), "bold"), f"  {_kind(node)}{where}")


def _kind(leaf: Leaf) -> str:
    match leaf:
        case Prefix():
            return "words that begin so, any case"
        case Phrase():
            return f"phrase of {len(leaf.words) + bool(leaf.stem)} words"
        case Term():
            return f"word, {_CASES[leaf.word.case]}"


_CASES = {Case.ANY: "any case", Case.CAPITALS: "as an acronym", Case.EXACT: "exactly so", Case.INFLECTED: "inflected"}


def _findings(node: Node, article: AnalysedArticle) -> Iterator[Text]:
    spans = evidence(node, article)
    if not spans:
        yield Text("does not match")
        return
    yield Text(f"matches, strength {Match(expression=0, spans=spans).strength.name.lower()}")
    for span in spans:
        yield Text(f"  {span.field} {span.start}-{span.end}  {printable(span.alias)}  for  {span.part}")
    for name in dict.fromkeys(span.field for span in spans):
        text = Text(printable(article.fields[name].text))
        for span in spans:
            if span.field is name:
                text.stylize(_HIGHLIGHT, span.start, span.end)
        yield Text.assemble("\n", (f"{name}: ", "bold"), text)


def _read(path: Path) -> ArticleText:
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
