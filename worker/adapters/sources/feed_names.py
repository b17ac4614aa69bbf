"""What feedparser calls the elements of feeds, and which of these names the fast reader understands.

Pure tables. Whatever has a name here that feedparser reads in a way of its own, and that is not listed as understood or
harmless, is "unusual": `feed_fast` then leaves the whole feed to feedparser.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, auto
from typing import Any, Final

from feedparser.util import FeedParserDict

from worker.adapters.sources.feed_parsers import Strict


class Part(IntEnum):
    """What an element is to an item or a feed."""

    UNUSUAL = auto()
    IGNORED = auto()  # without a meaning for us, and so is whatever stands in it
    SHUT = auto()  # a place with titles and links of its own, which are not the item's
    TEXT = auto()  # a plain value: a date, a language
    TITLE = auto()
    SUMMARY = auto()
    BODY = auto()
    GUID = auto()
    LINK = auto()
    ENCLOSURE = auto()
    TAG = auto()
    AUTHOR = auto()
    NAME = auto()
    EMAIL = auto()
    MEDIA = auto()
    THUMBNAIL = auto()
    GROUP = auto()
    WORDS = auto()  # a photograph's
    ENTRY = auto()
    CHANNEL = auto()


_SLOTS: Final[Mapping[str, str]] = {  # where feedparser keeps what such an element says
    **dict.fromkeys(("pubdate", "published", "issued", "dcterms_issued"), "published"),
    **dict.fromkeys(("updated", "modified", "lastbuilddate", "dc_date", "dcterms_modified"), "updated"),
    **dict.fromkeys(("created", "dcterms_created"), "created"),
    **dict.fromkeys(("language", "dc_language"), "language"),
    **dict.fromkeys(("title", "dc_title"), "title"),
    **dict.fromkeys(("description", "dc_description", "summary"), "summary"),
    **dict.fromkeys(("guid", "id"), "id"),
    **{name: name for name in ("feedburner_origlink", "ttl", "sy_updateperiod", "sy_updatefrequency")},
    "media_title": "name",
    "media_description": "caption",
    "media_credit": "credit",
}
_TEXTS: Final = frozenset({"published", "updated", "created", "language", "feedburner_origlink"})
_PARTS: Final[Mapping[str, Part]] = {
    **{name: Part.TEXT for name, slot in _SLOTS.items() if slot in _TEXTS},
    "title": Part.TITLE,
    "dc_title": Part.TITLE,
    "description": Part.SUMMARY,
    "dc_description": Part.SUMMARY,
    "summary": Part.SUMMARY,
    "content_encoded": Part.BODY,
    "content": Part.BODY,
    "guid": Part.GUID,
    "id": Part.GUID,
    "link": Part.LINK,
    "enclosure": Part.ENCLOSURE,
    "category": Part.TAG,
    "keywords": Part.TAG,
    "dc_subject": Part.TAG,
    "author": Part.AUTHOR,
    "dc_author": Part.AUTHOR,
    "dc_creator": Part.AUTHOR,
    "itunes_author": Part.AUTHOR,
    "managingeditor": Part.AUTHOR,
    "media_content": Part.MEDIA,
    "media_thumbnail": Part.THUMBNAIL,
    "media_group": Part.GROUP,
    "media_title": Part.WORDS,
    "media_description": Part.WORDS,
    "media_credit": Part.WORDS,
    "source": Part.SHUT,
    "contributor": Part.SHUT,
}
_OF_THE_FEED: Final[Mapping[str, Part]] = {
    "title": Part.TITLE,
    "link": Part.LINK,
    "language": Part.TEXT,
    "dc_language": Part.TEXT,
    "ttl": Part.TEXT,
    "sy_updateperiod": Part.TEXT,
    "sy_updatefrequency": Part.TEXT,
    **dict.fromkeys(("author", "dc_creator", "itunes_author", "managingeditor"), Part.AUTHOR),
    "skiphours": Part.GROUP,
    "skipdays": Part.GROUP,
    "item": Part.ENTRY,
    "entry": Part.ENTRY,
    "channel": Part.CHANNEL,
    "image": Part.SHUT,
    "textinput": Part.SHUT,
    "itunes_owner": Part.SHUT,
    **dict.fromkeys(
        ("published", "pubdate", "updated", "modified", "lastbuilddate", "dc_date", "created", "issued", "id", "guid",
         "description", "subtitle", "tagline", "summary", "category", "dc_subject", "keywords", "itunes_category",
         "itunes_keywords", "items"),
        Part.IGNORED,
    ),
}  # fmt: skip
_OF_AN_AUTHOR: Final[Mapping[str, Part]] = {
    "name": Part.NAME,
    "email": Part.EMAIL,
    "uri": Part.IGNORED,
    "url": Part.IGNORED,
    "homepage": Part.IGNORED,
}
_HARMLESS_NAMES: Final = """
    rights copyright dc_rights generator webmaster dc_publisher dc_contributor uri url homepage cloud
    itunes_block itunes_explicit itunes_image itunes_link itunes_subtitle itunes_summary media_category media_keywords
    media_license media_player media_rating media_restriction georss_point cc_license creativecommons_license
