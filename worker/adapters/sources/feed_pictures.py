"""The picture of a feed's item: Media RSS (content, then thumbnail), and enclosures of RSS and Atom.

Pure: reads feedparser's entry as `feed_xml` leaves it, with captions and credits beside what they belong to. A picture
within the item's own text is not taken: it may be an advertisement, a face, a button. `feed` calls it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from worker.adapters.sources.picturing import chosen, is_image, picture
from worker.model import Picture


def picture_of(entry: Mapping[str, Any], base: str) -> Picture | None:
    """Return the item's picture; None where it has none that a mail could show."""
    beside = _mapping(entry.get("media_words"))
    of_content = [
        one
        for media in _mappings(entry, "media_content")
        if is_image(_text(media, "url"), kind=_text(media, "type"), medium=_text(media, "medium"))
        and (one := _media(media, beside, base))
    ]
    enclosed = [
        one
        for link in _mappings(entry, "links")
        if _text(link, "rel") == "enclosure" and is_image(_text(link, "href"), kind=_text(link, "type"))
        if (one := picture(_text(link, "href"), base))
    ]
    small = [one for media in _mappings(entry, "media_thumbnail") if (one := _media(media, beside, base))]
    return chosen([*of_content, *enclosed, *small])


def _media(media: Mapping[str, Any], beside: Mapping[str, Any], base: str) -> Picture | None:
    """Read an element of Media RSS; its own words come before those that stand beside all of them."""

    def said(name: str) -> str:
        return _text(media, name) or _text(beside, name)

    return picture(
        _text(media, "url"),
        base,
        alt=said("caption") or said("name"),
        credit=said("credit"),
        width=media.get("width"),
        height=media.get("height"),
    )


def _mappings(entry: Mapping[str, Any], key: str) -> Iterator[Mapping[str, Any]]:
    return (one for one in entry.get(key) or [] if isinstance(one, Mapping))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(mapping: Mapping[str, Any], key: str) -> str:
    value = mapping.get(key)
    return value if isinstance(value, str) else ""
