"""From the bytes of an XML feed to its entries as feedparser names their parts, with our own care for the bytes.

Pure. feedparser's public `parse` would guess the encoding again, resolve GUIDs like links, and take a photograph's
caption for the article; so its two parsers are driven from here. A feed that is ordinary and well-formed is read by
`feed_fast` instead, to the same end; the strict parser reads what is well-formed, or can be made so, and the loose one
whatever is not. `feed` calls this and turns entries into articles.
"""

from __future__ import annotations

import html.entities
import re
import xml.sax
import xml.sax.handler
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from xml.parsers import expat

from worker.adapters.sources import feed_fast
from worker.adapters.sources.decoding import decode
from worker.adapters.sources.feed_formats import format_of
from worker.adapters.sources.feed_parsers import Loose, Strict, TooMuchError
from worker.adapters.sources.limits import MAX_LOOSE_CHARS
from worker.adapters.sources.plain import sound
from worker.errors import FeedError

_ROOT: Final = re.compile(r"<((?:\w+:)?(?:rss|feed|rdf|channel))[\s>]", re.IGNORECASE)
_ROOT_CHARS: Final = 20_000
_AMPERSAND: Final = re.compile(
    r"<!\[CDATA\[.*?(?:\]\]>|\Z)|&(?:([a-zA-Z][a-zA-Z0-9]*|#[0-9]+|#[xX][0-9a-fA-F]+);)?", re.DOTALL
)
_OF_XML: Final = frozenset({"amp", "lt", "gt", "quot", "apos"})
_DIGITS: Final = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Entries:
    """A feed by feedparser's names: what it says of itself, its entries in order, and its format ("" for no feed)."""

    feed: Mapping[str, Any]
    entries: Sequence[Mapping[str, Any]]
    format: str


class _RootReachedError(Exception):
    pass


def read_xml(data: bytes, *, url: str, content_type: str, fast: bool = True) -> Entries:
    """Return a feed's entries. Without `fast`, feedparser alone reads it: to the same result, as tests prove.

    Raises `FeedError` for entity declarations, for more than the limits allow, and for bytes that break all parsers.
    A feed that was cut off gives the items that are whole: the beginning of a headline may say its opposite.
    """
    text = decode(data, content_type)
    _refuse_entities(text)
    document, root = _document(text)
    version = format_of(root)
    if fast and (read := feed_fast.read(document, url=url, version=version)):
        return Entries(feed=read.feed, entries=read.entries, format=version)
    try:
        parser = _parsed(sound(document), url, version, fast=fast)
    except TooMuchError as error:
        raise FeedError(f"the feed has more than {error}") from None
    if isinstance(parser, feed_fast.Read):
        return Entries(feed=parser.feed, entries=parser.entries, format=version)
    is_cut = parser.inentry and not _ends(document, root)
    entries = parser.entries[:-1] if is_cut else parser.entries
    return Entries(feed=parser.feeddata, entries=entries, format=version or parser.version)


def _document(text: str) -> tuple[str, str]:
    """Return the root element and its start tag.

    What stands before it is an XML declaration (the encoding has been dealt with), a document type (which is never
    fetched, so that its entities must be ours), an empty line or a server's warning; what follows, more of these.
    """
    root = _ROOT.search(text)
    if not root:
        return text, ""
    end = text.rfind(f"</{root[1]}")
    close = text.find(">", end) if end > root.start() else -1
    tag = text[root.start() : text.find(">", root.start(), root.start() + _ROOT_CHARS) + 1]
    return text[root.start() : close + 1 if close > 0 else len(text)], tag


def _ends(document: str, root: str) -> bool:
    name = _ROOT.match(root)
    return bool(name and document.rstrip().endswith(f"</{name[1]}>"))


def _refuse_entities(text: str) -> None:
    """Refuse a document that declares entities: nobody's feed needs them, and every XML bomb does.

    Only what the XML parser itself takes for a declaration counts; no other parser reads any, as none is handed what
    stands before the root element.
    """

    def entity(*_declaration: object) -> None:
        raise FeedError("the feed declares XML entities, which are refused", hint="write the characters themselves")

    def root(*_element: object) -> None:
        raise _RootReachedError

    if "<!ENTITY" not in text:
        return
    text = sound(text)
    parser = expat.ParserCreate("utf-8")
    parser.EntityDeclHandler = entity
    parser.StartElementHandler = root
    start = text.find("<?xml")
    try:
        parser.Parse(text[max(start, 0) :].lstrip().encode(), True)
    except (expat.ExpatError, _RootReachedError):
        return


def _parsed(text: str, url: str, version: str, *, fast: bool) -> feed_fast.Read | Strict | Loose:
    """Read well-formed XML, then what can be made so: often it is not for "AT&T" or "&nbsp;" alone."""
    parser = _read_strictly(text, url, version)
    if parser:
        return parser
    mended = _AMPERSAND.sub(_mended, text)
    if mended != text:
        if fast and (read := feed_fast.read(mended, url=url, version=version)):
            return read
        parser = _read_strictly(mended, url, version)
    return parser or _read_loosely(mended, url, version)


def _mended(found: re.Match[str]) -> str:
    """Write a reference so that XML knows it: HTML's names as numbers, a bare ampersand escaped, no controls."""
    name: str | None = found[1]
    if found[0].startswith("<") or name in _OF_XML:
        return found[0]
    if not name:
        return "&amp;"
    if not name.startswith("#"):
        code = html.entities.name2codepoint.get(name)
        return f"&#{code};" if code else f"&amp;{name};"
    digits = name[1:].lstrip("xX0")
    code = int(digits or "0", 16 if name[1] in "xX" else 10) if len(digits) <= _DIGITS else 0
    is_windows = 0x80 <= code < 0xA0  # 145 is meant for a quotation mark, and read as one
    return f"&#{code};" if is_windows or (code <= 0x10FFFF and sound(chr(code))) else ""


def _read_strictly(text: str, url: str, version: str) -> Strict | None:
    """Return None when the text is no well-formed XML."""
    parser = Strict(url, None, "utf-8")
    parser.version = version
    reader: Any = xml.sax.make_parser()  # noqa: S317  entities are refused before, external ones switched off
    reader.setFeature(xml.sax.handler.feature_namespaces, True)
    reader.setFeature(xml.sax.handler.feature_external_ges, False)
    reader.setContentHandler(parser)
    reader.setErrorHandler(parser)
    try:
        reader.feed(text)
        reader.close()
    except TooMuchError:
        raise
    except Exception:  # noqa: BLE001  feedparser raises anything at input that it does not expect; the loose one is next
        return None
    return parser


def _read_loosely(text: str, url: str, version: str) -> Loose:
    if len(text) > MAX_LOOSE_CHARS:
        limit = f"{MAX_LOOSE_CHARS // 1_000_000} MB"
        raise FeedError(f"the feed is not well-formed XML, and larger than the {limit} up to which we mend it")
    parser = Loose(url, None, "utf-8")
    parser.version = version
    try:
        parser.feed(text)
    except TooMuchError:
        raise
    except Exception as error:
        raise FeedError("the feed is damaged beyond reading") from error
    return parser
