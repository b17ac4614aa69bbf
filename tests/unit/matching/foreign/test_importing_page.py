"""Every example in docs/importing-queries.md becomes what the page says, and its remark is the report's own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from worker.errors import QueryError
from worker.matching.foreign.origin import Source
from worker.matching.foreign.translation import translate
from worker.matching.foreign.writing import check
from worker.matching.parser import parse

PAGE = (Path(__file__).parents[4] / "docs" / "importing-queries.md").read_text(encoding="utf-8")
HEADINGS = {
    "Google Alerts": Source.GOOGLE,
    "Factiva": Source.FACTIVA,
    "Meltwater": Source.MELTWATER,
    "Nexis": Source.NEXIS,
}


def rows() -> list[tuple[Source, str, str, str]]:
    found: list[tuple[Source, str, str, str]] = []
    source = None
    for line in PAGE.splitlines():
        if line.startswith("## "):
            source = HEADINGS.get(line.removeprefix("## "))
        cells = [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if source and len(cells) == 3 and cells[0].startswith("`"):
            query, becomes, remark = (cell.removeprefix("`").removesuffix("`") for cell in cells)
            found.append((source, query, becomes, remark))
    return found


@pytest.mark.parametrize(("source", "query", "becomes", "remark"), rows())
def test_an_example_becomes_what_the_page_says(source: Source, query: str, becomes: str, remark: str) -> None:
    if becomes == "refused":
        with pytest.raises(QueryError) as refusal:
            translate(query, source)
        assert refusal.value.reason == remark
        return
    translation = translate(query, source)
    assert translation.query == becomes
    assert "; ".join(f"{one.fate}: {check(one)}" for one in translation.findings) == remark
    assert parse(becomes) == translation.node


def test_the_page_has_examples_of_every_source() -> None:
    counts = {source: sum(row[0] is source for row in rows()) for source in Source}
    assert all(count >= 20 for count in counts.values()), counts
