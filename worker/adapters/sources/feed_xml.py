"""From the bytes of an XML feed to feedparser's entries: feedparser's reading of formats, our own care for the bytes.

Pure. feedparser's public `parse` would guess the encoding again, resolve GUIDs like links, and take a photograph's
caption for the article; so its two parsers are driven from here. The strict one reads well-formed feeds, the
loose one whatever is not. `feed` calls this and turns entries into articles.
"""

from __future__ import annotations

import re
import xml.sax
import xml.sax.handler
from typing import Any, Final
from xml.parsers import expat

from feedparser.api import LooseFeedParser, StrictFeedParser

from worker.adapters.sources.decoding import decode
from worker.adapters.sources.limits import MAX_ELEMENTS, MAX_ITEMS, MAX_LOOSE_CHARS
from worker.adapters.sources.plain import person, sound
from worker.errors import FeedError

_XML_DECLARATION: Final = re.compile(r"<\?xml[^<>]*\?>")
_DOCTYPE: Final = re.compile(r"<!DOCTYPE[^\[<>]*(?:\[[^\]]*\])?\s*>", re.IGNORECASE)
_ROOT: Final = re.compile(r"<(?:\w+:)?(?:rss|feed|rdf|channel)[\s>]", re.IGNORECASE)
_BARE_AMPERSAND: Final = re.compile(
    r"<!\[CDATA\[.*?(?:\]\]>|\Z)|&(?!(?:[a-zA-Z][a-zA-Z0-9]*|#[0-9]+|#[xX][0-9a-fA-F]+);)", re.DOTALL
)
_ABSOLUTE: Final = re.compile(r"https?://", re.IGNORECASE)


class _Ours:
    """Where feedparser's reading is not a newspaper's: mixed into both of its parsers."""

    entries: list[Any]
    guidislink: bool
    resolve_relative_uris = False  # all markup becomes plain text, by a better parser
    sanitize_html = False

    _elements = 0

    def unknown_starttag(self, tag: str, attributes: list[tuple[str, str]]) -> None:
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            raise _TooMuchError(f"{MAX_ELEMENTS} elements")
        super().unknown_starttag(tag, attributes)  # type: ignore[misc]  # feedparser ships no types

    def _start_item(self, attributes: dict[str, str]) -> None:
        if len(self.entries) >= MAX_ITEMS:
            raise _TooMuchError(f"{MAX_ITEMS} items")
        super()._start_item(attributes)  # type: ignore[misc]  # feedparser ships no types

    _start_entry = _start_item

    def _start_guid(self, attributes: dict[str, str]) -> None:
        """Keep GUIDs as they stand: resolved against a feed's address, they change when that does."""
        super()._start_guid(attributes)  # type: ignore[misc]  # feedparser ships no types
        self._permanent, self.guidislink = self.guidislink, False

    _start_id = _start_guid

    def _end_guid(self) -> None:
        value = self.pop("id")  # type: ignore[attr-defined]  # feedparser ships no types
        if self._permanent and _ABSOLUTE.match(value or ""):
            self._save("link", value)  # type: ignore[attr-defined]  # feedparser ships no types

    _end_id = _end_guid

    def _sync_author_detail(self, key: str = "author") -> None:
        """Read "desk@news.example (Night Desk)" ourselves: feedparser takes addresses to end after four letters."""
        context = self._get_context()  # type: ignore[attr-defined]  # feedparser ships no types
        details, told = context.get(f"{key}s"), context.get(key)
        if details and not details[-1] and told:
            details[-1]["name"] = person(told)
        else:
            super()._sync_author_detail(key)  # type: ignore[misc]  # feedparser ships no types

    def _start_unread(self, _attributes: dict[str, str]) -> None:
        self.push("unread", 0)  # type: ignore[attr-defined]  # feedparser ships no types

    def _end_unread(self) -> None:
        self.pop("unread")  # type: ignore[attr-defined]  # feedparser ships no types

    # A photograph's keywords, and a podcast's blurb, are not the article's.
    _start_media_category = _start_unread
    _end_media_category = _end_media_keywords = _end_unread
    _start_media_keywords = _start_itunes_summary = _start_itunes_subtitle = _start_unread
    _end_itunes_summary = _end_itunes_subtitle = _end_unread

    def _start_media_words(self, _attributes: dict[str, str]) -> None:
        self.push("media_words", 0)  # type: ignore[attr-defined]  # feedparser ships no types

    # Nor are its title, caption and credit: they stay with the photograph.
    _start_media_title = _start_media_description = _start_media_credit = _start_media_words

    def _end_media_title(self) -> None:
        self._said_of_picture("name")

    def _end_media_description(self) -> None:
        self._said_of_picture("caption")

    def _end_media_credit(self) -> None:
        self._said_of_picture("credit")

    def _said_of_picture(self, name: str) -> None:
        """Keep words with the picture that they follow, or beside all of the item's."""
        words = self.pop("media_words")  # type: ignore[attr-defined]  # feedparser ships no types
        context = self._get_context()  # type: ignore[attr-defined]  # feedparser ships no types
        described = dict.get(context, "media_content")
        if words and described:
            described[-1].setdefault(name, words)
        elif words:
            context.setdefault("media_words", {}).setdefault(name, words)


