"""RSS 0.9x to 2.0, RDF and Atom: from the parts of their entries, by feedparser's names, to articles.

Pure: bytes in, articles out. `content:encoded` and Atom's `content` are the body, `description` and `summary` the
summary; all of it comes out as plain text. Fetches nothing. Polling and `tocsin sources parse` call it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from worker.adapters.sources import plain
from worker.adapters.sources.dates import parse_date
from worker.adapters.sources.decoding import sniffable
from worker.adapters.sources.feed_manners import hubs_and_topic, manners_of
from worker.adapters.sources.feed_pictures import picture_of
from worker.adapters.sources.feed_xml import Entries, read_xml
from worker.adapters.sources.limits import MAX_TAGS
from worker.adapters.sources.looks import not_a_feed
from worker.feeds import Manners, ParsedFeed
from worker.model import ParsedArticle

_HEAD_BYTES: Final = 65_536
_FEED_ROOT: Final = re.compile(rb"<(?:[\w-]+:)?(?:rss|rdf|feed)[\s>]", re.IGNORECASE)
_PAGE_ROOT: Final = re.compile(rb"<(?:!doctype\s+html|html)[\s>]", re.IGNORECASE)
_WEB: Final = re.compile(r"https?://", re.IGNORECASE)

_MARKUP_TYPES: Final = frozenset({"text/html", "application/xhtml+xml"})
_TEXT_TYPES: Final = _MARKUP_TYPES | {"text/plain"}


class FeedSource:
    """RSS and Atom."""

    name = "feed"

    def recognises(self, data: bytes, content_type: str) -> bool:  # noqa: ARG002  servers call a feed anything
        """Look for a feed's root element that stands before any HTML page's."""
        head = sniffable(data[:_HEAD_BYTES])
        root = _FEED_ROOT.search(head)
        return bool(root and not _PAGE_ROOT.search(head, 0, root.start()))

    def parse(self, data: bytes, *, url: str, content_type: str) -> ParsedFeed:
        """Read the feed's items in their order. Raises `FeedError` when the bytes are no feed."""
        if not self.recognises(data, content_type):
            raise not_a_feed(data, url=url, content_type=content_type)
        return parsed_feed(read_xml(data, url=url, content_type=content_type), data, url, content_type)


def parsed_feed(read: Entries, data: bytes, url: str, content_type: str) -> ParsedFeed:
    """Turn entries into articles. Raises `FeedError` when `data`, from which they come, proves to be no feed."""
    if not read.format and not read.entries:
        raise not_a_feed(data, url=url, content_type=content_type)
    hubs, topic = hubs_and_topic(read.feed.get("links") or [])
    return ParsedFeed(
        articles=tuple(_article(entry, read.feed, read.format, url) for entry in read.entries),
        format=read.format or "rss",
        title=plain.headline(_text(read.feed, "title"), markup=True),
        manners=_manners(read.feed),
        hubs=hubs,
        topic=topic,
    )


def _manners(feed: Mapping[str, Any]) -> Manners:
    return manners_of(
        ttl=_text(feed, "ttl"),
        period=_text(feed, "sy_updateperiod"),
        frequency=_text(feed, "sy_updatefrequency"),
        hours=feed.get("hours") or (),
        days=feed.get("days") or (),
    )


def _article(entry: Mapping[str, Any], feed: Mapping[str, Any], version: str, base: str) -> ParsedArticle:
    published, updated = _dates(entry, version)
    title = entry.get("title_detail") or {}
    return ParsedArticle(
        guid=plain.identifier(_text(entry, "id")),
        url=_link(entry),
        title=plain.headline(_text(entry, "title"), markup=_is_markup(title)),
        summary=_summary(entry),
        body=_body(entry),
        author=_author(entry) or (_author(feed) if version.startswith("atom") else ""),
        source=plain.headline(_text(feed, "title"), markup=True),
        lang=plain.language(_text(entry, "language") or title.get("language") or _text(feed, "language")),
        tags=plain.labels(_tag(tag) for tag in (entry.get("tags") or [])[:MAX_TAGS]),
        published_at=published,
        updated_at=updated,
        image=picture_of(entry, base),
    )


def _text(mapping: Mapping[str, Any], key: str) -> str:
    # Around feedparser's own `get`, which answers one key with another's value and warns that it does.
    value = dict.get(mapping, key)  # type: ignore[call-overload]  # a FeedParserDict is a dict
    return value if isinstance(value, str) else ""


def _is_markup(detail: Mapping[str, Any]) -> bool:
    return detail.get("type") in _MARKUP_TYPES


def _link(entry: Mapping[str, Any]) -> str:
    """Prefer the publisher's own address to a feed service's that counts clicks."""
    own = (_text(entry, key) for key in ("feedburner_origlink", "link", "permalink"))
    candidates = (*own, *_alternates(entry))
    links = ("".join(plain.sound(link).split()) for link in candidates)
    return next((link for link in links if _WEB.match(link)), "")


def _alternates(entry: Mapping[str, Any]) -> list[str]:
    return [_text(link, "href") for link in entry.get("links") or [] if _text(link, "rel") == "alternate"]


def _summary(entry: Mapping[str, Any]) -> str:
    detail = entry.get("summary_detail")  # without one, feedparser has copied the body
    return plain.prose(_text(entry, "summary"), markup=_is_markup(detail)) if detail else ""


def _body(entry: Mapping[str, Any]) -> str:
    """Return the longest of the contents that are text: some feeds send the same in two forms."""
    contents = [content for content in entry.get("content") or [] if content.get("type") in _TEXT_TYPES]
    bodies = (plain.prose(_text(content, "value"), markup=_is_markup(content)) for content in contents)
    return max(bodies, key=len, default="")


def _author(mapping: Mapping[str, Any]) -> str:
    names = [_text(author, "name") for author in mapping.get("authors") or []]
    return plain.byline(names if any(names) else [_text(mapping, "author")])


def _tag(tag: Mapping[str, Any]) -> str:
    return _text(tag, "label") or _text(tag, "term")


def _dates(entry: Mapping[str, Any], version: str) -> tuple[datetime | None, datetime | None]:
    published = _date(entry, "published") or _date(entry, "created")
    updated = _date(entry, "updated")
    if published is None and not version.startswith("atom"):
        return updated, None  # RDF's only date, dc:date, which feedparser files under "updated"
    return published, updated


def _date(entry: Mapping[str, Any], key: str) -> datetime | None:
    return parse_date(_text(entry, key))
