"""What an editor wants to see of a mail at a glance: its line in an inbox, its links, and its face by day or by night.

Reads the finished HTML, as mail programs do. Pure. `preview_pages` shows it.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Final, NamedTuple
from urllib.parse import quote

_SHOWN_CHARS: Final = 140  # about as much as any inbox shows after a subject
_DARK: Final = re.compile(r"\(\s*prefers-color-scheme\s*:\s*dark\s*\)", re.IGNORECASE)
_LIGHT: Final = re.compile(r"\(\s*prefers-color-scheme\s*:\s*light\s*\)", re.IGNORECASE)
_SCHEMES: Final = re.compile(
    r"""(<meta\s+name=["'](?:supported-)?color-schemes?["']\s+content=["'])[^"']*(["'])|(\bcolor-scheme\s*:)[^;}"]*""",
    re.IGNORECASE,
)
_SAMPLE_PICTURE: Final = re.compile(r"https://img\.courier\.example/[\w./%-]+")
_DRAWING: Final = "data:image/svg+xml," + quote(
    '<svg xmlns="http://www.w3.org/2000/svg" width="1600" height="900" viewBox="0 0 16 9" preserveAspectRatio='
    '"xMidYMid slice"><path fill="#b9c4cc" d="M0 0h16v9H0z"/><circle cx="12" cy="2.4" r="1" fill="#efe9dc"/>'
    '<path fill="#8796a1" d="M0 7l4-3 3 2 4-3.4L16 7v2H0z"/><path fill="#5f6e79" d="M0 8l5-1.6 4 1 7-1.2V9H0z"/></svg>'
)
_ALWAYS, _NEVER = "(min-width: 0px)", "(min-width: 999999px)"
_APART: Final = frozenset({"p", "div", "td", "tr", "h1", "h2", "h3", "br"})
_UNSEEN: Final = frozenset({"head", "style", "title", "script"})


class Link(NamedTuple):
    """A link, and the words on it; those of a picture are its alt text."""

    words: str
    url: str


class Read(NamedTuple):
    """What was found in a mail's HTML. `preheader` is the text that an inbox shows after the subject."""

    preheader: str
    links: tuple[Link, ...]


def read_html(html: str) -> Read:
    """Read a mail's HTML; each link is told once.

    >>> read_html('<body><div>First words.</div><a href="https://a.example/">A  link</a></body>')
    Read(preheader='First words. A link', links=(Link(words='A link', url='https://a.example/'),))
    """
    reader = _Reader()
    reader.feed(html)
    reader.close()
    text = " ".join("".join(reader.text).split())
    return Read(text[:_SHOWN_CHARS], tuple(dict.fromkeys(reader.links)))


def lit(html: str, *, dark: bool) -> str:
    """Return a mail's HTML as it looks by night or by day, whatever the editor's own screen is set to.

    >>> lit("@media (prefers-color-scheme:dark) { a { color: #fff } }", dark=True)
    '@media (min-width: 0px) { a { color: #fff } }'
    """
    html = _DARK.sub(_ALWAYS if dark else _NEVER, html)
    html = _LIGHT.sub(_NEVER if dark else _ALWAYS, html)
    scheme = "dark" if dark else "light"
    return _SCHEMES.sub(lambda found: f"{found[1] or found[3]}{scheme}{found[2] or ''}", html)


def illustrated(html: str) -> str:
    """Return a sample's HTML with a drawing in place of its pictures, which are nowhere to be found.

    >>> illustrated('<img src="https://img.courier.example/a.jpg">')[:35]
    '<img src="data:image/svg+xml,%3Csvg'
    """
    return _SAMPLE_PICTURE.sub(_DRAWING, html)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.links: list[Link] = []
        self._url: str | None = None
        self._words: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._unseen += tag in _UNSEEN
        if tag == "a" and given.get("href"):
            self._url, self._words = given["href"], []
        elif tag == "img":
            self._words.append(given.get("alt") or "")
        if tag in _APART:
            self.text.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in _UNSEEN and self._unseen > 0
        if tag == "a" and self._url:
            self.links.append(Link(" ".join("".join(self._words).split()), self._url))
            self._url = None
        if tag in _APART:
            self.text.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.text.append(data)
            self._words.append(data)
