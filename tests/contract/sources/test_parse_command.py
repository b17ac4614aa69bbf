"""`tocsin sources parse`: what intake makes of a feed's bytes."""

from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from tests.contract.sources.samples import DATA, URL, expected
from worker.cli.parse import parse
from worker.errors import FeedError, InputError

FIELDS = ["guid", "url", "title", "summary", "body", "author", "published_at", "updated_at", "lang", "tags"]


def run(*arguments: str, stdin: bytes = b""):
    app = typer.Typer()
    app.command()(parse)
    return CliRunner().invoke(app, list(arguments), input=stdin)


def test_json_lines_have_the_contracts_fields_in_its_order():
    result = run(str(DATA / "atom10.xml"), "--url", URL, "--json")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [list(line) for line in lines] == [FIELDS, FIELDS]
    for line, told in zip(lines, expected("atom10.xml"), strict=True):
        assert {name: line[name] for name in FIELDS if name in told} == {n: told[n] for n in FIELDS if n in told}
    assert lines[0]["published_at"] == "2026-11-23T04:12:30.500000Z"
    assert lines[1]["published_at"] is None


def test_people_get_a_table():
    result = run(str(DATA / "rss10.rdf"))
    assert result.exit_code == 0
    assert "2026-11-20 12:05" in result.stdout
    assert "1 article in" in result.stdout


def test_standard_input_will_do():
    result = run("-", "--json", stdin=(DATA / "json_feed_10.json").read_bytes())
    assert json.loads(result.stdout)["title"] == "One"


def test_a_file_that_is_no_feed_is_refused_in_one_line(tmp_path):
    page = tmp_path / "page.xml"
    page.write_bytes(b"<!doctype html><html><body>Hello</body></html>")
    result = run(str(page), "--json")
    assert isinstance(result.exception, FeedError)
    assert str(result.exception) == (
        f"{page}: no feed: this looks like an HTML page (give the address of the feed itself)"
    )
    assert result.stdout == ""


@pytest.mark.parametrize("name", ["missing.xml", "."])
def test_a_file_that_cannot_be_read_is_refused_by_name(tmp_path, name):
    result = run(str(tmp_path / name))
    assert isinstance(result.exception, InputError)
    assert str(tmp_path) in str(result.exception)
