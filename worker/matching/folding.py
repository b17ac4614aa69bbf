"""One spelling for what readers take for the same word: NFKC, case and marks, with a way back to the original text.

Decides nothing about where words begin or end; that is `analyser`. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from worker.matching.characters import IGNORED, REMOVED_MARK

_MAX_CACHED = 64  # characters: words are shorter, and a cache must not keep a megabyte of nonsense
_MAX_PIECE = 32  # a base and its marks; Unicode's stream-safe format allows 30 marks

_SAME_LENGTH: Final = {
    **{chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)},  # full-width forms
    **dict.fromkeys("\u00a0\u2007\u2009\u200a\u202f\u3000", " "),
    **dict.fromkeys("’ʼ", "'"),
    "\u2011": "-",
    "…": " ",
}
"""What is common in news and becomes one character: done first, so that most texts need no map of offsets."""

_REPLACEABLE = re.compile(f"[{''.join(_SAME_LENGTH)}]")
_IGNORABLE = re.compile(f"[{IGNORED}]")
_REMOVABLE = re.compile(f"[{REMOVED_MARK}]+")
_RUN = re.compile(r"[\x00-\x7f]?[^\x00-\x7f]+")  # an ASCII letter may carry the mark that follows it


class Normalised(NamedTuple):
    """A text in NFKC, its case and marks still there, and where each of its characters came from.

    `starts` and `ends` hold, for each character, the offsets in the original text that it stands for; `None` when every
    character stands for the one at its own offset.
    """

    text: str
    starts: Sequence[int] | None = None
    ends: Sequence[int] | None = None


def normalise(text: str) -> Normalised:
    """Bring a text of any length to NFKC without what is never seen, in linear time.

    >>> normalise("ＵＳ’s").text
    "US's"
    >>> normalise("ﬁne \u00bd").text, normalise("ﬁne \u00bd").starts
    ('fine  1⁄2 ', [0, 0, 1, 2, 3, 4, 4, 4, 4, 4])
    """
    if text.isascii():
        return Normalised(text)
    replaced = _REPLACEABLE.sub(_replacement, text)
    if _settled(replaced):
        return Normalised(replaced)
    return _mapped(replaced)


@lru_cache(maxsize=65536)
def _cached_fold(word: str) -> str:
    return "".join(map(_fold_character, word))


def fold(word: str) -> str:
    """Return the key under which a word is looked up. Folding a key again changes nothing.

    >>> fold("Élysée"), fold("STRASSE") == fold("Straße"), fold("İzmir"), fold("Łódź"), fold("が")
    ('elysee', True, 'izmir', 'łodz', 'が')
    """
    if word.isascii():
        return word.lower()
    return _cached_fold(word) if len(word) <= _MAX_CACHED else "".join(map(_fold_character, word))


def fold_all(characters: str) -> str:
    """Fold one character, or many with a control character between each two, which stays.

    A key is its characters' folds in a row, so that a table says all: the compiled engine reads articles with one.
    """
    decomposed = unicodedata.normalize("NFKD", characters.casefold())
    bare = unicodedata.normalize("NFKC", _REMOVABLE.sub("", decomposed))
    return bare.casefold().lower()  # casefold alone gives Cherokee capitals, which would read as an acronym


@lru_cache(maxsize=65536)
def _fold_character(character: str) -> str:
    return fold_all(character)


def _replacement(match: re.Match[str]) -> str:
    return _SAME_LENGTH[match[0]]


def _settled(text: str) -> bool:
    return unicodedata.is_normalized("NFKC", text) and not _IGNORABLE.search(text)


def _mapped(text: str) -> Normalised:
    parts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    done = 0
    for run in _RUN.finditer(text):
        if _settled(run[0]):
            continue
        parts.append(text[done : run.start()])
        starts.extend(range(done, run.start()))
        ends.extend(range(done + 1, run.start() + 1))
        for piece, start, end in _pieces(run[0], run.start()):
            expanded = _expand(piece)
            parts.append(expanded)
            starts.extend([start] * len(expanded))
            ends.extend([end] * len(expanded))
        done = run.end()
    parts.append(text[done:])
    starts.extend(range(done, len(text)))
    ends.extend(range(done + 1, len(text) + 1))
    return Normalised("".join(parts), starts, ends)


def _pieces(run: str, offset: int) -> Iterator[tuple[str, int, int]]:
    """Cut a run into the shortest pieces that can be normalised apart, with their offsets, without ignorables."""
    piece, start, end = "", offset, offset
    for at, character in enumerate(run, offset):
        if _IGNORABLE.match(character):
            continue
        if piece and not _joins(piece, character):
            yield piece, start, end
            piece = ""
        if not piece:
            start = at
        piece, end = piece + character, at + 1
    if piece:
        yield piece, start, end


def _joins(piece: str, character: str) -> bool:
    """Tell whether a character may change what comes before it: a mark, a jamo, half of a vowel sign."""
    if len(piece) >= _MAX_PIECE or "\u3400" <= character <= "\u9fff" or "\uac00" <= character <= "\ud7a3":
        return False
    apart = unicodedata.normalize("NFKC", character)
    if unicodedata.combining(unicodedata.normalize("NFD", apart)[0]):
        return True
    together = unicodedata.normalize("NFKC", piece + character)
    return together != unicodedata.normalize("NFKC", piece) + apart


@lru_cache(maxsize=4096)
def _expand(piece: str) -> str:
    """Normalise one piece. A symbol such as ™ or ½ becomes words of its own, not a part of its neighbours."""
    expanded = _IGNORABLE.sub("", unicodedata.normalize("NFKC", piece)).replace("ʼ", "'")
    is_symbol = unicodedata.category(piece[0])[0] == "S" or "\u2044" in expanded
    return f" {expanded} " if is_symbol else expanded
