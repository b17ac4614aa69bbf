"""The fast reader of ordinary feeds: well-formed XML of elements that everybody uses, straight from Expat.

Pure. It gives exactly what feedparser's parser would, by the same names, or None: whatever is unusual (XHTML within an
item, two titles, a prefix bound to a namespace of another kind) is left to feedparser. A property test holds it to
this. `feed_xml` calls it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from xml.parsers import expat

from worker.adapters.sources import feed_names as names
from worker.adapters.sources.feed_attributes import UnusualError, based, content_type, href_of, plain_names
from worker.adapters.sources.feed_names import Part
from worker.adapters.sources.feed_texts import Attributes, End, Texts, Where, none_of
from worker.adapters.sources.limits import MAX_ELEMENTS, MAX_ITEMS

_UNSOUND: Final = re.compile("[\x7f-\x9f]")
_XLINK: Final = "http://www.w3.org/1999/xlink"
_DEPTH: Final = 100
_OF_RDF: Final = frozenset({"channel", "item", "image", "textinput"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Read:
    """What feedparser's parser would hold in `feeddata` and `entries`, as far as anybody here looks at it."""

    feed: Mapping[str, Any]
    entries: Sequence[Mapping[str, Any]]


def read(document: str, *, url: str, version: str) -> Read | None:
    """Return what a feed says, None for one that feedparser has to read.

    `document` is the root element alone, `version` its format.
    """
    if not version or _UNSOUND.search(document):
        return None
    try:
        reader = _Reader(url, is_atom=version.startswith("atom"))
    except UnusualError:
        return None
    try:
        reader.parser.Parse(document, True)
    except (expat.ExpatError, UnusualError):
        return None
    finally:
        reader.release()
    return Read(feed=reader.feed, entries=reader.entries)


