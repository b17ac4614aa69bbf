"""The documents tell the truth: references are current, diagrams are the code's, links lead somewhere."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
import typer
from typer.core import TyperGroup

from worker.lifecycle import TABLE, State
from worker.settings import Settings, variable

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference", DOCS / "reference.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("page", "maker"), [("cli.md", "command_line"), ("settings.md", "settings"), ("theme-names.md", "template_names")]
)
def test_a_reference_is_current(page: str, maker: str, reference: ModuleType) -> None:
    assert (DOCS / page).read_text() == getattr(reference, maker)(), "run `make docs`"


def drawn_steps(diagram: str) -> set[tuple[str, str]]:
    """Return the steps of a Mermaid state diagram; an arrow from or to a group counts for each of its members."""
    groups = {
        name: set(re.findall(r"[a-z_]+", re.sub(r"\[\*\]|:.*", "", body)))
        for name, body in re.findall(r"state (\w+) \{(.*?)\n\s*\}", diagram, re.DOTALL)
    }
    arrows = re.findall(r"^\s*(\w+) --> (\w+)(?:: .*)?$", diagram, re.MULTILINE)
    return {(one, other) for a, b in arrows for one in groups.get(a, {a}) for other in groups.get(b, {b})}


def test_the_state_diagram_is_the_lifecycle_table() -> None:
    diagram = re.search(r"```mermaid\nstateDiagram-v2\n(.*?)```", (DOCS / "architecture.md").read_text(), re.DOTALL)
    assert diagram
    assert drawn_steps(diagram[1]) == {
        (str(state), str(following))
        for state, answers in TABLE.items()
        for following in answers.values()
        if isinstance(following, State) and following is not state
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_link_leads_to_a_file_that_is_there(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)|(?:src|srcset)=\"([^\"]+)\"", page.read_text())
    local = [target for pair in targets for target in pair if target and not target.startswith("http")]
    assert [target for target in local if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_variable_that_is_named_is_a_setting(page: Path) -> None:
    known = {variable(name) for name in Settings.model_fields} | {"TOCSIN_LOG_LEVEL", "TOCSIN_PUBLISH"}
    named = set(re.findall(r"\bTOCSIN_[A-Z][A-Z_]*[A-Z]\b", page.read_text()))
    assert named - known == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_command_that_is_named_exists(page: Path) -> None:
    from worker.cli import app

    root = typer.main.get_command(app)
    assert isinstance(root, TyperGroup)
    for words in re.findall(r"(?:^|`|\$ )tocsin ((?:[a-z]+(?:-[a-z]+)* ?){1,2})", page.read_text(), re.MULTILINE):
        first, *rest = words.split()
        command = root.commands.get(first)
        assert command, f"tocsin {first}"
        if isinstance(command, TyperGroup) and rest:
            assert rest[0] in command.commands, f"tocsin {words}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_make_target_that_is_named_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)|^make ([a-z-]+)", page.read_text(), re.MULTILINE)) <= {
        pair for target in targets for pair in ((target, ""), ("", target))
    }


def test_a_file_of_the_package_that_is_named_is_there() -> None:
    for page in PAGES:
        for name in re.findall(r"`((?:worker|tests|templates|seeds|docs)/[\w./-]+)`", page.read_text()):
            assert (ROOT / name).exists(), f"{page.name}: {name}"
