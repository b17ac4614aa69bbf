"""`tocsin topics explain` as an editor meets it: a tree, what an article has of it, refusals that point at places."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import typer
from typer.testing import CliRunner, Result

from worker.cli import explain as command

Explain = Callable[..., Result]


@pytest.fixture
def explain() -> Explain:
    app = typer.Typer()
    app.callback()(lambda: None)
    command.register(app, lambda: {"kim": '"kim jong un" | 김정은', "broken": "korea (film"})
    return lambda *words: CliRunner().invoke(app, ["explain", *map(str, words)])


def test_explain_shows_the_tree_without_a_database(explain):
    result = explain("title:(US | missil*) =Turkey -“film award”")
    assert result.exit_code == 0
    for part in ("all of", "any of", "without", "title:US", "title:missil*", "=Turkey", '"film award"'):
        assert part in result.stdout
    assert 'reads as: (title:US OR title:missil*) AND =Turkey NOT "film award"' in result.stdout


def test_explain_puts_named_topics_in(explain):
    result = explain("@kim -film")
    assert 'reads as: ("kim jong un" OR 김정은) NOT film' in result.stdout


def test_explain_shows_what_an_article_has_of_a_query(explain, tmp_path):
    file = tmp_path / "article.txt"
    file.write_text("U.S. envoy\n\nKim Jong-un\x1b[31m met 김정은은\n", encoding="utf-8")
    result = explain("@kim (US | missil*)", "--article", file)
    assert "✓ US" in result.stdout
    assert "✗ missil*" in result.stdout
    assert "matches, strength title" in result.stdout
    assert "title 0-4  U.S.  for  US" in result.stdout
    assert 'body 1-12  Kim Jong-un  for  "kim jong un"' in result.stdout
    assert "\x1b[31m" not in result.stdout


def test_explain_reads_an_article_from_json_and_says_when_nothing_matches(explain, tmp_path):
    file = tmp_path / "article.json"
    file.write_text(json.dumps({"title": "Rain", "tags": ["Weather"]}))
    assert "strength body" in explain("tag:weather", "--article", file).stdout
    assert "does not match" in explain("weather", "--article", file).stdout


@pytest.mark.parametrize(
    ("query", "error", "pointer"),
    [
        ("korea (film", "error: this bracket is never closed at offset 6", "  korea (film\n        ^"),
        ("북한 (film", "error: this bracket is never closed at offset 3", "  북한 (film\n       ^"),
        ("korea\nfilm )", "error: this bracket closes nothing at offset 11", "  film )\n       ^"),
        ("@kin", "error: there is no topic @kin at offset 0 (did you mean @kim?)", "  @kin\n  ^"),
    ],
)
def test_explain_points_at_what_it_refuses(explain, query, error, pointer):
    result = explain(query)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(error)
    assert result.stderr.rstrip("\n").endswith(pointer)


def test_explain_names_the_topic_whose_own_query_is_broken(explain):
    result = explain("@broken")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: @broken: this bracket is never closed at offset 6")


@pytest.mark.parametrize("content", [b"\xff\xfe", b"{", b'{"title": 5}', b"{}[]"])
def test_explain_refuses_an_article_that_it_cannot_read(explain, tmp_path, content):
    file = tmp_path / "article"
    file.write_bytes(content)
    result = explain("korea", "--article", file)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"error: {file}: ") or "title" in result.stderr


def test_explain_refuses_an_article_that_is_not_there(explain, tmp_path):
    result = explain("korea", "--article", tmp_path / "nowhere")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "nowhere" in result.stderr


def test_explain_shows_every_operator(explain, tmp_path):
    file = tmp_path / "article.txt"
    file.write_text("U.S. envoy\n\nmissiles were fired, and a missile fell into the sea\n", encoding="utf-8")
    result = explain(
        "~missile NEAR/5 fired a ONEAR/9 sea ATLEAST/2 missil* ANY/2 (title:US, sea, x) -film", "--article", file
    )
    for part in (
        "✓ within 5 words",
        "✓ within 9 words, in this order",
        "✓ at least 2 times",
        "✓ at least 2 of",
        "✓ without",
        "✓ ~missile  word, with its inflections",
        "✗ x  word, any case",
        "✓ title:US  word, as an acronym, in title",
    ):
        assert part in result.stdout
    assert "first 50 words" in explain("FIRST/50 sea").stdout


def test_explain_shows_a_named_topic_and_what_it_stands_for(explain, tmp_path):
    file = tmp_path / "article.txt"
    file.write_text("김정은이 말했다\n", encoding="utf-8")
    result = explain("@kim -film", "--article", file, "--json")
    tree = json.loads(result.stdout)["tree"]
    topic, denied = tree["children"]
    assert (topic["kind"], topic["query"], topic["holds"]) == ("topic", "@kim", True)
    assert [(part["query"], part["holds"]) for part in topic["children"][0]["children"]] == [
        ('"kim jong un"', False),
        ("김정은", True),
    ]
    assert (denied["kind"], denied["holds"]) == ("not", True)


def test_explain_as_json_is_one_object(explain, tmp_path):
    assert json.loads(explain("korea -film", "--json").stdout) == {
        "canonical": "korea NOT film",
        "notes": [],
        "tree": {
            "kind": "and",
            "query": "korea NOT film",
            "children": [
                {"kind": "word", "query": "korea"},
                {"kind": "not", "query": "NOT film", "children": [{"kind": "word", "query": "film"}]},
            ],
        },
        "spans": [],
    }
    file = tmp_path / "article.txt"
    file.write_text("Rain over Korea’s coast", encoding="utf-8")
    found = json.loads(explain("korea", "--article", file, "--json").stdout)
    assert (found["matches"], found["strength"]) == (True, "title")
    assert found["spans"] == [{"field": "title", "start": 10, "end": 15, "part": "korea", "alias": "Korea"}]
    missed = json.loads(explain("film", "--article", file, "--json").stdout)
    assert (missed["matches"], missed["strength"], missed["spans"]) == (False, None, [])


def test_explain_shows_only_the_surroundings_in_a_long_article(explain, tmp_path):
    file = tmp_path / "article.txt"
    file.write_text("title\n" + "filler " * 1_000 + "korea " + "filler " * 1_000 + "korea", encoding="utf-8")
    result = explain("korea", "--article", file)
    (body,) = [line for line in result.stdout.splitlines() if line.startswith("body: ")]
    assert body.startswith("body: … filler ")
    assert body.count("korea") == 2
    assert len(body) < 500


def test_explain_notes_an_operator_in_lower_case(explain):
    assert 'note: "or" is looked for as a word; the operator is written OR' in explain("korea or japan").stdout
    assert json.loads(explain("korea not japan", "--json").stdout)["notes"] == [
        '"not" is looked for as a word; the operator is written NOT'
    ]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("korea OR it", ["it"]),
        ("korea | (the | of)", ["the", "of"]),
        ("ANY/2 (it, korea, the)", ["it", "the"]),
        ("korea OR it NEAR/5 (that | film)", ["it", "that"]),
        ("korea (it | the)", []),
        ("korea OR it film", []),
        ("korea -it", []),
        ("ANY/2 (it, korea, film)", []),
        ("korea OR IT", []),
    ],
)
def test_explain_notes_a_branch_that_is_true_of_nearly_everything(explain, query, words):
    notes = json.loads(explain(query, "--json").stdout)["notes"]
    assert [note.partition(" alone makes it match")[0] for note in notes] == words
