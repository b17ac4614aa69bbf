"""Every example in docs/query-language.md does what the page says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from worker.errors import QueryError
from worker.matching.analyser import AnalysedArticle, analyse
from worker.matching.evaluate import holds
from worker.matching.query import parse
from worker.matching.reading import article_text
from worker.model import Field

PAGE = (Path(__file__).parents[3] / "docs" / "query-language.md").read_text(encoding="utf-8")


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


@pytest.mark.parametrize(("query", "at", "because"), rows("refused"))
def test_an_example_is_refused_as_the_page_says(query, at, because):
    with pytest.raises(QueryError) as refusal:
        parse(code(query))
    assert (refusal.value.offset, refusal.value.reason) == (int(at), because)


def test_the_page_has_an_example_of_every_construct():
    queries = " ".join(code(cells[0]) for cells in rows("query"))
    for construct in (" AND ", " OR ", "|", " NOT ", " -", "(", '"', "*", "=", *(f"{field}:" for field in Field)):
        assert construct in queries
    assert len(rows("query")) > 45
