"""`tocsin match` as a user meets it: files in, lines out, refusals that say where."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from worker.cli import match

PROGRAM = """
import typer
from worker.cli import match
app = typer.Typer()
app.callback()(lambda: None)
match.register(app)
app()
"""

TOPICS: list[dict[str, Any]] = [
    {"id": "russia", "query": "russia | 러시아"},
    {"id": "north-korea", "query": '"n korea" | "north korea" | DPRK | 북한'},
    {"id": 7, "query": "@russia @north-korea"},
    {"id": "us", "query": "US"},
]
ARTICLES: list[dict[str, Any]] = [
    {"id": "a1", "title": "Envoy summoned over N. Korea’s troops", "body": "Russia denied it."},
    {"id": 2, "title": "Tell us more", "body": None, "tags": ["us"]},
    {"id": "ko", "body": "북한이 러시아에 파병했다"},
]

Invoke = Callable[..., Result]


@pytest.fixture
def invoke() -> Invoke:
    app = typer.Typer()
    app.callback()(lambda: None)
    match.register(app)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


def write(path: Path, records: Iterable[Mapping[str, object]]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


@pytest.fixture
def topics(tmp_path: Path) -> Path:
    return write(tmp_path / "topics.jsonl", TOPICS)


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    return write(tmp_path / "articles.jsonl", ARTICLES)


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def refusal(result: Result) -> str:
    """Return the one line that a refused file is answered with."""
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    return line


def test_each_article_gets_a_line_with_its_topics_as_given_and_sorted(invoke, topics, articles):
    result = invoke("match", "--topics", topics, "--articles", articles)
    assert result.exit_code == 0
    assert lines(result) == [
        {"article": "a1", "topics": [7, "north-korea", "russia"]},
        {"article": 2, "topics": []},
        {"article": "ko", "topics": [7, "north-korea", "russia"]},
    ]
    assert result.stderr == ""


def test_evidence_gives_the_places_in_the_original_text(invoke, topics, articles):
    first, second, _ = lines(invoke("match", "--topics", topics, "--articles", articles, "--evidence"))
    assert first["topics"] == [7, "north-korea", "russia"]
    assert first["evidence"] == {
        "7": [
            {"field": "title", "start": 20, "end": 28, "part": '"n korea"', "alias": "N. Korea"},
            {"field": "body", "start": 0, "end": 6, "part": "russia", "alias": "Russia"},
        ],
        "north-korea": [{"field": "title", "start": 20, "end": 28, "part": '"n korea"', "alias": "N. Korea"}],
        "russia": [{"field": "body", "start": 0, "end": 6, "part": "russia", "alias": "Russia"}],
    }
    assert second == {"article": 2, "topics": [], "evidence": {}}


def test_stats_go_to_standard_error_as_json(invoke, topics, articles):
    result = invoke("match", "--topics", topics, "--articles", articles, "--stats")
    figures = json.loads(result.stderr)
    assert (figures["topics"], figures["articles"]) == (4, 3)
    assert figures["build_s"] > 0
    assert figures["articles_per_s"] > 0
    assert figures["peak_memory_bytes"] > 1_000_000
    assert len(lines(result)) == 3


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("korea (film", "line 2: this bracket is never closed at offset 6"),
        ("@nort-korea", "line 2: there is no topic @nort-korea at offset 0 (did you mean @north-korea?)"),
        ("korea @bad", "line 2: topics refer to each other in a circle: @bad -> @bad at offset 6"),
        ("the", "line 2: there are only stop words at offset 0"),
        ("", "line 2: the query is empty at offset 0"),
        (7, "line 2: a topic needs a query"),
    ],
)
def test_one_bad_query_refuses_the_whole_file_with_its_line_and_offset(invoke, tmp_path, articles, query, said):
    bad = write(tmp_path / "bad.jsonl", [{"id": "north-korea", "query": "korea"}, {"id": "bad", "query": query}])
    line = refusal(invoke("match", "--topics", bad, "--articles", articles))
    assert f"{bad}, {said}" in line


def test_a_circle_of_topics_is_named(invoke, tmp_path, articles):
    circle = [{"id": "a", "query": "@b"}, {"id": "b", "query": "alpha @c"}, {"id": "c", "query": "@a"}]
    line = refusal(invoke("match", "--topics", write(tmp_path / "c.jsonl", circle), "--articles", articles))
    assert "in a circle: @" in line
    assert line.count(" -> ") == 3


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "line 1: this line is no JSON"),
        (b"[1]", "line 1: this line is no JSON object"),
        (b"\n\n" + b"[" * 100_000, "line 3: this line is no JSON"),
        (b'{"id": "\xff", "query": "a"}', "line 1: this line is no JSON"),
        (b'{"query": "korea"}', "line 1: the id is missing"),
        (b'{"id": true, "query": "korea"}', "line 1: the id is missing"),
        (b'{"id": 1, "query": "korea"}\n{"id": "1", "query": "film"}', "line 2: the id '1' is there already"),
    ],
)
def test_a_damaged_file_of_topics_is_refused_by_its_line(invoke, tmp_path, articles, content, said):
    bad = tmp_path / "bad.jsonl"
    bad.write_bytes(content)
    assert said in refusal(invoke("match", "--topics", bad, "--articles", articles))


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"title": "no id"}, "line 1: the id is missing"),
        ({"id": 1, "title": 5}, "line 1: title is no text"),
        ({"id": 1, "tags": "korea"}, "line 1: tags is no list of texts"),
    ],
)
def test_an_article_that_cannot_be_read_is_refused_by_its_line(invoke, tmp_path, topics, record, said):
    assert said in refusal(invoke("match", "--topics", topics, "--articles", write(tmp_path / "bad.jsonl", [record])))


def test_a_file_that_is_not_there_is_refused_by_its_name(invoke, topics, tmp_path):
    assert "nowhere.jsonl" in refusal(invoke("match", "--topics", topics, "--articles", tmp_path / "nowhere.jsonl"))
    assert str(tmp_path) in refusal(invoke("match", "--topics", tmp_path, "--articles", topics))


def test_a_byte_order_mark_and_blank_lines_are_no_matter(invoke, topics, tmp_path):
    file = tmp_path / "marked.jsonl"
    file.write_bytes(b'\xef\xbb\xbf{"id": 1, "title": "Russia"}\r\n\r\n{"id": 2}\n')
    assert lines(invoke("match", "--topics", topics, "--articles", file)) == [
        {"article": 1, "topics": ["russia"]},
        {"article": 2, "topics": []},
    ]


def test_no_topics_match_nothing(invoke, tmp_path, articles):
    result = invoke("match", "--topics", write(tmp_path / "none.jsonl", []), "--articles", articles)
    assert [line["topics"] for line in lines(result)] == [[], [], []]


def test_a_lone_surrogate_in_an_article_comes_out_as_valid_json(invoke, tmp_path):
    topics = write(tmp_path / "t.jsonl", [{"id": "p", "query": '"alpha bravo"'}])
    article = write(tmp_path / "a.jsonl", [{"id": "\ud800", "body": "alpha \ud800\0 bravo"}])
    (line,) = lines(invoke("match", "--topics", topics, "--articles", article, "--evidence"))
    assert line["article"] == "\ud800"
    assert line["evidence"]["p"][0]["alias"] == "alpha \ud800\0 bravo"


def run(*arguments: object, **kwargs: Any) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", PROGRAM, "match", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, check=True, timeout=120, **kwargs)


def test_articles_stream_through_a_pipe_one_by_one(topics):
    command = [sys.executable, "-c", PROGRAM, "match", "--topics", str(topics), "--articles", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for number in range(3):
            process.stdin.write(json.dumps({"id": number, "title": "Russia"}).encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline()) == {"article": number, "topics": ["russia"]}
        process.stdin.close()
        assert process.wait(timeout=30) == 0


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_articles(topics, tmp_path):
    body = "The envoys of Russia met again on Tuesday and said little about North Korea. " * 30
    peaks = []
    for count in (50, 2_000):
        file = write(tmp_path / f"{count}.jsonl", ({"id": number, "body": body} for number in range(count)))
        peaks.append(json.loads(run("--topics", topics, "--articles", file, "--stats").stderr)["peak_memory_bytes"])
    few, many = peaks
    assert many < few + 20_000_000  # kept, 2,000 analysed articles would take over 100 MB
