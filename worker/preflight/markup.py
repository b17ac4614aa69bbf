"""Reads a mail's HTML into what checks ask for: links with their words, pictures, tables, styles, headings. Pure.

Never fails, whatever it is given, and follows nothing: markup of operators' own templates may be anything. Called by
`mail`; needs no tree, so that it reads a hundred kilobytes in some milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import MappingProxyType
from typing import Final

_UNSEEN: Final = frozenset({"style", "script", "title", "head", "template"})
_BLOCKS: Final = frozenset({"div", "td", "tr", "p", "h1", "h2", "h3", "table", "li"})
_ENDLESS: Final = frozenset({"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Element:
    """A start tag: its attributes by their names, in lower case. An attribute without a value has ""."""

    tag: str
    attributes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    line: int = 0

    def get(self, name: str) -> str:
        """Return an attribute, "" where there is none."""
        return self.attributes.get(name, "")


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """An `a` with an address. `words` are what a reader sees or hears of it: text, and its pictures' words."""

    url: str
    words: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """All that was found. `anchors` are the places that a link within the page can lead to."""

    elements: tuple[Element, ...]
    links: tuple[Link, ...]
    styles: tuple[str, ...]  # of <style>, in their order
    title: str
    said: tuple[str, ...]  # all text that is written, hidden words included
    preheader: str  # the first block's words, hidden ones included: what lists of mail show beside the subject
    anchors: frozenset[str]

    def of(self, tag: str) -> tuple[Element, ...]:
        """Return the elements of a name, in their order."""
        return tuple(one for one in self.elements if one.tag == tag)


def read_page(html: str) -> Page:
    """Read a page.

    >>> [link.words for link in read_page('<a href="https://x.example">Read <b>on</b></a>').links]
    ['Read on']
    """
    reader = _Reader()
    with suppress(AssertionError):  # Python's parser gives up on some broken declarations; the rest stays unread
        reader.feed(html)
        reader.close()
    return Page(
        elements=tuple(reader.elements),
        links=tuple(Link(url=url, words=" ".join("".join(words).split())) for url, words in reader.links),
        styles=tuple("".join(text) for text in reader.styles),
        title=" ".join("".join(reader.title).split()),
        said=tuple(reader.said),
        preheader=" ".join("".join(reader.first).split()),
        anchors=frozenset(reader.anchors),
    )


class _Reader(HTMLParser):
    """Collects."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self.links: list[tuple[str, list[str]]] = []
        self.styles: list[list[str]] = []
        self.title: list[str] = []
        self.said: list[str] = []
        self.first: list[str] = []
        self.anchors: set[str] = set()
        self._is_first = True
        self._open_links: list[int] = []
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        attributes = {name: value or "" for name, value in reversed(attrs)}  # of equals, the first counts
        self.elements.append(Element(tag=tag, attributes=MappingProxyType(attributes), line=self.getpos()[0]))
        self.anchors.update(value for name in ("id", "name") if (value := attributes.get(name)))
        if tag == "a" and "href" in attributes:
            self._open_links.append(len(self.links))
            self.links.append((attributes["href"].strip(), [attributes.get("aria-label", "")]))
        elif tag == "img":
            self._say(attributes.get("alt", ""))
        if tag in _UNSEEN:
            self._inside.append(tag)
            if tag == "style":
                self.styles.append([])
        elif tag not in _ENDLESS:
            self._part(tag)

    def handle_endtag(self, tag: str) -> None:
        """Leave an element."""
        if tag == "a" and self._open_links:
            self._open_links.pop()
        if tag in self._inside:
            while self._inside.pop() != tag:
                pass
        else:
            self._part(tag)

    def handle_data(self, data: str) -> None:
        """Note text, for whoever it belongs to."""
        inside = self._inside[-1] if self._inside else ""
        if inside == "style" and self.styles:
            self.styles[-1].append(data)
        elif inside == "title":
            self.title.append(data)
        elif not inside:
            self._say(data)

    def _say(self, text: str) -> None:
        if self._open_links:
            self.links[self._open_links[-1]][1].append(text)
        self.said.append(text)
        if self._is_first:
            self.first.append(text)

    def _part(self, tag: str) -> None:
        """Notice where the first block that says something ends."""
        if tag in _BLOCKS and any(map(str.strip, self.first)):
            self._is_first = False
