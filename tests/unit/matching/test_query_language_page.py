"""Every example in docs/query-language.md does what the page says."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

from worker.errors import QueryError
from worker.matching.analyser import AnalysedArticle, analyse
from worker.matching.checks import MAX_CHARACTERS, MAX_DEPTH, MAX_PREFIXES
from worker.matching.evaluate import MAX_PLACES, holds
from worker.matching.proximity import MAX_ENDS
from worker.matching.query import canonical, parse
from worker.matching.reading import article_text
from worker.matching.references import MAX_LEAVES
from worker.model import Field

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "query-language.md").read_text(encoding="utf-8")


def rows(header: str) -> list[list[str]]:
    """Return the cells of all tables that begin with a column of that name."""
    found: list[list[str]] = []
    table = False
    for line in PAGE.splitlines():
        cells = [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        table = cells[:1] == [header] or (table and bool(cells))
        if table and cells[0] != header and not set(cells[0]) <= {"-"}:
            found.append(cells)
    return found


def examples(cell: str) -> list[AnalysedArticle]:
    texts = re.findall(r"`([^`]+)`", cell)
    assert texts, f"no example in {cell!r}"
    return [analyse(article_text(json.loads(text) if text.startswith("{") else {"body": text})) for text in texts]


def code(cell: str) -> str:
    return cell.removeprefix("`").removesuffix("`")


@pytest.mark.parametrize(("query", "finds", "does_not_find"), rows("query"))
def test_an_example_finds_what_the_page_says_and_nothing_else(query, finds, does_not_find):
    node = parse(code(query))
    assert all(holds(node, article) for article in examples(finds))
    assert not any(holds(node, article) for article in examples(does_not_find))


@pytest.mark.parametrize(("query", "at", "because", "hint"), rows("refused"))
def test_an_example_is_refused_as_the_page_says(query, at, because, hint):
    with pytest.raises(QueryError) as refusal:
        parse(code(query))
    assert (refusal.value.offset, refusal.value.reason, refusal.value.hint) == (int(at), because, hint)


@pytest.mark.parametrize(("written", "text"), rows("written"))
def test_an_example_has_the_canonical_text_that_the_page_says(written, text):
    assert canonical(parse(code(written))) == code(text)


def test_the_page_has_an_example_of_every_construct():
    queries = " ".join(code(cells[0]) for cells in rows("query"))
    operators = (" AND ", " OR ", "|", " NOT ", " -", " NEAR/", " ONEAR/", "ATLEAST/", "ANY/", "FIRST/", "(", ",")
    for construct in (*operators, '"', "*", "=", "~", *(f"{field}:" for field in Field)):
        assert construct in queries
    assert len(rows("query")) > 75


def refusals() -> set[str]:
    """Return, as regular expressions, what the parser's modules can say is wrong with a query."""
    said = set()
    for name in ("lexer", "leaves", "operands", "parser", "checks"):
        tree = ast.parse((ROOT / "worker" / "matching" / f"{name}.py").read_text(encoding="utf-8"))
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "QueryError":
                pieces = call.args[0].values if isinstance(call.args[0], ast.JoinedStr) else [call.args[0]]
                texts = [str(piece.value) if isinstance(piece, ast.Constant) else None for piece in pieces]
                said.add("".join(".+" if text is None else re.escape(text) for text in texts))
    return said


def test_the_page_shows_every_refusal_but_those_that_take_a_long_query():
    shown = [because for _, _, because, _ in rows("refused")]
    missing = {reason for reason in refusals() if not any(re.fullmatch(reason, because) for because in shown)}
    assert len(refusals()) > 30
    assert {reason.replace("\\", "") for reason in missing} == {
        "the query is empty",
        "the query is longer than .+ characters",
        "brackets are nested more than .+ deep, a NEAR counting as a pair",
        "there are more than .+ prefixes, the first too many",
    }


@pytest.mark.parametrize(
    ("limit", "number"),
    [
        ("characters in a query", MAX_CHARACTERS),
        ("brackets inside brackets; each `NEAR` counts as a pair", MAX_DEPTH),
        ("prefixes in a query", MAX_PREFIXES),
        ("words in a query, with those of the topics that it names", MAX_LEAVES),
    ],
)
def test_the_page_names_the_limits(limit, number):
    assert [f"{number:,}"] == [value for name, value in rows("limit") if name == limit]


def test_the_page_says_how_much_evidence_there_is():
    assert f"no more than {MAX_PLACES:,} places" in PAGE
    assert f"no more than {MAX_ENDS} in a field" in PAGE
