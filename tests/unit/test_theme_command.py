"""`tocsin theme` and `tocsin render --theme`: what an operator types."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from worker.cli import app
from worker.errors import InputError
from worker.rendering import samples


@pytest.fixture
def run(monkeypatch):
    monkeypatch.delenv("TOCSIN_THEME", raising=False)
    return lambda *words: CliRunner().invoke(app, [*map(str, words)])


def test_a_new_theme_is_written_is_fine_and_changes_mails(run, tmp_path):
    folder = tmp_path / "theme"
    made = run("theme", "new", folder)
    assert made.exit_code == 0
    assert str(folder / "mail/layout.html.j2") in made.stdout.split()
    checked = run("theme", "check", folder)
    assert (checked.exit_code, checked.stdout) == (0, "")
    assert checked.stderr.startswith("OK: 6 files")
    assert run("render", "alert", "--theme", folder, "--out", tmp_path / "mails").exit_code == 0
    assert "Why this came to you" in (tmp_path / "mails" / "alert.html").read_text()


def test_a_folder_with_something_in_it_is_left_alone(run, tmp_path):
    (tmp_path / "file").touch()
    result = run("theme", "new", tmp_path)
    assert isinstance(result.exception, InputError)
    assert str(result.exception) == f"{tmp_path}: there is something already (name a new folder)"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_faults_are_a_table_or_lines_and_the_status_is_2(run, tmp_path):
    (tmp_path / "mail/alert").mkdir(parents=True)
    (tmp_path / "mail/alert/subject.txt.j2").write_text("\n{{ view.card.titel }}")
    (tmp_path / "mail/alert/htm.j2").write_text("x")
    table = run("theme", "check", tmp_path)
    assert table.exit_code == 2
    assert "view.card has no 'titel'" in table.stdout
    lines = run("theme", "check", tmp_path, "--json")
    assert [json.loads(line) for line in lines.stdout.splitlines()] == [
        {
            "file": "mail/alert/htm.j2",
            "line": None,
            "stops": False,
            "problem": "note: nothing uses this file",
            "what_to_write": "did you mean mail/alert/html.j2?",
        },
        {
            "file": "mail/alert/subject.txt.j2",
            "line": 2,
            "stops": True,
            "problem": "view.card has no 'titel'",
            "what_to_write": "did you mean 'title'?",
        },
    ]


def test_the_theme_of_the_settings_is_meant_where_none_is_named(run, tmp_path, monkeypatch):
    assert "no theme is set" in str(run("theme", "check").exception)
    (tmp_path / "mail/alert").mkdir(parents=True)
    (tmp_path / "mail/alert/subject.txt.j2").write_text("Hello from the theme")
    monkeypatch.setenv("TOCSIN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TOCSIN_THEME", str(tmp_path))
    assert run("theme", "check").exit_code == 0
    assert run("render", "alert", "--out", tmp_path / "out").exit_code == 0
    assert b"Subject: Hello from the theme\r\n" in (tmp_path / "out" / "alert.eml").read_bytes()


def test_every_kind_is_written_at_once(run, tmp_path):
    result = run("render", "all", "--locale", "ko", "--out", tmp_path)
    assert len(result.stdout.split()) == len(list(tmp_path.iterdir())) == 3 * len(samples.KINDS)
