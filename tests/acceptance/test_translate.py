"""`tocsin topics translate` as an editor meets it: old queries in, topics out, a report, and what can go wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from worker.cli import translate
from worker.errors import InputError
from worker.matching.holding import check_topics
from worker.matching.library import read_topics

ALERTS = """\
# what the desk follows
"north korea" missile OR rocket -film
intitle:"kim jong un" site:ledger.example after:2020
북한 미사일
"""

Invoke = Callable[..., Result]


@pytest.fixture
def invoke() -> Invoke:
    app, topics = typer.Typer(), typer.Typer()
    topics.callback()(lambda: None)
    translate.register(topics)
    app.add_typer(topics, name="topics")
    return lambda *words, **more: CliRunner().invoke(app, ["topics", "translate", *map(str, words)], **more)


@pytest.fixture
def alerts(tmp_path: Path) -> Path:
    file = tmp_path / "alerts.txt"
    file.write_text(ALERTS, encoding="utf-8")
    return file


def test_what_comes_out_can_be_imported_as_it_is(invoke: Invoke, alerts: Path, tmp_path: Path) -> None:
    topics = tmp_path / "topics.yaml"
    result = invoke(alerts, "--from", "google", "--out", topics)
    assert (result.exit_code, result.stdout) == (1, "")
    checked = check_topics(read_topics([topics]), {})
    assert {draft.slug: draft.canonical for draft in checked} == {
        "north-korea-missile-or-rocket-film": '"north korea" AND (missile OR rocket) NOT film',
        "intitle-kim-jong-un-site-ledger-example-after-2020": 'title:"kim jong un" AND url:"ledger example"',
        "topic-4": "북한 AND 미사일",
    }


def test_the_old_query_and_its_losses_stand_above_each_topic(invoke: Invoke, alerts: Path) -> None:
    lines = invoke(alerts, "--from", "google").stdout.splitlines()
    assert lines[4] == '# line 3: intitle:"kim jong un" site:ledger.example after:2020'
    assert lines[6] == "#   dropped: after:2020: finds more: a topic has no dates: it looks at what comes in"


def test_the_report_names_each_change_and_counts_all_queries(invoke: Invoke, alerts: Path) -> None:
    report = [line.split() for line in invoke(alerts, "--from", "google").stderr.splitlines()]
    assert report[0] == ["line", "what", "became", "what", "to", "check"]
    assert report[1][:5] == ["3", "site:ledger.example", "changed", "finds", "more:"]
    assert report[2][:5] == ["3", "after:2020", "dropped", "finds", "more:"]
    assert " ".join(report[-1]) == "3 queries: 2 as they were, 1 with something dropped"


def test_json_lines_are_those_of_topics_list(invoke: Invoke) -> None:
    result = invoke("-", "--from", "factiva", "--json", input="name;query\nKorea;korea and not film\n")
    assert (result.exit_code, json.loads(result.stdout)) == (
        0,
        {"id": "korea", "name": "Korea", "query": "korea NOT film"},
    )


@pytest.mark.parametrize(
    ("text", "source", "status"),
    [
        ("korea", "google", 0),
        ("korea site:ledger.example", "google", 0),
        ("korea & film", "google", 0),
        ("korea location:us", "google", 1),
        ("korea\n(film", "google", 1),
    ],
)
def test_the_status_tells_whether_anything_was_lost(invoke: Invoke, text: str, source: str, status: int) -> None:
    result = invoke("-", "--from", source, input=text)
    assert result.exit_code == status
    assert "query: korea" in result.stdout


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (b"", "standard input: there is no query in it"),
        (b"(korea", "standard input, line 1: this bracket is never closed at offset 0"),
        (b"(korea\nlocation:us", "standard input: none of its 2 queries can be carried over"),
        (b"korea \xff", "standard input: is not UTF-8 at byte 6"),
    ],
)
def test_if_nothing_can_be_kept_nothing_is_written(invoke: Invoke, tmp_path: Path, given: bytes, says: str) -> None:
    out = tmp_path / "topics.yaml"
    result = invoke("-", "--from", "google", "--out", out, input=given)
    assert isinstance(result.exception, InputError)
    assert str(result.exception).startswith(says)
    assert not out.exists()


def test_a_file_that_cannot_be_read_or_written_is_named(invoke: Invoke, alerts: Path, tmp_path: Path) -> None:
    assert "nowhere.txt" in str(invoke(tmp_path / "nowhere.txt", "--from", "google").exception)
    assert "topics.yaml" in str(invoke(alerts, "--from", "google", "--out", tmp_path / "no" / "topics.yaml").exception)


def test_brackets_and_control_characters_reach_the_report_unharmed(invoke: Invoke) -> None:
    result = invoke("-", "--from", "factiva", input="[korea] and ns=[red]\x1b\x07")
    assert "\x1b" not in result.stderr + result.stdout
    assert "ns=red" in result.stderr
    refused = invoke("-", "--from", "google", input="location:\x1b")
    assert "\x1b" not in f"{refused.exception}{refused.stderr}"


def test_names_that_are_the_same_get_slugs_of_their_own(invoke: Invoke) -> None:
    given = '[{"name": "Korea", "query": "korea"}, {"name": "Korea", "query": "dprk"}]'
    topics = invoke("-", "--from", "meltwater", "--json", input=given).stdout.splitlines()
    assert [json.loads(line)["id"] for line in topics] == ["korea", "korea-2"]
