"""docs/adding-a-provider.md names every file that knows a provider, and docs/providers.md every provider."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from worker.adapters.transports.kinds import KINDS
from worker.adapters.transports.spec import Kind

ROOT = Path(__file__).parents[2]
HTTP = {kind.made_by.partition(":")[0]: kind for kind in KINDS.values() if kind.is_http}
EXAMPLE = "brevo"


def named() -> list[str]:
    """Return the files in the page's table."""
    page = (ROOT / "docs" / "adding-a-provider.md").read_text()
    return re.findall(r"^\| `([\w./]+)` \|", page, re.MULTILINE)


@pytest.mark.parametrize("module", HTTP)
def test_every_provider_has_the_files_that_the_page_tells_people_to_write(module: str) -> None:
    wanted = [name.replace(EXAMPLE, module) for name in named()]
    assert len(wanted) > 5
    assert [name for name in wanted if not (ROOT / name).exists()] == []


def test_no_file_that_the_page_does_not_name_knows_the_example() -> None:
    knowing = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "worker").rglob("*.py")
        if re.search(EXAMPLE, path.read_text(), re.IGNORECASE)
    }
    assert knowing == {name for name in named() if name.startswith("worker/")}


@pytest.mark.parametrize("kind", HTTP.values(), ids=HTTP)
def test_the_table_of_providers_has_each_with_its_limit(kind: Kind) -> None:
    page = (ROOT / "docs" / "providers.md").read_text()
    scheme = kind.scheme.partition("+")[0]
    (row,) = re.findall(rf"^\|[^|]+\| `{scheme}\b.*$", page, re.MULTILINE)
    assert row.split("|")[3].strip() == str(kind.most)


@pytest.mark.parametrize("module", HTTP)
def test_a_transport_is_short_and_names_its_pages(module: str) -> None:
    text = (ROOT / "worker" / "adapters" / "transports" / f"{module}.py").read_text()
    assert text.count("\n") < 120
    assert "2026-11-28" in text