"""
_HARMLESS: Final = frozenset(_HARMLESS_NAMES.split())
_SHUT_NAMES: Final = {
    "source": "title id guid link updated published rights subtitle generator icon logo",
    "contributor": "name email uri url homepage",
    "image": "title link description url href width height",
    "textinput": "title link description name",
    "itunes_owner": "itunes_name itunes_email",
}
_SHUT_IN: Final = {place: frozenset(names.split()) for place, names in _SHUT_NAMES.items()}
_HANDLED: Final = frozenset(name.split("_", 2)[2] for name in dir(Strict) if name.startswith(("_start_", "_end_")))
_STORED_NAMES: Final = """
    links title_detail summary_detail authors media_words permalink tags hours days value href rel type
"""
_STORED: Final = frozenset(_STORED_NAMES.split())
_SUFFIXES: Final = frozenset(name.rpartition("_")[2] for name in (*_HANDLED, *_STORED, *_SLOTS.values()))
_PREFIXES: Final[Mapping[str, str]] = {uri.lower(): prefix for uri, prefix in Strict.namespaces.items()}
KNOWN_PREFIXES: Final = frozenset(_PREFIXES.values()) - {""}


def prefix_of(namespace: str) -> str | None:
    """Return feedparser's prefix for a namespace, "" for those of RSS and Atom, None for one that it does not know.

    >>> prefix_of("http://www.w3.org/2005/Atom"), prefix_of("http://purl.org/dc/elements/1.1/"), prefix_of("urn:x")
    ('', 'dc', None)
    """
    lower = namespace.lower()
    return "" if "backend.userland.com/rss" in lower else _PREFIXES.get(lower)


def key_of(name: str) -> str:
    """Return feedparser's name for an element from Expat's ("http://… local").

    "?" is for one that it may take for another, "-" for one that it does not know.

    >>> [key_of(name) for name in ("http://purl.org/dc/elements/1.1/ creator", "pubDate", "urn:x title", "urn:x age")]
    ['dc_creator', 'pubdate', '?', '-']
    """
    namespace, _, local = name.rpartition(" ")
    local = local.lower()
    prefix = prefix_of(namespace) if namespace else ""
    if prefix is None:  # then by whatever prefix somebody has declared for it, or by none
        return "?" if local in _SUFFIXES or _is_kept(local) or local in _OF_THE_FEED else "-"
    return f"{prefix}_{local}" if prefix else local


def slot_of(key: str) -> str:
    """Return the name under which feedparser keeps what an element says."""
    return _SLOTS.get(key, key)


def part_of_item(key: str) -> Part:
    """Say what an element is to an item."""
    return _PARTS.get(key) or _otherwise(key)


def part_of_feed(key: str) -> Part:
    """Say what an element is to a feed."""
    return _OF_THE_FEED.get(key) or _otherwise(key)


def part_of_author(key: str) -> Part:
    """Say what an element is to a person."""
    return _OF_AN_AUTHOR.get(key, Part.UNUSUAL)


def is_shut_in(key: str, within: str) -> bool:
    """Tell whether an element may stand in another that has titles and links of its own."""
    return key in _SHUT_IN[within]


def is_read_by_feedparser(key: str) -> bool:
    """Tell whether feedparser has a reading of its own for an element."""
    return key in _HANDLED


def is_harmless(key: str) -> bool:
    """Tell whether an element changes nothing, wherever it stands."""
    return _otherwise(key) is Part.IGNORED


def _otherwise(key: str) -> Part:
    if key == "?" or (key not in _HARMLESS and (key in _HANDLED or _is_kept(key))):
        return Part.UNUSUAL
    return Part.IGNORED


def _is_kept(key: str) -> bool:
    """Tell whether feedparser would keep an element that it has no reading for under a name that we look at."""
    keymap: dict[str, Any] = FeedParserDict.keymap
    return key in keymap or key in _STORED or key in _SLOTS.values()
