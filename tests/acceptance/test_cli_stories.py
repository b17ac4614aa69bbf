"""`tocsin stories`: a file of articles in, a line with each one's story out, and a bad line refused by name."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

FERRY = {"id": "a", "title": "Ferry sinks", "summary": "A ferry with 140 people sank in rough seas off Sulawesi."}
AGAIN = {"id": 7, "title": "At sea", "summary": "Off Sulawesi, in rough seas, a ferry with 140 people sank on Friday."}
OTHER = {"id": "b", "title": "Ferry strike", "summary": "Greek seamen will stay in port for 48 hours from Tuesday."}


def run(lines, *, where="-"):
    return subprocess.run(
        [sys.executable, "-m", "worker", "stories", "--articles", where],
        input="\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines),
        capture_output=True,
        text=True,
        check=False,
    )


def test_each_article_has_a_line_with_its_story_and_ids_keep_their_type():
    done = run([FERRY, OTHER, AGAIN])
    assert (done.returncode, done.stderr) == (0, "")
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"article": "a", "story": "a"},
        {"article": "b", "story": "b"},
        {"article": 7, "story": "a"},
    ]


def test_articles_more_than_three_days_apart_are_two_stories():
    done = run([{**FERRY, "published_at": "2026-11-20T07:00:00Z"}, {**AGAIN, "published_at": "2026-11-23T07:00:01Z"}])
    assert json.loads(done.stdout.splitlines()[1])["story"] == 7


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "standard input, line 2: this line is no JSON"),
        ("[]", "standard input, line 2: this line is no JSON object"),
        ({"title": "No id"}, "standard input, line 2: the id is missing"),
        ({"id": 1, "title": 5}, "standard input, line 2, title: title is no text"),
        ({"id": 1, "published_at": "soon"}, "standard input, line 2, published_at: 'soon' is no time"),
        ({"id": 1, "published_at": 5}, "standard input, line 2, published_at: 5 is no time"),
    ],
)
def test_a_bad_line_is_refused_with_its_number_and_field(line, told):
    done = run([FERRY, line])
    assert done.returncode == 2
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_file_that_is_not_there_is_refused(tmp_path):
    done = run([], where=str(tmp_path / "none.jsonl"))
    assert done.returncode == 2
    assert "none.jsonl" in done.stderr
