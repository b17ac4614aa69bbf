"""Prints an article's versions: when each came and why, and what it changed, word by word. Decides nothing."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.text import Text

from worker.cli.house import stamp
from worker.errors import printable

if TYPE_CHECKING:
    from worker.intake.histories import Changed
    from worker.intake.word_diff import Piece

_STYLES: Final = {"kept": "", "gone": "red strike", "new": "green"}
_MARKS: Final = {"kept": ("", ""), "gone": ("[-", "-]"), "new": ("{+", "+}")}  # as `git diff --word-diff` has them


def print_versions(versions: Sequence[Changed], texts: Sequence[Mapping[str, Sequence[Piece]]]) -> None:
    """Print versions, the oldest first, and how their texts changed: coloured for a terminal, marked elsewhere."""
    is_seen = sys.stdout.isatty()
    console = Console(soft_wrap=True, highlight=False)
    for one, changed in zip(versions, texts, strict=True):
        weight = {True: "material", False: "a touch-up", None: ""}[one.material] if one.changed else ""
        head = " · ".join(part for part in (f"revision {one.revision}", stamp(one.recorded_at), weight) if part)
        console.print(Text(head, style="bold"))
        console.print(Text(f"  {printable(one.reason)}"))
        for name, pieces in changed.items():
            console.print(Text(f"  {name}: ").append_text(_shown(pieces, is_coloured=is_seen)))


def _shown(pieces: Sequence[Piece], *, is_coloured: bool) -> Text:
    from worker.intake.word_diff import shortened

    text = Text()
    for piece in shortened(pieces):
        before, after = ("", "") if is_coloured else _MARKS[piece.fate]
        style = _STYLES[piece.fate] if is_coloured else ""
        words = _in_a_line(piece.text)
        text.append(f"{before}{words}{after}", style=style)
    return text


def _in_a_line(text: str) -> str:
    """Return a stranger's words without line breaks and what a terminal would obey; spaces at their ends stay."""
    lead = " " if text[:1].isspace() else ""
    tail = " " if text[-1:].isspace() and text.strip() else ""
    return lead + printable(text).strip() + tail
