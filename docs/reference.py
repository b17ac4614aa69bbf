"""Writes docs/cli.md, docs/settings.md and docs/theme-names.md from the program itself: `make docs`.

A test compares them with what this program would write, so that no command, no variable and no name that a template may
use goes undocumented.
"""

from __future__ import annotations

import re
import types
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from worker.cli import app
from worker.rendering import theme_names
from worker.rendering.theme_files import EMBED_SCRIPT, plain_theme
from worker.resources import templates_dir
from worker.settings import Settings, variable

DOCS = Path(__file__).parent
_GIVEN = ("newsroom", "language", "palette", "hole", "fragment")
_PLAIN: dict[Any, str] = {str: "text", int: "number", bool: "yes or no", tuple: "several"}
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


NAMES_BEGIN = """\
What stands in an operator's own templates ([themes.md](themes.md)): every file that can be replaced, and every name
that a mail's template may use. A name that is not here stops the start. All text is plain and is escaped in HTML by
itself; texts may be empty unless they say otherwise."""


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


def template_names() -> str:
    """Return all templates, and what those of mails may name, with types as people read them."""
    own = theme_names.context_of("mail/layout.html.j2")
    rows = ["| name | is | in |", "|---|---|---|", *(f"| `{name}` | {_kind(own[name])} | all |" for name in _GIVEN)]
    rows += [f"| `view` | {_kind(hint)} | `{folder}/` |" for folder, hint in theme_names.views().items()]
    rows += [f"| `{name}` | {_kind(hint)} | fragments |" for name, hint in theme_names.FRAGMENT.items()]
    rows += ["| `subject` | text | `html.j2` and what it needs |"]
    types = sorted(_types(theme_names.flat(hint) for hint in [*own.values(), *theme_names.views().values()]))
    parts = [f"### {name}\n\n{words}\n\n" + "\n".join(lines) for name, words, lines in types]
    names = sorted({*plain_theme().originals, EMBED_SCRIPT, *_static()})
    files = "\n".join(f"- `{name}`" for name in names)
    head = ["# What templates may name", GENERATED, NAMES_BEGIN, "## Names in mails", "\n".join(rows)]
    return "\n\n".join([*head, "## What each has", *parts, "## Files", files]) + "\n"


def _types(found: Iterable[list[Any]]) -> Iterator[tuple[str, str, list[str]]]:
    waiting, seen = [one for hints in found for one in hints], set()
    while waiting:
        one = waiting.pop()
        if one in seen or not theme_names.is_shown(one):
            continue
        seen.add(one)
        fields = theme_names.fields(one)
        waiting += [inner for hint in fields.values() if hint is not None for inner in theme_names.flat(hint)]
        rows = ["| | |", "|---|---|", *(f"| `{name}` | {_kind(hint)} |" for name, hint in fields.items())]
        yield one.__name__, _prose(_words(one)), rows


def _words(one: type) -> str:
    doc = one.__doc__ or ""
    return "" if doc.startswith(f"{one.__name__}(") else doc


def _kind(hint: Any) -> str:  # noqa: ANN401  any type there is
    """Return a type in words.

    >>> _kind(tuple[str, ...]), _kind(tuple[str, int]), _kind(int | None)
    ('texts', 'text, number', 'number, or none')
    """
    inner = getattr(hint, "__args__", ())
    if hint is None:
        return "see themes.md"
    if isinstance(hint, types.UnionType):
        words = [_kind(one) for one in inner if one is not type(None)]
        return " or ".join(words) + (", or none" if type(None) in inner else "")
    if inner and inner[-1] is Ellipsis:
        return f"{_kind(inner[0])}s" if inner[0] in _PLAIN else f"several: {_kind(inner[0])}"
    if inner:
        return ", ".join(map(_kind, inner))
    return _PLAIN.get(hint) or str(hint.__name__)


def _static() -> list[str]:
    folder = templates_dir()
    return [file.relative_to(folder).as_posix() for file in (folder / "pages" / "static").rglob("*") if file.is_file()]


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
    (DOCS / "theme-names.md").write_text(template_names(), encoding="utf-8")
    (DOCS / "settings.md").write_text(settings(), encoding="utf-8")
