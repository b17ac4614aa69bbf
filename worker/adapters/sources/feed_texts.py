"""What the elements of a feed say, kept as feedparser keeps it: the half of the fast reader that holds text.

Pure. Never decides which element means what, which is `feed_fast`'s half.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum, auto
from functools import partial
from typing import Any, Final
from xml.parsers import expat

from worker.adapters.sources import feed_names as names
from worker.adapters.sources.feed_attributes import (
    UnusualError,
    href_of,
    is_html,
    link_text,
    mended,
    resolved,
    start_of,
)
from worker.adapters.sources.limits import MAX_TAGS
from worker.adapters.sources.plain import person

_BUFFER_BYTES: Final = 1 << 16
_MARKUP_TYPES: Final = frozenset({"text/html", "html", "application/xhtml+xml", "xhtml"})

Attributes = Mapping[str, str]
End = Callable[[], None] | None


class Where(IntEnum):
    """What an element stands in."""

    DOCUMENT = auto()
    RSS = auto()
    RDF = auto()
    FEED = auto()
    ITEM = auto()
    AUTHOR = auto()
    MEDIA = auto()
    LISTING = auto()
    SHUT = auto()
    IGNORED = auto()
    LEAF = auto()


class Texts:
    """Texts as they end, put where feedparser would put them; `holder` is the feed, or the item within it."""

    def __init__(self, url: str, *, is_atom: bool) -> None:
        self.feed: dict[str, Any] = {}
        self._holder: dict[str, Any] = self.feed
        self._is_atom = is_atom
        self._base = start_of(url)
        self._pieces: list[str] = []
        self._person: dict[str, str] = {}
        self.parser = expat.ParserCreate("utf-8", " ")
        self.parser.buffer_text = True
        self.parser.buffer_size = _BUFFER_BYTES

    def _take(self) -> None:
        """Begin to keep text."""
        self._pieces = []
        self.parser.CharacterDataHandler = self._pieces.append

    def _taken(self) -> str:
        self.parser.CharacterDataHandler = None
        return "".join(self._pieces).strip()

    def _leaf(self, end: Callable[..., None], *arguments: object) -> tuple[Where, End]:
        self._take()
        return Where.LEAF, partial(end, *arguments)

    def _once(self, key: str) -> str:
        """Return the name of what an element says. Of two, feedparser knows which counts."""
        slot = names.slot_of(key)
        if slot in self._holder:
            raise UnusualError
        self._holder[slot] = ""
        return slot

    def _start_text(self, key: str, attributes: Attributes) -> tuple[Where, End]:
        if attributes and not names.is_read_by_feedparser(key):
            self._once(key)
            return Where.LEAF, None  # one that it does not know, with attributes, has no text to it
        return self._leaf(self._end_text, self._once(key))

    def _end_text(self, slot: str) -> None:
        self._holder[slot] = mended(self._taken())

    def _end_title(self, slot: str, kind: str, lang: str | None) -> None:
        text = self._taken()
        markup = is_html(kind, text, is_atom=self._is_atom)
        self._holder[slot] = mended(text)
        language = lang.replace("_", "-") if lang else None
        self._holder["title_detail"] = {"type": "text/html" if markup else kind, "language": language}

    def _end_summary(self, slot: str, kind: str) -> None:
        text = self._taken()
        markup = is_html(kind, text, is_atom=self._is_atom)
        self._holder[slot] = mended(text)
        self._holder["summary_detail"] = {"type": "text/html" if markup else kind}

    def _end_body(self, kind: str) -> None:
        text = self._taken()
        markup = is_html(kind, text, is_atom=self._is_atom)
        body = {"type": "text/html" if markup else kind, "value": mended(text)}
        self._holder.setdefault("content", []).append(body)

    def _end_guid(self, slot: str, permanent: bool) -> None:
        value = self._holder[slot] = mended(self._taken())
        if permanent and value:
            self._holder["permalink"] = value

    def _start_link(self, attributes: Attributes) -> tuple[Where, End]:
        none_of(attributes, "base", "xml:base")
        rel, kind, href = attributes.get("rel", "alternate"), attributes.get("type", "text/html"), href_of(attributes)
        link: dict[str, str] = {"rel": rel, "type": kind}
        self._holder.setdefault("links", []).append(link)
        if href is None:
            return self._leaf(self._end_link, link)
        link["href"] = resolved(self._base, href)
        if rel == "alternate" and kind in _MARKUP_TYPES:
            self._holder["link"] = link["href"]
        return Where.LEAF, None

    def _end_link(self, link: dict[str, str]) -> None:
        href = self._holder["link"] = link_text(self._base, self._taken())
        if href:
            link["href"] = href

    def _start_tag(self, attributes: Attributes) -> tuple[Where, End]:
        scheme = attributes.get("scheme", attributes.get("domain"))
        self._add_tag({"term": attributes.get("term"), "scheme": scheme, "label": attributes.get("label")})
        return self._leaf(self._end_tag)

    def _end_tag(self) -> None:
        term = mended(self._taken())
        tags = self._holder["tags"]
        if term and tags and not tags[-1]["term"]:
            tags[-1]["term"] = term
        elif term:
            self._add_tag({"term": term, "scheme": None, "label": None})

    def _add_tag(self, tag: dict[str, str | None]) -> None:
        tags = self._holder.setdefault("tags", [])
        if any(tag.values()) and len(tags) < MAX_TAGS and tag not in tags:
            tags.append(tag)

    def _start_author(self) -> tuple[Where, End]:
        self._person = {}
        self._take()
        return Where.AUTHOR, self._end_author

    def _end_part_of_author(self, key: str) -> None:
        self._person[key] = self._taken()

    def _end_author(self) -> None:
        if self._person:
            if self._person.get("email") and not self._person["name"]:
                raise UnusualError
        else:
            told = mended(self._taken())
            if told:
                self._person["name"] = person(told)
        self._holder.setdefault("authors", []).append(self._person)

    def _end_thumbnail(self) -> None:
        if self._taken():
            raise UnusualError

    def _end_words(self, name: str) -> None:
        words = self._taken()
        described = self._holder.get("media_content")
        if words and described:
            described[-1].setdefault(name, words)
        elif words:
            self._holder.setdefault("media_words", {}).setdefault(name, words)

    def _end_listed(self, key: str) -> None:
        value = self._taken()
        if value:
            self.feed.setdefault(key, []).append(value)


def none_of(attributes: Attributes, *keys: str) -> None:
    """Leave a feed to feedparser that has an attribute which changes what everything below it means."""
    if attributes and any(key in attributes for key in keys):
        raise UnusualError
