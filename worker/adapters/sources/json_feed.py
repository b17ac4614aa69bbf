"""JSON Feed 1.0 and 1.1 (jsonfeed.org).

Pure: bytes in, articles out; tolerant of members that have the wrong type, as a feed reader must be. Polling and
`tocsin sources parse` call it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urljoin

from worker.adapters.sources import plain
from worker.adapters.sources.dates import parse_date
from worker.adapters.sources.feed_manners import MAX_HUBS, web_addresses
from worker.adapters.sources.jsons import is_json_feed, looks_like_json, mappings_in, read_json, strings_in, text_in
from worker.adapters.sources.limits import MAX_ITEMS
from worker.adapters.sources.picturing import chosen, is_image, picture
from worker.errors import FeedError
from worker.feeds import ParsedFeed
from worker.model import ParsedArticle, Picture

_VERSIONS: Final = frozenset({"1", "1.1"})


class JsonFeedSource:
    """JSON Feed."""

    name = "json-feed"

    def recognises(self, data: bytes, content_type: str) -> bool:
        """Look for the version that every JSON Feed must state, or for the media type."""
        return is_json_feed(data) or ("application/feed+json" in content_type and looks_like_json(data))

    def parse(self, data: bytes, *, url: str, content_type: str) -> ParsedFeed:
        """Read the feed's items in their order. Raises `FeedError` when the bytes are no JSON Feed."""
        feed = read_json(data, content_type)
        if not isinstance(feed, Mapping) or not isinstance(feed.get("items"), list):
            raise FeedError('no JSON Feed: it has no list called "items"')
        items = mappings_in(feed, "items")
        if len(items) > MAX_ITEMS:
            raise FeedError(f"the feed has more than {MAX_ITEMS} items")
        articles = tuple(_article(item, feed, url) for item in items)
        title = plain.headline(text_in(feed, "title"), markup=False)
        told = text_in(feed, "version").rstrip("/").rpartition("/")[2]
        version = f"-{told}" if told in _VERSIONS else ""
        topic = next(iter(web_addresses([text_in(feed, "feed_url")])), "")
        return ParsedFeed(articles=articles, format=f"{self.name}{version}", title=title, hubs=_hubs(feed), topic=topic)


def _hubs(feed: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the WebSub hubs; the standard's other kind, rssCloud, is dead."""
    hubs = mappings_in(feed, "hubs")[:MAX_HUBS]
    return web_addresses(text_in(hub, "url") for hub in hubs if text_in(hub, "type").lower() == "websub")


def _article(item: Mapping[str, Any], feed: Mapping[str, Any], url: str) -> ParsedArticle:
    body_html = text_in(item, "content_html")
    return ParsedArticle(
        guid=plain.identifier(text_in(item, "id")),
        url=_address(item, url),
        title=plain.headline(text_in(item, "title"), markup=False),
        summary=plain.prose(text_in(item, "summary"), markup=False),
        body=plain.prose(body_html or text_in(item, "content_text"), markup=bool(body_html)),
        author=_author(item) or _author(feed),
        source=plain.headline(text_in(feed, "title"), markup=False),
        lang=plain.language(text_in(item, "language") or text_in(feed, "language")),
        tags=plain.labels(strings_in(item, "tags")),
        published_at=parse_date(text_in(item, "date_published")),
        updated_at=parse_date(text_in(item, "date_modified")),
        image=chosen(_pictures(item, url)),
    )


def _pictures(item: Mapping[str, Any], base: str) -> list[Picture]:
    """Return the item's picture, its banner, and the images that are attached to it."""
    attached = [
        text_in(one, "url")
        for one in mappings_in(item, "attachments")
        if is_image(text_in(one, "url"), kind=text_in(one, "mime_type"))
    ]
    found = (picture(address, base) for address in (text_in(item, "image"), text_in(item, "banner_image"), *attached))
    return [one for one in found if one]


def _address(item: Mapping[str, Any], base: str) -> str:
    address = text_in(item, "url").strip()
    try:
        address = urljoin(base, address) if address else ""
    except ValueError:  # "http://[": no address
        return ""
    return address if address.lower().startswith(("http://", "https://")) else ""


def _author(mapping: Mapping[str, Any]) -> str:
    single = mapping.get("author")  # 1.0; 1.1 has a list
    authors = mappings_in(mapping, "authors") or ([single] if isinstance(single, Mapping) else [])
    return plain.byline(text_in(author, "name") for author in authors)
