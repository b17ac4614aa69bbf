"""How commands print rows: data as it is, whatever signs it has."""

from __future__ import annotations

import json

from worker.cli.house import print_rows

ROWS = [{"id": 1, "title": "[b]Markets[/b] [/red] fall"}]


def test_brackets_in_a_headline_are_no_markup(capsys):
    print_rows(ROWS, as_json=False, columns=("id", "title"))
    assert "[b]Markets[/b] [/red] fall" in capsys.readouterr().out


def test_json_lines_have_the_same(capsys):
    print_rows(ROWS, as_json=True, columns=("id",))
    assert json.loads(capsys.readouterr().out) == ROWS[0]