class _Reader(Texts):
    """One document's way through Expat: each start says what its children stand in, and what its end has to do."""

    def __init__(self, url: str, *, is_atom: bool) -> None:
        super().__init__(url, is_atom=is_atom)
        self.entries: list[dict[str, Any]] = []
        self._lang: str | None = None  # of the document
        self._entry_lang: str | None = None
        self._keys: dict[str, str] = {}
        self._elements = 0
        self._channels = 0
        self._where: list[Where] = [Where.DOCUMENT]
        self._ends: list[End] = []
        self._shut = ""
        self._starts: dict[Where, Callable[[str, Attributes], tuple[Where, End]]] = {
            Where.DOCUMENT: self._start_root,
            Where.RSS: self._start_channel,
            Where.RDF: self._start_in_rdf,
            Where.FEED: self._start_in_feed,
            Where.ITEM: self._start_in_item,
            Where.AUTHOR: self._start_in_author,
            Where.MEDIA: self._start_in_media,
            Where.LISTING: self._start_in_listing,
            Where.SHUT: self._start_in_shut,
            Where.IGNORED: self._start_in_ignored,
            Where.LEAF: self._unusual,
        }
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.StartNamespaceDeclHandler = self._namespace

    def release(self) -> None:
        """Untie the reader from its parser: a circle of theirs would keep every feed until the garbage is collected."""
        self.parser.StartElementHandler = self.parser.EndElementHandler = None
        self.parser.StartNamespaceDeclHandler = self.parser.CharacterDataHandler = None
        self._starts.clear()
        self._ends.clear()

    # Expat's calls ---------------------------------------------------------------------------------------------------

    def _namespace(self, prefix: str | None, uri: str | None) -> None:
        if not uri or re.search(r"\s", uri) or (uri == _XLINK and self._ends):
            raise UnusualError
        if prefix and prefix.lower() in names.KNOWN_PREFIXES and names.prefix_of(uri) not in {None, prefix}:
            raise UnusualError

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > MAX_ELEMENTS or len(self._where) > _DEPTH:
            raise UnusualError
        key = self._keys.get(name)
        if key is None:
            key = self._keys[name] = names.key_of(name)
        where, end = self._starts[self._where[-1]](key, plain_names(attributes) if attributes else attributes)
        self._where.append(where)
        self._ends.append(end)

    def _end(self, _name: str) -> None:
        self._where.pop()
        end = self._ends.pop()
        if end:
            end()

    def _unusual(self, _key: str, _attributes: Attributes) -> tuple[Where, End]:
        raise UnusualError

    # Elements, by what they stand in ---------------------------------------------------------------------------------

    def _start_root(self, key: str, attributes: Attributes) -> tuple[Where, End]:
        self._base = based(self._base, attributes)
        lang = attributes.get("xml:lang", attributes.get("lang"))
        self._lang = lang or None
        if lang and key in {"rss", "feed"}:
            self.feed["language"] = lang.replace("_", "-")
        places = {"rss": Where.RSS, "rdf_rdf": Where.RDF, "feed": Where.FEED}
        if key not in places or "href" in attributes:
            raise UnusualError
        return places[key], None

    def _start_channel(self, key: str, attributes: Attributes) -> tuple[Where, End]:
        self._channels += 1
        if key != "channel" or self._channels > 1:
            raise UnusualError
        none_of(attributes, "lang", "base", "xml:lang", "xml:base", "href", "lastmod")
        return Where.FEED, None

    def _start_in_rdf(self, key: str, attributes: Attributes) -> tuple[Where, End]:
        if key == "channel":
            return self._start_channel(key, attributes)
        return self._start_in_feed(key, attributes) if key in _OF_RDF else self._unusual(key, attributes)

    def _start_in_feed(self, key: str, attributes: Attributes) -> tuple[Where, End]:
        part = names.part_of_feed(key)
        if part is Part.IGNORED:
            return Where.IGNORED, None
        if part is Part.ENTRY:
            return self._start_entry(attributes)
        if part is Part.TITLE:
            content_type(attributes, "text/plain")
            return self._leaf(self._end_text, self._once(key))
        if part is Part.TEXT:
            return self._start_text(key, attributes)
        if part is Part.LINK:
            return self._start_link(attributes)
        if part is Part.AUTHOR:
            return self._start_author()
        if part is Part.GROUP:
            return Where.LISTING, None
        return self._start_shut(key) if part is Part.SHUT else self._unusual(key, attributes)

    def _start_entry(self, attributes: Attributes) -> tuple[Where, End]:
        none_of(attributes, "base", "xml:base", "href", "lastmod")
        if len(self.entries) >= MAX_ITEMS:
            raise UnusualError
        self._holder = {}
        self.entries.append(self._holder)
        about = attributes.get("rdf:about")
        if about:
            self._holder["about"] = about
        lang = attributes.get("xml:lang", attributes.get("lang"))
        self._entry_lang = self._lang if lang is None else lang or None
        return Where.ITEM, self._end_entry

    def _end_entry(self) -> None:
        about = self._holder.pop("about", None)
        if about:
            self._holder.setdefault("id", about)
        self._holder = self.feed

    def _start_in_item(self, key: str, attributes: Attributes) -> tuple[Where, End]:
        part = names.part_of_item(key)
        if part is Part.IGNORED:
            return Where.IGNORED, None
        if part is Part.TITLE:
            kind, lang = content_type(attributes, "text/plain"), attributes.get("xml:lang", attributes.get("lang"))
            return self._leaf(self._end_title, self._once(key), kind, self._entry_lang if lang is None else lang)
        if part is Part.SUMMARY:
            kind = content_type(attributes, "text/plain" if key == "summary" else "text/html")
            return self._leaf(self._end_summary, self._once(key), kind)
        if part is Part.BODY:
            return self._leaf(
                self._end_body, content_type(attributes, "text/plain" if key == "content" else "text/html")
            )
        if part is Part.TEXT:
            return self._start_text(key, attributes)
        if part is Part.GUID:
            return self._leaf(self._end_guid, self._once(key), attributes.get("ispermalink", "true") == "true")
        if part is Part.LINK:
            return self._start_link(attributes)
        if part is Part.TAG:
            return self._start_tag(attributes)
        if part is Part.AUTHOR:
            return self._start_author()
        return self._start_shut(key) if part is Part.SHUT else self._start_medium(part, key, attributes)

    def _start_medium(self, part: Part, key: str, attributes: Attributes) -> tuple[Where, End]:
        if part is Part.ENCLOSURE:
            link = {**attributes, "rel": "enclosure", "href": href_of(attributes)}
            self._holder.setdefault("links", []).append(link)
            return Where.LEAF, None
        if part is Part.GROUP:
            return Where.MEDIA, None
        if part is Part.MEDIA:
            self._holder.setdefault("media_content", []).append(dict(attributes))
            return Where.MEDIA, None
        if part is Part.THUMBNAIL:
            self._holder.setdefault("media_thumbnail", []).append(dict(attributes))
            return self._leaf(self._end_thumbnail)
        return self._leaf(self._end_words, names.slot_of(key)) if part is Part.WORDS else self._unusual(key, attributes)

    def _start_in_media(self, key: str, attributes: Attributes) -> tuple[Where, End]:
        part = names.part_of_item(key)
        return (Where.IGNORED, None) if part is Part.IGNORED else self._start_medium(part, key, attributes)

    def _start_in_author(self, key: str, attributes: Attributes) -> tuple[Where, End]:
        if self.parser.CharacterDataHandler and self._taken():
            raise UnusualError  # a name, and elements besides
        part = names.part_of_author(key)
        self._person.setdefault("name", "")
        if part is Part.IGNORED:
            return Where.LEAF, None
        return self._unusual(key, attributes) if part is Part.UNUSUAL else self._leaf(self._end_part_of_author, key)

    def _start_in_listing(self, key: str, attributes: Attributes) -> tuple[Where, End]:
        return self._leaf(self._end_listed, f"{key}s") if key in {"hour", "day"} else self._unusual(key, attributes)

    def _start_shut(self, key: str) -> tuple[Where, End]:
        self._shut = key
        return Where.SHUT, None

    def _start_in_shut(self, key: str, attributes: Attributes) -> tuple[Where, End]:
        return (Where.LEAF, None) if names.is_shut_in(key, self._shut) else self._unusual(key, attributes)

    def _start_in_ignored(self, key: str, attributes: Attributes) -> tuple[Where, End]:
        return (Where.IGNORED, None) if names.is_harmless(key) else self._unusual(key, attributes)
