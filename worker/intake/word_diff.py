"""What changed from one version of a text to the next, word by word, and of long unchanged stretches only the ends.

Pure. The command line colours it; an article's versions are compared by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Final

_TOKENS: Final = re.compile(r"\s+|[^\W_]+|[\W_]")
_WORDS_COMPARED: Final = (
    3_000  # of a paragraph's two versions together; beyond it, the old one goes and the new one comes
)
_CONTEXT_CHARS: Final = 60
_LEFT_OUT: Final = " […] "


class Fate(StrEnum):
    """What became of a piece of text."""

    KEPT = "kept"
    GONE = "gone"
    NEW = "new"


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """A stretch of text; never empty."""

    fate: Fate
    text: str


def word_diff(old: str, new: str) -> list[Piece]:
    """Return what was kept, went and came, in reading order.

    Texts are compared by paragraphs, and changed paragraphs by words: pieces of one fate joined are the old or the new
    text again.

    >>> [(piece.fate.value, piece.text) for piece in word_diff("12 dead in fire", "19 dead in fire")]
    [('gone', '12'), ('new', '19'), ('kept', ' dead in fire')]
    """
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    found: list[Piece] = []
    for tag, start, end, to_start, to_end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        one, other = "".join(before[start:end]), "".join(after[to_start:to_end])
        found += [Piece(fate=Fate.KEPT, text=one)] if tag == "equal" else _changed(one, other)
    return list(_joined(found))


def shortened(pieces: Sequence[Piece]) -> list[Piece]:
    """Leave out the middles of what was kept: a terminal shows what changed, and where.

    >>> long = Piece(fate=Fate.KEPT, text="word " * 100)
    >>> [len(piece.text) for piece in shortened([Piece(fate=Fate.NEW, text="A "), long])]
    [2, 65]
    """
    short = []
    for number, piece in enumerate(pieces):
        text = piece.text
        is_first, is_last = number == 0, number == len(pieces) - 1
        if piece.fate is Fate.KEPT and len(text) > 2 * _CONTEXT_CHARS + len(_LEFT_OUT):
            head = "" if is_first else text[:_CONTEXT_CHARS]
            tail = "" if is_last else text[-_CONTEXT_CHARS:]
            text = head + _LEFT_OUT + tail
        short.append(Piece(fate=piece.fate, text=text))
    return short


def _changed(one: str, other: str) -> Iterator[Piece]:
    before, after = _TOKENS.findall(one), _TOKENS.findall(other)
    if len(before) + len(after) > _WORDS_COMPARED:
        yield from _replaced(one, other)
        return
    for tag, start, end, to_start, to_end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        old, new = "".join(before[start:end]), "".join(after[to_start:to_end])
        if tag == "equal":
            yield Piece(fate=Fate.KEPT, text=old)
        else:
            yield from _replaced(old, new)


def _replaced(old: str, new: str) -> Iterator[Piece]:
    if old:
        yield Piece(fate=Fate.GONE, text=old)
    if new:
        yield Piece(fate=Fate.NEW, text=new)


def _joined(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Join neighbours of one fate, and replaced words with the space between them."""
    kept = gone = new = ""
    for piece, following in zip(pieces, [*pieces[1:], None], strict=False):
        is_between = gone and new and piece.text.isspace() and following is not None and following.fate is not Fate.KEPT
        if piece.fate is Fate.KEPT and not is_between:
            yield from _replaced(gone, new)
            gone, new, kept = "", "", kept + piece.text
            continue
        if kept:
            yield Piece(fate=Fate.KEPT, text=kept)
            kept = ""
        gone += piece.text if piece.fate is not Fate.NEW else ""
        new += piece.text if piece.fate is not Fate.GONE else ""
    yield from _replaced(gone, new)
    if kept:
        yield Piece(fate=Fate.KEPT, text=kept)