class _Strict(_Ours, StrictFeedParser):  # type: ignore[misc]  # feedparser ships no types
    """Feeds that are XML."""


class _Loose(_Ours, LooseFeedParser):  # type: ignore[misc]  # feedparser ships no types
    """Feeds that are almost XML."""


class _TooMuchError(Exception):
    pass


class _RootReachedError(Exception):
    pass


def read_xml(data: bytes, *, url: str, content_type: str) -> tuple[Any, list[Any], str]:
    """Return feedparser's feed, its entries in order, and its version ("rss20", "atom10", ...; "" for no feed).

    Raises `FeedError` for entity declarations, for more than the limits allow, and for bytes that break both parsers.
    """
    text = _prepared(decode(data, content_type))
    try:
        parser = _read_strictly(text, url) or _read_mended(text, url)
    except _TooMuchError as error:
        raise FeedError(f"the feed has more than {error}") from None
    return parser.feeddata, parser.entries, parser.version


def _prepared(text: str) -> str:
    """Cut what stands before the document, and the declarations that would only mislead a parser.

    What stands before it is an empty line or a server's warning; the encoding has been dealt with; an outer DTD is
    never fetched, so that its entities must fall to the loose parser, which knows HTML's.
    """
    text = sound(text)
    root = _ROOT.search(text)
    prolog = text[: root.start()] if root else ""
    _refuse_entities(text)
    declaration = _XML_DECLARATION.search(prolog)
    prolog = prolog[declaration.end() :] if declaration else ""
    return _DOCTYPE.sub("", prolog) + text[root.start() if root else 0 :]


def _refuse_entities(text: str) -> None:
    """Refuse a document that declares entities: nobody's feed needs them, and every XML bomb does.

    Only what the XML parser itself takes for a declaration counts; the loose parser reads none.
    """

    def entity(*_declaration: object) -> None:
        raise FeedError("the feed declares XML entities, which are refused", hint="write the characters themselves")

    def root(*_element: object) -> None:
        raise _RootReachedError

    parser = expat.ParserCreate("utf-8")
    parser.EntityDeclHandler = entity
    parser.StartElementHandler = root
    start = text.find("<?xml")
    try:
        parser.Parse(text[max(start, 0) :].lstrip().encode(), True)
    except (expat.ExpatError, _RootReachedError):
        return


def _read_strictly(text: str, url: str) -> _Strict | None:
    """Return None when the text is no well-formed XML."""
    parser = _Strict(url, None, "utf-8")
    reader: Any = xml.sax.make_parser()  # noqa: S317  entities are refused before, external ones switched off
    reader.setFeature(xml.sax.handler.feature_namespaces, True)
    reader.setFeature(xml.sax.handler.feature_external_ges, False)
    reader.setContentHandler(parser)
    reader.setErrorHandler(parser)
    try:
        reader.feed(text)
        reader.close()
    except _TooMuchError:
        raise
    except Exception:  # noqa: BLE001  feedparser raises anything at input that it does not expect; the loose one is next
        return None
    return parser


def _read_mended(text: str, url: str) -> _Strict | _Loose:
    """Read what is no XML: often for "AT&T" alone, of which the loose parser would make "AT&T;"."""
    mended = _BARE_AMPERSAND.sub(lambda found: found[0] if found[0].startswith("<") else "&amp;", text)
    return (_read_strictly(mended, url) if mended != text else None) or _read_loosely(mended, url)


def _read_loosely(text: str, url: str) -> _Loose:
    if len(text) > MAX_LOOSE_CHARS:
        limit = f"{MAX_LOOSE_CHARS // 1_000_000} MB"
        raise FeedError(f"the feed is not well-formed XML, and larger than the {limit} up to which we mend it")
    parser = _Loose(url, None, "utf-8")
    try:
        parser.feed(text)
    except _TooMuchError:
        raise
    except Exception as error:
        raise FeedError("the feed is damaged beyond reading") from error
    return parser
