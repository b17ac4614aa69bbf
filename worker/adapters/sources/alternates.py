"""The feeds that a web page says are its own: `<link rel="alternate">`, the likeliest first.

Pure: bytes in, addresses out; whether there is a feed at them, whoever fetches them finds out. `intake.run_discovery`
calls it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin, urlsplit

import nh3

from worker.adapters.sources import plain
from worker.adapters.sources.decoding import decode
from worker.adapters.sources.limits import MAX_HTML_CHARS

MAX_ALTERNATES: Final = 20
_LINKS: Final = nh3.Cleaner(
    tags={"link", "base"},
    clean_content_tags={"script", "style", "svg", "noscript", "template"},
    attributes={"link": {"rel", "href", "type", "title"}, "base": {"href"}},
    url_schemes={"http", "https", "feed"},
    link_rel=None,
)
_ELEMENT: Final = re.compile(r'<(link|base)((?: [\w:-]+="[^"]*")*)>')
_ATTRIBUTE: Final = re.compile(r' ([\w:-]+)="([^"]*)"')
_FEED_TYPES: Final = frozenset({"application/rss+xml", "application/atom+xml", "application/feed+json"})
_MAYBE_TYPES: Final = frozenset({"application/rdf+xml", "application/xml", "text/xml", "application/json", "text/rss"})
_LIKE_A_FEED: Final = re.compile(r"feed|rss|atom", re.IGNORECASE)
_ASIDE: Final = re.compile(r"comment|kommentar|comentario|commentaire|댓글", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Alternate:
    """An address at which a page says that there is a feed; `title` is the page's word for it, often none."""

    url: str
    title: str = ""


def find_alternates(data: bytes, *, url: str, content_type: str) -> tuple[Alternate, ...]:
    """Return the feeds that a page links to, each once: those of comments last, else in the page's order.

    >>> page = b'<link rel="alternate" type="application/rss+xml" title="News" href="/feed">'
    >>> find_alternates(page, url="https://news.example/world", content_type="")
    (Alternate(url='https://news.example/feed', title='News'),)
    """
    page = plain.sound(decode(data, content_type))[:MAX_HTML_CHARS]
    if plain.is_costly(page):
        page = re.split(r"<body[\s>]", page, maxsplit=1, flags=re.IGNORECASE)[0]
        page = "" if plain.is_costly(page) else page
    found: dict[str, Alternate] = {}
    for one in _alternates(_LINKS.clean(page), url):
        found.setdefault(one.url, one)
    likeliest = sorted(found.values(), key=lambda one: bool(_ASIDE.search(f"{one.title} {urlsplit(one.url).path}")))
    return tuple(likeliest[:MAX_ALTERNATES])


def _alternates(clean: str, base: str) -> Iterator[Alternate]:
    based = False
    for name, written in _ELEMENT.findall(clean):
        told = {key.lower(): html.unescape(value).strip() for key, value in _ATTRIBUTE.findall(written)}
        if name == "base" and not based and told.get("href"):
            base, based = _joined(base, told["href"]), True
        elif name == "link" and told.get("href") and _is_feed(told):
            yield Alternate(url=_joined(base, told["href"]), title=plain.one_line(told.get("title", ""), 100))


def _is_feed(told: dict[str, str]) -> bool:
    """Tell whether a link is to a feed. JSON and XML may be anything: WordPress' API stands as an alternate too."""
    relations = told.get("rel", "").lower().split()
    kind = told.get("type", "").partition(";")[0].strip().lower()
    if "alternate" not in relations:
        return "feed" in relations
    return kind in _FEED_TYPES or (
        kind in _MAYBE_TYPES and bool(_LIKE_A_FEED.search(f"{told['href']} {told.get('title', '')}"))
    )


def _joined(base: str, address: str) -> str:
    try:
        return urljoin(base, address)
    except ValueError:  # "http://[": no address, but the page's own words
        return address
