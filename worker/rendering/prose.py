"""Text from feeds made fit to print: cleaned, shortened, highlighted, and wrapped for the text part.

Decides about strings only; knows no template, no language and no escaping (Jinja's autoescape does that). Pure.
`view` calls it, and the templates' `wrap` filter is here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from worker.characters import boundary, visible

TEXT_COLUMNS = 72
SNIPPET_CHARS = 300
MAX_URL_CHARS = 2_000  # browsers take more, but some proxies do not, and each stands twice in a mail


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """A stretch of a snippet; `hit` where it is one of the words that made the article match."""

    text: str
    hit: bool = False


def one_line(text: str) -> str:
    r"""Make one clean line: no control characters, direction overrides or others that nobody sees; single spaces.

    >>> one_line("Seoul\r\nBcc: all@example.com\x00  wakes")
    'Seoul Bcc: all@example.com wakes'
    """
    return " ".join(visible(text).split())


def fit_lines(text: str) -> str:
    r"""Make clean lines: each as `one_line` leaves it, but with its spaces, of which a tab is four.

    >>> fit_lines("- one\r\n\t- two\x00")
    '- one\n    - two '
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(visible(line.replace("\t", "    ")) for line in lines)


def shorten(text: str, limit_chars: int) -> str:
    """Cut a text at a word's end, so that it has at most `limit_chars` code points with its ellipsis.

    >>> shorten("Seoul summons the envoy", 14)
    'Seoul summons…'
    """
    if len(text) <= limit_chars:
        return text
    head, _, _ = text[:limit_chars].rpartition(" ")
    # Without spaces (Japanese, or one endless word) a cut at a word's end would throw nearly everything away.
    kept = head if len(head) > limit_chars // 2 else text[: boundary(text, limit_chars - 1)]
    return kept.rstrip(" ,;:–—-") + "…"


def snippet(text: str, highlights: Iterable[tuple[int, int]], limit_chars: int = SNIPPET_CHARS) -> tuple[Run, ...]:
    """Cut a summary around its first highlight and split it into plain and highlighted runs.

    >>> snippet("Troops from N. Korea.", [(12, 20)])
    (Run(text='Troops from ', hit=False), Run(text='N. Korea', hit=True), Run(text='.', hit=False))
    """
    spans = _merged(highlights, len(text))
    start, end = _window(text, spans, limit_chars)
    runs = [Run(text="… ")] if start else []
    at = start
    for left, right in ((max(left, start), min(right, end)) for left, right in spans):
        if left < right:
            runs += (Run(text=text[at:left]), Run(text=text[left:right], hit=True))
            at = right
    runs.append(Run(text=text[at:end].rstrip() + "…" if end < len(text) else text[at:end]))
    cleaned = (Run(text=_spaced(run.text), hit=run.hit) for run in runs)
    return tuple(run for run in cleaned if run.text)


def _merged(spans: Iterable[tuple[int, int]], length: int) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted((max(0, start), min(end, length)) for start, end in spans):
        if start >= end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _window(text: str, spans: Sequence[tuple[int, int]], limit_chars: int) -> tuple[int, int]:
    """Choose the stretch to show: the beginning, unless the first highlight lies too far behind it."""
    if len(text) <= limit_chars:
        return 0, len(text)
    start = 0
    if spans and spans[0][1] > limit_chars:
        start = _word_start(text, max(0, spans[0][0] - limit_chars // 3))
    end = start + limit_chars
    return start, _word_end(text, end) if end < len(text) else len(text)


def _word_start(text: str, at: int) -> int:
    space = text.find(" ", at, at + 40)
    return boundary(text, at) if space < 0 else space + 1


def _word_end(text: str, at: int) -> int:
    space = text.rfind(" ", at - 40, at)
    return boundary(text, at) if space < 0 else space


def _spaced(text: str) -> str:
    """Clean a run, keeping one space at an end where it had any: its neighbour depends on it."""
    if not (line := one_line(text)):
        return " " if text else ""
    return (" " if text[0].isspace() else "") + line + (" " if text[-1].isspace() else "")


def web_address(url: str) -> str:
    """Return the address if a mail may link to it, else "": a feed must not make us print `javascript:`, nor a book.

    >>> web_address("https://courier.example/a b"), web_address("javascript:alert(1)")
    ('https://courier.example/a%20b', '')
    """
    cleaned = visible(url).strip()
    try:
        parts = urlsplit(cleaned)
    except ValueError:
        return ""
    if parts.scheme.lower() not in {"http", "https"} or not parts.netloc:
        return ""
    url = re.sub(r"""[\s"<>\\^`{|}]""", lambda char: "".join(f"%{byte:02X}" for byte in char[0].encode()), cleaned)
    return url if len(url) <= MAX_URL_CHARS else ""


def columns(text: str) -> int:
    """Return how many columns a text takes in a fixed-width face: a Korean syllable takes two.

    >>> columns("ab"), columns("북한")
    (2, 4)
    """
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else not unicodedata.combining(char) for char in text)


def wrap(text: str, indent: str = "", width: int = TEXT_COLUMNS) -> str:
    """Wrap a paragraph at `width` columns between words; a longer word, such as an address, keeps a line of its own.

    >>> print(wrap("one two three", indent="  ", width=9))
      one two
      three
    """
    lines: list[str] = []
    used = width
    for word in text.split():
        wide = columns(word)
        if used + 1 + wide <= width:
            lines[-1] += f" {word}"
            used += 1 + wide
        else:
            lines.append(indent + word)
            used = len(indent) + wide
    return "\n".join(lines)


def tidy(text: str) -> str:
    r"""Finish a rendered text part: no trailing blanks, never two empty lines in a row, one line end at the end.

    >>> tidy("\n\nA  \n\n\n\nB\n\n")
    'A\n\nB\n'
    """
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n") + "\n"
