"""Writes docs/cli.md and docs/settings.md from the commands and the settings themselves: `make docs`.

A test compares both with what this program would write, so that no command and no variable goes undocumented.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from worker.cli import app
from worker.settings import Settings, variable

DOCS = Path(__file__).parent
GENERATED = "<!-- Written by `make docs`: change the program's own words instead. -->"

CLI_BEGINS = """\
Data goes to standard output, as JSON lines with `--json`; progress and messages go to standard error. The exit status
is 0 when done, 1 when it failed, and 2 for wrong usage, input or settings, with one line that says what to write
instead. `tocsin --home DIR ...` says where the embedded mode keeps everything, as `TOCSIN_HOME` does;
[settings.md](settings.md) has all other variables."""

SETTINGS_BEGIN = """\
Every setting is an environment variable. Wrong values end any command with exit status 2, all problems named at once;
`tocsin config` prints what is in force, secrets redacted, and points out `TOCSIN_*` variables that are none. Names that
end in `_S` are seconds."""


def command_line() -> str:
    """Return the reference of all commands, in the groups of `tocsin --help`."""
    root = typer.main.get_command(app)
    if not isinstance(root, TyperGroup):
        raise TypeError("tocsin has more than one command")
    panels: dict[str, list[str]] = {}
    for name, command in _commands(root):
        context = typer.Context(command, info_name=name, parent=typer.Context(root, info_name="tocsin"))
        panels.setdefault(command.rich_help_panel, []).extend(_section(command, context))
    parts = [f"## {panel}\n\n" + "\n\n".join(lines) for panel, lines in panels.items()]
    return "\n\n".join(["# The command line", GENERATED, CLI_BEGINS, *parts]) + "\n"


def settings() -> str:
    """Return the table of all `TOCSIN_*` variables."""
    rows = ["| variable | default | says |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        secret = " Secret." if "SecretStr" in str(field.annotation) else ""
        rows.append(f"| `{variable(name)}` | {_default(field.default)} | {_cell(field.description or '')}.{secret} |")
    return "\n\n".join(["# Settings", GENERATED, SETTINGS_BEGIN, "\n".join(rows)]) + "\n"


def _commands(group: TyperGroup) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if not command.hidden:
            yield name, command


def _section(command: Any, context: typer.Context) -> list[str]:  # noqa: ANN401  typer's base class is private
    lines = [f"### {context.command_path}", _prose(command.help or "")]
    if isinstance(command, TyperGroup):
        for name, part in _commands(command):
            lines += _section(part, typer.Context(part, info_name=name, parent=context))
        return lines
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    lines.append(f"```console\n$ {usage}\n```")
    records = [one.get_help_record(context) for one in command.params if one.name != "help"]
    rows = [f"| `{_cell(names)}` | {_cell(words)} |" for names, words in filter(None, records)]
    return [*lines, "\n".join(["| | |", "|---|---|", *rows])] if rows else lines


def _prose(text: str) -> str:
    r"""Return help as Markdown: unwrapped, since typer rewraps it as well.

    >>> _prose("One line\ngoes on.\n\nAnother.")
    'One line goes on.\n\nAnother.'
    """
    return "\n\n".join(" ".join(part.split()) for part in text.replace("\b", "").split("\n\n"))


def _cell(text: str) -> str:
    r"""Return text that does not end its table cell.

    >>> _cell("a|b  [required]")
    'a\\|b [required]'
    """
    return re.sub(r"\s+", " ", text).strip().replace("|", "\\|")


def _default(value: object) -> str:
    if value is None or value == "":
        return ""
    return f"`{value:g}`" if isinstance(value, float) else f"`{_cell(str(value))}`"


if __name__ == "__main__":
    (DOCS / "cli.md").write_text(command_line(), encoding="utf-8")
    (DOCS / "settings.md").write_text(settings(), encoding="utf-8")
